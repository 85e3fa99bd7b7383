"""List prices, each in force from a day on, in whole nano-dollars (10^-9 US dollars).

Sources, list prices in US dollars without committed-use discounts, as read between 2026-08-21 and
2026-10-01: https://cloud.google.com/run/pricing (request-based billing),
https://cloud.google.com/scheduler/pricing, https://cloud.google.com/artifact-registry/pricing,
https://cloud.google.com/stackdriver/pricing; the minutes of GitHub's free plan for private
repositories (public ones have no limit). Not priced: network beyond the free GiB, minutes of
GitHub Actions beyond the free ones, conditions of alert policies.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

NANO_DOLLARS = 1_000_000_000  #: in one dollar
GIB_BYTES = 1 << 30
GB_BYTES = 1_000_000_000
MILLION = 1_000_000

# fmt: off
_TIER1_REGIONS = frozenset({
    "asia-east1", "asia-northeast1", "asia-northeast2", "asia-south1", "asia-southeast3",
    "europe-north1", "europe-north2", "europe-southwest1", "europe-west1", "europe-west4",
    "europe-west8", "europe-west9", "me-west1", "northamerica-south1", "us-central1", "us-east1",
    "us-east4", "us-east5", "us-south1", "us-west1",
})
# fmt: on


@dataclass(frozen=True, slots=True)
class RunPrice:
    """What one second of one vCPU and of one GiB costs while a request is worked on."""

    vcpu_second_nano_dollars: int
    gib_second_nano_dollars: int


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices from `valid_from` until the next list's day. What is free is free each month."""

    valid_from: date
    tier1: RunPrice
    tier2: RunPrice
    tier1_regions: frozenset[str]
    million_requests_nano_dollars: int
    scheduler_job_nano_dollars: int  #: for 31 days
    registry_gb_nano_dollars: int  #: a GB (10^9 bytes) kept for a month
    log_gib_nano_dollars: int
    free_vcpu_seconds: int
    free_gib_seconds: int
    free_requests: int
    free_scheduler_jobs: int
    free_registry_bytes: int
    free_log_bytes: int
    free_network_bytes: int
    free_build_minutes: int

    def is_tier1(self, region: str) -> bool:
        """True in a region of the cheaper tier; what the list does not know is of the dearer."""
        return region in self.tier1_regions

    def run(self, region: str) -> RunPrice:
        """The price of Cloud Run in `region`."""
        return self.tier1 if self.is_tier1(region) else self.tier2


#: Oldest first. A change of price is a new entry; an old entry is never edited.
PRICES: tuple[Prices, ...] = (
    Prices(
        valid_from=date(2026, 8, 21),
        tier1=RunPrice(vcpu_second_nano_dollars=24_000, gib_second_nano_dollars=2_500),
        tier2=RunPrice(vcpu_second_nano_dollars=33_600, gib_second_nano_dollars=3_500),
        tier1_regions=_TIER1_REGIONS,
        million_requests_nano_dollars=400_000_000,
        scheduler_job_nano_dollars=100_000_000,
        registry_gb_nano_dollars=100_000_000,
        log_gib_nano_dollars=500_000_000,
        free_vcpu_seconds=180_000,
        free_gib_seconds=360_000,
        free_requests=2_000_000,
        free_scheduler_jobs=3,
        free_registry_bytes=GB_BYTES // 2,
        free_log_bytes=50 * GIB_BYTES,
        free_network_bytes=GIB_BYTES,
        free_build_minutes=2_000,
    ),
)


def prices_on(day: date) -> Prices:
    """The list in force on `day`; the first one for a day before it."""
    return next((each for each in reversed(PRICES) if each.valid_from <= day), PRICES[0])
