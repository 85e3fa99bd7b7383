"""All instants of a schedule in a stretch of time at once. Pure.

In whole seconds since 1970. A day on which the clocks of a zone stay as they are is a sum for each
of its times; only days of changes are looked at time by time. That is some hundred times as fast
as one instant after the other, and tells the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from runyard.flow.schedule.clocks import instants_of, local_of, offsets
from runyard.flow.schedule.timing import Timing
from runyard.model.instants import to_micros
from runyard.model.recurrence.nouns import DAY_MINUTES, Calendar, Every

_A_WEEK = 7
_MONDAY = date(2026, 11, 30)  #: any
KEPT_MAX = 4096  #: days of zones
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_SECOND_MICROS = 1_000_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DAY_SECONDS = DAY_MINUTES * 60


def rate(timing: Timing) -> float:
    """How many instants a day has at most, windows and dates aside."""
    recurrence = timing.table.recurrence
    if isinstance(recurrence, Calendar):
        return float(len(recurrence.times))
    return _DAY_SECONDS / recurrence.seconds


def seconds_between(timing: Timing, begin: datetime, end: datetime) -> list[int]:
    """The instants after `begin` and before `end`, ascending."""
    first = to_micros(begin) // _SECOND_MICROS + 1
    if timing.start_at is not None:
        first = max(first, _ceil(timing.start_at))
    last = _ceil(end if timing.end_at is None else min(end, timing.end_at))
    if last <= first:
        return []
    recurrence = timing.table.recurrence
    if isinstance(recurrence, Every):
        return _periods(timing, recurrence, first, last)
    return _days(timing, recurrence, first, last)


def open_times(timing: Timing, weekday: int, times: Sequence[int]) -> list[int]:
    """The times of a day of the week (Monday is 0) that are in a window."""
    if not timing.windows:
        return list(times)
    midnight = datetime.combine(_MONDAY + weekday * _DAY, time())
    shown = ((minutes, midnight + minutes * _MINUTE) for minutes in times)
    return [at for at, local in shown if any(window.has(local) for window in timing.windows)]


def at_second(second: int) -> datetime:
    """The instant that is so many seconds after 1970."""
    return datetime.fromtimestamp(second, UTC)


def _ceil(at: datetime) -> int:
    return -(-to_micros(at) // _SECOND_MICROS)


def _periods(timing: Timing, every: Every, first: int, last: int) -> list[int]:
    anchor = to_micros(timing.table.anchor) // _SECOND_MICROS
    found: Iterable[int] = range(first + (anchor - first) % every.seconds, last, every.seconds)
    if timing.windows:
        found = (second for second in found if _is_open(timing, second))
    return list(found)


def _days(timing: Timing, calendar: Calendar, first: int, last: int) -> list[int]:
    zone = timing.table.zone
    day = local_of(at_second(first), zone).date() - _DAY
    final = local_of(at_second(last), zone).date() + _DAY
    times = [open_times(timing, weekday, calendar.times) for weekday in range(_A_WEEK)]
    found: list[int] = []
    is_sorted = True
    while day <= final:
        if calendar.days.has(day):
            ahead = _ahead(zone, day.toordinal())
            if ahead is None:
                found += _changing(timing, calendar, day)
                is_sorted = False
            else:
                start = (day.toordinal() - _EPOCH_DAY) * _DAY_SECONDS - ahead
                found += [start + minutes * 60 for minutes in times[day.weekday()]]
        day += _DAY
    if not is_sorted:
        found = sorted(set(found))
    return [second for second in found if first <= second < last]


@lru_cache(maxsize=KEPT_MAX)
def _ahead(zone: tzinfo, ordinal: int) -> int | None:
    """How far clocks are ahead of UTC all of a day, in seconds; None when they change on it."""
    midnight = datetime.combine(date.fromordinal(ordinal), time())
    ahead = {*offsets(midnight, zone), *offsets(midnight + _DAY, zone)}
    return None if len(ahead) > 1 else int(ahead.pop().total_seconds())


def _changing(timing: Timing, calendar: Calendar, day: date) -> Iterator[int]:
    table = timing.table
    midnight = datetime.combine(day, time())
    for minutes in calendar.times:
        local = midnight + minutes * _MINUTE
        for instant in instants_of(local, table.zone, table.gap, table.overlap):
            second = _ceil(instant)
            if not timing.windows or _is_open(timing, second):
                yield second


def _is_open(timing: Timing, second: int) -> bool:
    local = local_of(at_second(second), timing.table.zone)
    return any(window.has(local) for window in timing.windows)
