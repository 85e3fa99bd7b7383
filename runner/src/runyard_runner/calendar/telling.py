"""All that `cron` tells about a schedule: decided here, printed elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from runyard_runner.calendar.in_utc import in_utc
from runyard_runner.calendar.instants import first_runs, oddities
from runyard_runner.calendar.line import Line
from runyard_runner.calendar.zones import Period, periods, season

_AHEAD = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The lines in UTC while one offset holds, and the first instants of it."""

    period: Period
    season: str
    utc_lines: tuple[Line, ...]
    runs: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A schedule: its line for Cloud Scheduler with `zone_name`, the year ahead in stretches."""

    line: Line
    zone_name: str
    stretches: tuple[Stretch, ...]
    warnings: tuple[str, ...]


def tell(line: Line, zone: tzinfo, zone_name: str, now: datetime, count: int) -> Told:
    """What there is to say of `line` by the clock of `zone` from `now` on for a year.

    Of stretches with the same offset only the first is told, with its first `count` instants.
    """
    every = periods(zone, now, now + _AHEAD)
    first_of_offset = {each.offset: each for each in reversed(every)}
    told = sorted(first_of_offset.values(), key=lambda each: each.start_at)
    stretches = tuple(
        Stretch(
            each,
            season(each, every),
            in_utc(line, each.offset),
            first_runs(line, zone, each, count),
        )
        for each in told
    )
    warnings = (*_drifts(stretches, zone_name), *_odd_times(line, every, zone_name))
    return Told(line, zone_name, stretches, warnings)


def _drifts(stretches: tuple[Stretch, ...], zone_name: str) -> Iterator[str]:
    """Where a fixed line in UTC would be wrong by the clock."""
    first = stretches[0]
    for other in stretches[1:]:
        if not first.utc_lines or other.utc_lines == first.utc_lines:
            continue
        by = other.period.offset - first.period.offset
        how = "late" if by > timedelta() else "early"
        written = " and ".join(f"`{line}`" for line in first.utc_lines)
        yield (
            f"a fixed line in UTC drifts: {written}, right while {zone_name} is "
            f"{first.period.utc}, runs {_length(abs(by))} {how} "
            f"by its clock from {other.period.start_at:%Y-%m-%d} on ({other.period.utc}); "
            f"give Cloud Scheduler the zone instead"
        )


def _odd_times(line: Line, every: tuple[Period, ...], zone_name: str) -> Iterator[str]:
    for odd in oddities(line, every):
        if odd.is_missing:
            what = "does not exist, and Cloud Scheduler may leave the run out"
        else:
            what = "comes twice, and Cloud Scheduler may run twice"
        yield f"{odd.at:%Y-%m-%d %H:%M} {what} ({zone_name} changes its clock)"


def _length(span: timedelta) -> str:
    hours, minutes = divmod(span // timedelta(minutes=1), 60)
    return " ".join(f"{n} {unit}" for n, unit in ((hours, "h"), (minutes, "min")) if n)
