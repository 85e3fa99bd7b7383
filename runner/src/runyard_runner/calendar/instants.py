"""When a line runs next, and where a change of the clock leaves a time out or has it twice.

What Scheduler does with a time that does not exist is not documented, except that it may not run;
here it runs at once after the gap, as cron does, and `oddities` tells of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise, takewhile

from cronsim import CronSim

from runyard_runner.calendar.line import HOUR, Line
from runyard_runner.calendar.zones import Period


@dataclass(frozen=True, slots=True)
class Oddity:
    """A time by the clock that its zone leaves out, or has twice, on one day."""

    at: datetime  #: by the clock, without a zone
    is_missing: bool


def runs(line: Line, zone: tzinfo, after_at: datetime) -> Iterator[datetime]:
    """The instants after `after_at`, in `zone`."""
    return iter(CronSim(str(line), after_at.astimezone(zone)))


def first_runs(line: Line, zone: tzinfo, period: Period, count: int) -> tuple[datetime, ...]:
    """The first `count` instants within `period`."""
    just_before = period.start_at - timedelta(seconds=1)
    within = takewhile(lambda at: at < period.end_at, runs(line, zone, just_before))
    return tuple(at for _, at in zip(range(count), within, strict=False))


def oddities(line: Line, periods: tuple[Period, ...]) -> tuple[Oddity, ...]:
    """What the changes between `periods` do to the times of `line`.

    A line that runs every hour loses or gains nothing that anybody would miss: no oddity.
    """
    if line.hours == HOUR.every:
        return ()
    return tuple(
        Oddity(at, after.offset > before.offset)
        for before, after in pairwise(periods)
        for at in _touched(line, before, after)
    )


def _touched(line: Line, before: Period, after: Period) -> Iterator[datetime]:
    """The times by the clock between what it showed and what it shows at the change."""
    shown = (after.start_at + before.offset).replace(tzinfo=None)
    shows = (after.start_at + after.offset).replace(tzinfo=None)
    at, end = sorted((shown, shows))
    while at < end:
        if at.minute in line.minutes and at.hour in line.hours and line.runs_on(at.date()):
            yield at
        at += timedelta(minutes=1)
