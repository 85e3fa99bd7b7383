"""Runs for instants of the past: which there would be, and which there are already."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from runyard.flow.freezing import Zones
from runyard.flow.schedule.compiling import Compiled, compiled
from runyard.flow.schedule.firing import Ask
from runyard.flow.schedule.timing import Timing
from runyard.model.errors import Fault, InvalidSpec, Refused
from runyard.model.run import TriggerKind
from runyard.model.trigger.row import Trigger

INSTANTS_MAX = 1_000
"""Instants of one backfill: Cloud Run's quota of running executions in a region, which they would
all come near to if nothing held them back."""
PARALLEL_MAX = 100
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Backfill:
    """The instants of a range: `asks` become runs; of the rest, `there` had a run before."""

    asks: tuple[Ask, ...]
    there: tuple[datetime, ...]


def schedule_of(row: Trigger, zones: Zones) -> Compiled:
    """The schedule that a trigger is. Raises Refused when it is none, or cannot be reckoned."""
    if row.kind is not TriggerKind.SCHEDULE:
        raise Refused(f"trigger {row.path} is no schedule: it has no instants of its own")
    schedule = compiled(row, zones)
    if isinstance(schedule, str):
        raise Refused(f"trigger {row.path} is not ready: {schedule}")
    return schedule


def backfill(
    timing: Timing,
    since: datetime,
    until: datetime,
    had: Collection[datetime],
    now: datetime,
    *,
    again: bool = False,
) -> Backfill:
    """The instants from `since` to before `until` by the timetable as it is now. `had` are those
    that have had a run: they have none again, unless `again`.

    Raises InvalidSpec when the range is empty, is not past, or holds too many instants.
    """
    if since >= until:
        raise _refused("until", until, f"an instant after {since:%Y-%m-%dT%H:%M:%SZ}")
    if until > now:
        hint = "what is to come is asked for when it comes"
        raise _refused("until", until, "an instant that is past", hint)
    found: list[datetime] = []
    for at in timing.instants(since - _MICROSECOND):
        if at >= until:
            break
        if len(found) >= INSTANTS_MAX:
            hint = f"it goes on at {at:%Y-%m-%dT%H:%M:%SZ}"
            raise _refused("until", until, f"a range of at most {INSTANTS_MAX:,} instants", hint)
        found.append(at)
    there = tuple(at for at in found if at in had)
    asks = tuple(Ask(at) for at in found if again or at not in had)
    return Backfill(asks, there)


def _refused(field: str, value: datetime, expected: str, hint: str = "") -> InvalidSpec:
    fault = Fault(field, f"{value:%Y-%m-%dT%H:%M:%SZ}", expected, hint)
    return InvalidSpec("the range of the backfill is wrong", faults=(fault,))
