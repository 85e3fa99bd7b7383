"""docs/reference/prices.md, from the tables in `runyard.flow.costing`."""

from __future__ import annotations

from runyard.flow import costing
from runyard.flow.costing import NANO_DOLLARS, PRICE_TABLES
from runyard.model.cost import PriceTable
from tools.docs.markdown import page, table


def prices_page() -> str:
    """The rules of charging, then every price table, newest first."""
    rules = "```text\n" + (costing.__doc__ or "").strip() + "\n```"
    return page("Prices", rules, *(_one(each) for each in reversed(PRICE_TABLES)))


def _one(prices: PriceTable) -> str:
    rows = [
        ("1", prices.tier1, prices.tier1_regions),
        ("2, and every other region", prices.tier2, prices.tier2_regions),
    ]
    return "\n\n".join(
        [
            f"## From {prices.valid_from} ({prices.currency})",
            table(
                ("tier", "a vCPU-second", "a GiB-second", "regions"),
                (
                    (
                        tier,
                        _dollars(price.vcpu_second_nano_dollars),
                        _dollars(price.gib_second_nano_dollars),
                        ", ".join(sorted(regions)),
                    )
                    for tier, price, regions in rows
                ),
            ),
            f"Free each month: {prices.free_vcpu_seconds:,} vCPU-seconds and "
            f"{prices.free_gib_seconds:,} GiB-seconds at tier 1 prices.",
        ]
    )


def _dollars(nano_dollars: int) -> str:
    return "$" + f"{nano_dollars / NANO_DOLLARS:.9f}".rstrip("0")
