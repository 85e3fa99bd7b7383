"""A preview in words and as JSON: every instant in local time and in UTC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from runyard.flow.schedule.instants import Timetable
from runyard.flow.schedule.preview import Preview, Transition
from runyard.flow.schedule.utc_lines import Season

_TIMES_SHOWN = 4  #: of those a change touches; `* * * * *` has 60


def utc(at: datetime) -> str:
    """`2026-03-29T01:00:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local(at: datetime, zone: tzinfo) -> str:
    """`Sun 2026-03-29 03:00:00 +02:00`."""
    here = at.astimezone(zone)
    return f"{here:%a %Y-%m-%d %H:%M:%S} {here.isoformat()[-6:]}"


def offset(ahead: timedelta) -> str:
    """`UTC-5`, `UTC+5:30`, `UTC`."""
    minutes = ahead // timedelta(minutes=1)
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "") if minutes else "UTC"


def document(schedule: str, zone_name: str, timetable: Timetable, seen: Preview) -> dict[str, Any]:
    """The whole preview. `transition` of an instant names what a change made of it."""
    marks = {
        at: "gap" if transition.change.forward else "overlap"
        for transition in seen.transitions
        for touched in transition.touched
        for at in touched.instants
    }
    return {
        "schedule": schedule,
        "time_zone": zone_name,
        "dst": {"gap": seen.gap, "overlap": seen.overlap},
        "instants": [
            {
                "utc": utc(at),
                "local": at.astimezone(timetable.zone).isoformat(),
                "transition": marks.get(at, ""),
            }
            for at in seen.instants
        ],
        "transitions": [_transition(transition) for transition in seen.transitions],
    }


def _transition(transition: Transition) -> dict[str, Any]:
    change = transition.change
    return {
        "utc": utc(change.at),
        "local_before": change.before.isoformat(),
        "local_after": change.after.isoformat(),
        "times": [
            {"local": one.local.isoformat(), "utc": [utc(at) for at in one.instants]}
            for one in transition.touched
        ],
    }


def transitions(seen: Preview, zone_name: str) -> Iterator[str]:
    """What the next changes of clocks do, a sentence each."""
    if not seen.transitions:
        yield f"Clocks do not change in {zone_name} in the two years that follow."
    for transition in seen.transitions:
        change = transition.change
        way = "forward" if change.forward else "back"
        yield (
            f"On {change.before:%Y-%m-%d} clocks go {way} from {change.before:%H:%M} to "
            f"{change.after:%H:%M}: {_consequence(transition, seen)}."
        )


def _consequence(transition: Transition, seen: Preview) -> str:
    touched = transition.touched
    if not touched:
        return "no time of this schedule is touched"
    times = _listed([f"{one.local:%H:%M}" for one in touched])
    verb = "s" if len(touched) == 1 else ""
    if not transition.change.forward:
        how = {"first": "the first time", "second": "the second time", "both": "both times"}
        return f"{times} come{verb} twice and run{verb} {how[seen.overlap]}"
    if not any(one.instants for one in touched):
        return f"{times} do{'es' if verb else ''} not exist and {'is' if verb else 'are'} skipped"
    return f"{times} do{'es' if verb else ''} not exist and run{verb} once, at the end of the gap"


def _listed(times: Sequence[str]) -> str:
    shown = ", ".join(times[:_TIMES_SHOWN])
    more = len(times) - _TIMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def advice(zone_name: str, found: Sequence[Season]) -> Iterator[str]:
    """Whether a fixed UTC line would do, and what to write instead."""
    if len({season.lines for season in found}) > 1:
        yield (
            "No fixed line in UTC is right all year: the one that fits now is wrong from "
            f"{found[0].end:%Y-%m-%d} to {found[1].end:%Y-%m-%d}."
        )
        yield f"Keep the zone in the schedule instead: timeZone: {zone_name}"
    else:
        yield f"In {zone_name} this line is right all year."
