"""Cost: what an attempt cost, by which price, in integer nano-dollars (10^-9 US dollars)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from runyard.model.ids import AttemptKey
from runyard.model.outcome import Usage


class Tier(StrEnum):
    """Google's two price levels of regions."""

    ONE = "tier1"
    TWO = "tier2"


@dataclass(frozen=True, slots=True)
class Price:
    """What one second of one vCPU and of one GiB costs."""

    vcpu_second_nano_dollars: int
    gib_second_nano_dollars: int


@dataclass(frozen=True, slots=True)
class PriceTable:
    """The prices in force from `valid_from` (00:00 UTC) until the next table's date.

    The free amounts are for one month of one billing account, whatever its projects.
    """

    valid_from: date
    tier1: Price
    tier2: Price
    tier1_regions: frozenset[str]
    tier2_regions: frozenset[str]
    free_vcpu_seconds: int
    free_gib_seconds: int
    currency: str = "USD"

    def price(self, tier: Tier) -> Price:
        """The price of `tier`."""
        return self.tier1 if tier is Tier.ONE else self.tier2


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of the ledger: what one attempt cost, before any free tier.

    `at` is the instant of use. `price_table` is the date of the table that was used.
    `tier_assumed`: the table does not know the region, so the dearer tier was taken.
    """

    key: AttemptKey
    at: datetime
    region: str
    tier: Tier
    tier_assumed: bool
    price_table: date
    vcpu_nano_dollars: int
    memory_nano_dollars: int
    usage: Usage

    @property
    def nano_dollars(self) -> int:
        """The whole charge."""
        return self.vcpu_nano_dollars + self.memory_nano_dollars


@dataclass(frozen=True, slots=True)
class Credit:
    """What the free tier takes off a month's charges; never more than they are."""

    vcpu_nano_dollars: int = 0
    memory_nano_dollars: int = 0

    @property
    def nano_dollars(self) -> int:
        """The whole credit."""
        return self.vcpu_nano_dollars + self.memory_nano_dollars
