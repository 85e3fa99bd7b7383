"""A preview as JSON: every instant in local time and in UTC."""

from __future__ import annotations

from typing import Any

from runyard.flow.schedule.instants import Timetable
from runyard.flow.schedule.preview import Preview, Transition
from runyard.flow.schedule.words import utc


def preview_document(
    schedule: str, zone_name: str, timetable: Timetable, seen: Preview
) -> dict[str, Any]:
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
