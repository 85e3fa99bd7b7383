"""A preview in words and as JSON: every instant in local time and in UTC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from runyard.flow.schedule.instants import Timetable
from runyard.flow.schedule.preview import Preview, Transition
from runyard.flow.schedule.utc_lines import Season
from runyard.flow.schedule.words import utc


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
