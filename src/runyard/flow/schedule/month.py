"""How often a schedule asks for runs in the days to come: 30 of them unless it is said. Pure.

Instants are counted as far as anybody would. A schedule that has more is counted by its times of
day or its period, and by the share of time that windows and blackouts leave: exact but for the few
instants at the edges, and for changes of clocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from runyard.flow.schedule.clocks import local_of
from runyard.flow.schedule.compiling import blackouts_of
from runyard.flow.schedule.ranges import open_times, rate, seconds_between
from runyard.flow.schedule.timing import Timing
from runyard.model.instants import to_micros
from runyard.model.recurrence.nouns import DAY_MINUTES, Calendar
from runyard.model.trigger.schedule import ScheduleSpec

DAYS = 30
COUNTED_MAX = 15_000  #: some twenty an hour
_DAY = timedelta(days=1)
_A_WEEK = 7
_SECOND_MICROS = 1_000_000
Span = tuple[datetime, datetime]


def runs_a_month(spec: ScheduleSpec, timing: Timing, now: datetime, days: int = DAYS) -> int:
    """How many instants of the `days` after `now` ask for a run."""
    if not spec.enabled:
        return 0
    spans = [(one.begin, one.until) for one in blackouts_of(spec, timing.table.zone)]
    return counted(timing, spans, now, days)


def counted(
    timing: Timing,
    spans: Sequence[Span],
    now: datetime,
    days: int,
    counted_max: int = COUNTED_MAX,
) -> int:
    """How many instants of the `days` after `now` are outside of the spans: one by one, where
    there are at most so many."""
    begin = max(now, timing.start_at or now)
    end = min(now + days * _DAY, timing.end_at or now + days * _DAY)
    if end <= begin:
        return 0
    if rate(timing) * days <= counted_max:
        return len(outside(seconds_between(timing, now, end), spans))
    blacked = _covered(spans, begin, end) / (end - begin)
    return round(_dense(timing, begin, end) * (1 - blacked))


def outside(seconds: Sequence[int], spans: Sequence[Span]) -> Sequence[int]:
    """Those of instants, in seconds since 1970, that are in none of the spans of time."""
    if not spans:
        return seconds
    edges = [(to_micros(begin), to_micros(until)) for begin, until in spans]
    return [
        second
        for second in seconds
        if not any(begin <= second * _SECOND_MICROS < until for begin, until in edges)
    ]


def _covered(spans: Sequence[Span], begin: datetime, end: datetime) -> timedelta:
    """How much of the time from `begin` to `end` is in some span."""
    covered, here = timedelta(), begin
    for first, last in sorted(spans):
        start, stop = max(first, here), min(last, end)
        covered += max(stop - start, timedelta())
        here = max(here, stop)
    return covered


def _dense(timing: Timing, begin: datetime, end: datetime) -> float:
    recurrence, zone = timing.table.recurrence, timing.table.zone
    if not isinstance(recurrence, Calendar):
        minutes = sum(len(open_times(timing, day, range(DAY_MINUTES))) for day in range(_A_WEEK))
        share = minutes / (DAY_MINUTES * _A_WEEK)
        return (end - begin).total_seconds() / recurrence.seconds * share
    of_day = [len(open_times(timing, day, recurrence.times)) for day in range(_A_WEEK)]
    day, last = local_of(begin, zone).date(), local_of(end, zone).date()
    total = 0.0
    while day < last:
        total += of_day[day.weekday()] if recurrence.days.has(day) else 0
        day += _DAY
    return total
