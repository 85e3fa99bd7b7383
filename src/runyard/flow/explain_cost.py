"""What a run cost, and how that was computed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runyard.flow.costing import MINIMUM_MILLISECONDS, PRICE_TABLES, STEP_MILLISECONDS, display
from runyard.flow.wording import count, dollars, number, sentence, span
from runyard.model.cost import Charge, Price, Tier
from runyard.model.ids import split_attempt_key
from runyard.model.outcome import Usage
from runyard.model.run import Run

_TIERS = {Tier.ONE: "tier 1", Tier.TWO: "tier 2"}


def cost(run: Run, charges: Sequence[Charge]) -> Iterator[str]:
    """A sentence or two for each attempt, then the sum."""
    for charge in charges:
        yield from _charge(charge)
    if any(_is_raised(charge.usage) for charge in charges):
        least = span(MINIMUM_MILLISECONDS / 1000)
        lived = span(sum(charge.usage.wall_milliseconds for charge in charges) / 1000)
        yield sentence(
            f"every task attempt is billed for at least {least}; together they lasted {lived}"
        )
    if len(charges) > 1:
        yield sentence(
            f"together the {len(charges)} attempts cost {display(run.cost_nano_dollars)}"
        )
    if any(charge.nano_dollars for charge in charges):
        yield "What a free tier takes off is not part of it."


def _charge(charge: Charge) -> Iterator[str]:
    _, attempt = split_attempt_key(charge.key)
    usage = charge.usage
    if not usage.billed_milliseconds:
        yield sentence(f"attempt {attempt} cost nothing, since no task was started")
        return
    seconds = usage.billed_milliseconds / 1000
    vcpu = number(seconds * usage.vcpu_milli / 1000)
    gib = number(seconds * usage.memory_bytes / 1024**3)
    tries = count(usage.task_attempts, "task attempt")
    yield sentence(
        f"attempt {attempt} cost {display(charge.nano_dollars)}:",
        f"{tries} billed for {span(seconds)} make {vcpu} vCPU-seconds",
        f"and {gib} GiB-seconds, at {_price(charge)}",
    )
    if charge.tier_assumed:
        yield sentence(
            f"the price list does not know {charge.region}, so the dearer tier was taken"
        )


def _is_raised(usage: Usage) -> bool:
    """True when the minimum, and not only the rounding, made more of what was used."""
    rounding = STEP_MILLISECONDS * max(1, usage.task_attempts)
    return usage.billed_milliseconds - usage.wall_milliseconds >= rounding


def _price(charge: Charge) -> str:
    where = f"the {_TIERS[charge.tier]} prices of {charge.price_table.isoformat()}"
    price = _found(charge)
    if price is None:
        return where
    return (
        f"{where} ({dollars(price.vcpu_second_nano_dollars)} a vCPU-second,"
        f" {dollars(price.gib_second_nano_dollars)} a GiB-second)"
    )


def _found(charge: Charge) -> Price | None:
    """The price used, while its table is still among ours."""
    tables = (table for table in PRICE_TABLES if table.valid_from == charge.price_table)
    table = next(tables, None)
    return table.price(charge.tier) if table else None
