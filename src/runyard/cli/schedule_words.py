"""What `runyard schedules` says for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from runyard.flow.schedule.utc_lines import Season


def offset(ahead: timedelta) -> str:
    """`UTC-5`, `UTC+5:30`, `UTC`."""
    minutes = ahead // timedelta(minutes=1)
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "") if minutes else "UTC"


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
