"""`runyard-runner estimate`: what a runner costs a month."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any, TextIO, TypeVar

from runyard_runner.calendar.faults import ScheduleError
from runyard_runner.calendar.words import understand
from runyard_runner.commands.columns import columns
from runyard_runner.costs.estimate import Cost, Estimate, Use, estimate, executions_a_month
from runyard_runner.costs.prices import NANO_DOLLARS, prices_on
from runyard_runner.costs.quantities import bytes_of, seconds_of, vcpu_of

Amount = TypeVar("Amount")
_CENT = NANO_DOLLARS // 100


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    add = parser.add_argument
    add("--schedule", required=True, help='a cron line, or words: "every 6 hours"')
    add("--endpoints", required=True, help="how many endpoints an execution calls")
    add("--duration", required=True, help="until one endpoint has answered: 300ms, 2s")
    add("--sequential", action="store_true", help="one endpoint after the other, not side by side")
    add("--max-workers", help="how many side by side (default: at most 10)")
    add("--region", default="us-central1", help="where the service runs (default: us-central1)")
    add("--cpu", default="1", help="vCPU of the service (default: 1)")
    add("--memory", default="512Mi", help="memory of the service (default: 512Mi)")
    add("--scheduler-jobs", default="1", help="jobs of Cloud Scheduler in all (default: 1)")
    add("--images", default="5", help="images kept in Artifact Registry (default: 5)")
    add("--image-size", default="60MB", help="of one image, compressed (default: 60MB)")
    add("--deployments", default="8", help="a month (default: 8)")
    add("--build-minutes", default="6", help="of one deployment (default: 6)")
    add("--on", metavar="DAY", help="by the prices of this day (2026-11-26), not of today")
    add("--json", action="store_true", help="one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print it, as of now. Raises ScheduleError."""
    carry_out(arguments, datetime.now(UTC), sys.stdout)
    return 0


def carry_out(asked: argparse.Namespace, now: datetime, out: TextIO) -> None:
    """Prints the table. Raises ScheduleError."""
    day = now.date() if asked.on is None else _amount("--on", asked.on, _day)
    executions = executions_a_month(understand(asked.schedule), day)
    found = estimate(_use(asked, executions), prices_on(day))
    if asked.json:
        out.write(json.dumps(document(found)) + "\n")
    else:
        out.writelines(f"{line}\n" for line in lines(found))


def _use(asked: argparse.Namespace, executions: int) -> Use:
    return Use(
        executions=executions,
        endpoints=_amount("--endpoints", asked.endpoints, _count),
        duration_seconds=_amount("--duration", asked.duration, seconds_of),
        is_parallel=not asked.sequential,
        max_workers=None
        if asked.max_workers is None
        else _amount("--max-workers", asked.max_workers, _positive),
        region=asked.region,
        vcpu=_amount("--cpu", asked.cpu, vcpu_of),
        memory_bytes=_amount("--memory", asked.memory, bytes_of),
        scheduler_jobs=_amount("--scheduler-jobs", asked.scheduler_jobs, _count),
        images=_amount("--images", asked.images, _count),
        image_bytes=_amount("--image-size", asked.image_size, bytes_of),
        deployments=_amount("--deployments", asked.deployments, _count),
        build_minutes=_amount("--build-minutes", asked.build_minutes, _count),
    )


def _amount(option: str, text: str, read: Callable[[str], Amount]) -> Amount:
    try:
        return read(text)
    except ValueError as error:
        hint = f"See `runyard-runner estimate --help` for {option}"
        raise ScheduleError(option, text, str(error), hint) from None


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 7):
        raise ValueError("a whole number, 0 to 9999999")
    return int(text)


def _positive(text: str) -> int:
    if not (number := _count(text)):
        raise ValueError("a whole number, 1 to 9999999")
    return number


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("a day such as 2026-11-26") from None


def document(found: Estimate) -> dict[str, Any]:
    """All of it, for a program."""
    return {
        "prices_from": found.prices_from.isoformat(),
        "executions": found.use.executions,
        "execution_seconds": float(found.use.execution_seconds),
        "billed_seconds": float(found.use.billed_seconds),
        "nano_dollars": found.nano_dollars,
        "costs": [
            {
                "component": cost.component,
                "model": cost.model,
                "usage": cost.usage,
                "free": cost.free,
                "nano_dollars": cost.nano_dollars,
            }
            for cost in found.costs
        ],
        "notes": list(found.notes),
    }


def lines(found: Estimate) -> Iterator[str]:
    """All of it, for people."""
    use = found.use
    yield (
        f"{use.executions:,} executions a month, each of {_seconds(use.execution_seconds)}, "
        f"billed as {_seconds(use.billed_seconds)}"
    )
    yield ""
    headings = ("Component", "Priced by", "Usage a month", "Free a month", "Cost")
    yield from columns(headings, [_row(cost) for cost in found.costs])
    yield ""
    total = _dollars(found.nano_dollars)
    yield f"Total: {total} a month, by the list prices of {found.prices_from}"
    for note in found.notes:
        yield f"note: {note}"


def _row(cost: Cost) -> tuple[str, ...]:
    price = "no price in the list" if cost.nano_dollars is None else _dollars(cost.nano_dollars)
    return cost.component, cost.model, cost.usage, cost.free, price


def _dollars(nano_dollars: int) -> str:
    """Rounded half up to cents; what is less than one is told as such."""
    if 0 < nano_dollars < _CENT:
        return "less than $0.01"
    cents = (nano_dollars + _CENT // 2) // _CENT
    return f"${cents // 100:,}.{cents % 100:02}" if cents else "$0"


def _seconds(seconds: Fraction) -> str:
    return f"{float(seconds):g} s"
