"""How often a schedule asks for runs in a month of 30 days. Pure.

Instants are counted one by one, as far as anybody would. A schedule that has more is counted by its
times of day or its period, and by the share of time that windows and blackouts leave: exact but for
the few instants at the edges, and for changes of clocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice, takewhile

from runyard.flow.schedule.clocks import local_of
from runyard.flow.schedule.compiling import blackouts_of
from runyard.flow.schedule.timing import Timing
from runyard.model.recurrence.nouns import DAY_MINUTES, Calendar
from runyard.model.trigger.schedule import ScheduleSpec

DAYS = 30
COUNTED_MAX = 2_000  #: some three an hour
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_A_WEEK = 7
_MONDAY = date(2026, 11, 30)  #: any
Span = tuple[datetime, datetime]


def runs_a_month(spec: ScheduleSpec, timing: Timing, now: datetime) -> int:
    """How many instants of the 30 days after `now` ask for a run."""
    if not spec.enabled:
        return 0
    begin = max(now, timing.start_at or now)
    end = min(now + DAYS * _DAY, timing.end_at or now + DAYS * _DAY)
    if end <= begin:
        return 0
    spans = [(one.begin, one.until) for one in blackouts_of(spec, timing.table.zone)]
    coming = takewhile(lambda at: at < end, timing.instants(now))
    found = list(islice(coming, COUNTED_MAX + 1))
    if len(found) <= COUNTED_MAX:
        return sum(not any(first <= at < last for first, last in spans) for at in found)
    blacked = _covered(spans, begin, end) / (end - begin)
    return round(_dense(timing, begin, end) * (1 - blacked))


def _covered(spans: Sequence[Span], begin: datetime, end: datetime) -> timedelta:
    """How much of the time from `begin` to `end` is in some span."""
    covered, here = timedelta(), begin
    for first, last in sorted(spans):
        start, stop = max(first, here), min(last, end)
        if start < stop:
            covered += stop - start
            here = stop
    return covered


def _dense(timing: Timing, begin: datetime, end: datetime) -> float:
    recurrence, zone = timing.table.recurrence, timing.table.zone
    if not isinstance(recurrence, Calendar):
        minutes = sum(_open(timing, day, range(DAY_MINUTES)) for day in range(_A_WEEK))
        share = minutes / (DAY_MINUTES * _A_WEEK)
        return (end - begin).total_seconds() / recurrence.seconds * share
    of_day = [_open(timing, day, recurrence.times) for day in range(_A_WEEK)]
    day, last = local_of(begin, zone).date(), local_of(end, zone).date()
    total = 0.0
    while day < last:
        total += of_day[day.weekday()] if recurrence.days.has(day) else 0
        day += _DAY
    return total


def _open(timing: Timing, weekday: int, times: Sequence[int]) -> int:
    """How many times of a day (Monday is 0) are in a window."""
    if not timing.windows:
        return len(times)
    midnight = datetime.combine(_MONDAY + weekday * _DAY, time())
    shown = (midnight + minutes * _MINUTE for minutes in times)
    return sum(any(window.has(local) for window in timing.windows) for local in shown)
