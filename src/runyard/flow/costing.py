"""What an attempt costs: usage times the price of that day, in whole nano-dollars.

Rule 1  every task attempt is an instance of its own: billed for at least one minute, and for
        every 100 ms begun. A retry is a new instance and pays again.
Rule 2  the table in force at the instant of use counts; an instant before the first table is
        charged by the first one. Every charge names its table's date.
Rule 3  a region that the table does not know is charged by the dearer tier, and the charge says
        that this was assumed.
Rule 4  arithmetic is exact; each of the two figures (vCPU, memory) of a charge is rounded once,
        half up, to a whole nano-dollar.
Rule 5  the free tier is never part of a charge: it belongs to a month of a billing account, so it
        is a credit beside the charges.

Source: https://cloud.google.com/run/pricing, Cloud Run jobs (instance-based billing), list prices
in US dollars without committed-use discounts, as read on 2026-08-21 and 2026-09-27. A job with
`delayExecution` has a cheaper price of its own; it is confirmed for tier 2 only, so it is not
applied. GPUs and network traffic are not priced.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

from runyard.model.cost import Charge, Credit, Price, PriceTable, Tier
from runyard.model.ids import AttemptKey
from runyard.model.outcome import Usage

MINIMUM_MILLISECONDS = 60_000  #: "minimum 1 minute per instance" (pricing page, jobs)
STEP_MILLISECONDS = 100  #: "rounded up to the nearest 100 milliseconds" (pricing page)
NANO_DOLLARS = 1_000_000_000  #: in one dollar

# fmt: off
_TIER1_REGIONS = frozenset({
    "asia-east1", "asia-northeast1", "asia-northeast2", "asia-south1", "asia-southeast3",
    "europe-north1", "europe-north2", "europe-southwest1", "europe-west1", "europe-west4",
    "europe-west8", "europe-west9", "me-west1", "northamerica-south1", "us-central1", "us-east1",
    "us-east4", "us-east5", "us-south1", "us-west1",
})
_TIER2_REGIONS = frozenset({
    "africa-south1",  # in tier 1 in one later reading, in tier 2 in the documentation: the dearer
    "asia-east2", "asia-northeast3", "asia-southeast1", "asia-southeast2", "asia-south2",
    "australia-southeast1", "australia-southeast2", "europe-central2", "europe-west10",
    "europe-west12", "europe-west2", "europe-west3", "europe-west6", "me-central1", "me-central2",
    "northamerica-northeast1", "northamerica-northeast2", "southamerica-east1",
    "southamerica-west1", "us-west2", "us-west3", "us-west4",
})
# fmt: on

#: Oldest first. A change of price is a new entry; an old entry is never edited.
PRICE_TABLES: tuple[PriceTable, ...] = (
    PriceTable(
        valid_from=date(2026, 8, 21),
        tier1=Price(vcpu_second_nano_dollars=18_000, gib_second_nano_dollars=2_000),
        tier2=Price(vcpu_second_nano_dollars=21_600, gib_second_nano_dollars=2_400),
        tier1_regions=_TIER1_REGIONS,
        tier2_regions=_TIER2_REGIONS,
        free_vcpu_seconds=240_000,
        free_gib_seconds=450_000,
    ),
)


def billed_milliseconds(wall_milliseconds: int) -> int:
    """What one task attempt is billed for (rule 1), given how long it lived."""
    long_enough = max(wall_milliseconds, MINIMUM_MILLISECONDS)
    return -(-long_enough // STEP_MILLISECONDS) * STEP_MILLISECONDS


def price_table(at: datetime, tables: Sequence[PriceTable] = PRICE_TABLES) -> PriceTable:
    """The table in force at `at` (rule 2). `tables` is oldest first and not empty."""
    day = at.astimezone(UTC).date()
    in_force = [table for table in tables if table.valid_from <= day]
    return in_force[-1] if in_force else tables[0]


def tier_of(region: str, table: PriceTable) -> tuple[Tier, bool]:
    """The tier of `region`, and whether that is only assumed (rule 3)."""
    if region in table.tier1_regions:
        return Tier.ONE, False
    return Tier.TWO, region not in table.tier2_regions


def charge(
    usage: Usage,
    region: str,
    at: datetime,
    *,
    key: AttemptKey,
    tables: Sequence[PriceTable] = PRICE_TABLES,
) -> Charge:
    """What attempt `key` costs, which used `usage` in `region` at the instant `at` (aware)."""
    table = price_table(at, tables)
    tier, assumed = tier_of(region, table)
    price = table.price(tier)
    vcpu_milli_milliseconds = usage.billed_milliseconds * usage.vcpu_milli
    byte_milliseconds = usage.billed_milliseconds * usage.memory_bytes
    return Charge(
        key=key,
        at=at,
        region=region,
        tier=tier,
        tier_assumed=assumed,
        price_table=table.valid_from,
        vcpu_nano_dollars=_half_up(
            vcpu_milli_milliseconds * price.vcpu_second_nano_dollars, 1000 * 1000
        ),
        memory_nano_dollars=_half_up(
            byte_milliseconds * price.gib_second_nano_dollars, 1000 * 1024**3
        ),
        usage=usage,
    )


def free_tier(charges: Iterable[Charge], tables: Sequence[PriceTable] = PRICE_TABLES) -> Credit:
    """What the free tier takes off `charges`, all the charges of one month (UTC) of one account.

    Google grants it as dollars at tier 1 prices, so in tier 2 it covers fewer seconds. vCPU and
    memory have an allowance each; what one leaves over does not help the other. The table in
    force at the first charge counts. Raises ValueError when the charges are of several months.
    """
    month = sorted(charges, key=lambda one: one.at)
    if not month:
        return Credit()
    if len({(one.at.astimezone(UTC).year, one.at.astimezone(UTC).month) for one in month}) > 1:
        raise ValueError("the free tier is counted by month: these charges are of several months")
    table = price_table(month[0].at, tables)
    return Credit(
        vcpu_nano_dollars=min(
            sum(one.vcpu_nano_dollars for one in month),
            table.free_vcpu_seconds * table.tier1.vcpu_second_nano_dollars,
        ),
        memory_nano_dollars=min(
            sum(one.memory_nano_dollars for one in month),
            table.free_gib_seconds * table.tier1.gib_second_nano_dollars,
        ),
    )


def display(nano_dollars: int) -> str:
    """The amount for people: `$12.35`, under a dollar `$0.0021`, and `<$0.0001` for less.

    Rounded half up, for display only. Only nothing at all is shown as `$0.00`.
    """
    if nano_dollars < 0:
        shown = display(-nano_dollars)
        return f">-{shown[1:]}" if shown.startswith("<") else f"-{shown}"
    if nano_dollars == 0:
        return "$0.00"
    if nano_dollars < NANO_DOLLARS // 10_000:
        return "<$0.0001"
    ten_thousandths = _half_up(nano_dollars, NANO_DOLLARS // 10_000)
    if ten_thousandths < 10_000:
        return f"$0.{ten_thousandths:04}"
    cents = _half_up(nano_dollars, NANO_DOLLARS // 100)
    return f"${cents // 100:,}.{cents % 100:02}"


def _half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator`, neither negative, to the nearest whole number, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)
