"""How near two times of a recurrence come, and which parts of a week or a year they reach.

As clocks on a wall show them: what a change of clocks does to two times is left aside.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

from runyard.model.recurrence.nouns import (
    DAY_MINUTES,
    LONGEST,
    WEEKDAYS,
    Calendar,
    Days,
    Recurrence,
)

KEPT_MAX = 1024  #: recurrences
_SHORTEST = (LONGEST[0], 28, *LONGEST[2:])  #: days of each month, at least
_DAY = timedelta(days=1)
_A_YEAR = tuple(date(2028, 1, 1) + number * _DAY for number in range(366 + 31))
"""A leap year and a month: whatever days follow each other do so in it."""

Span = tuple[frozenset[int], int, int]
"""Weekdays, and minutes since midnight from when until when; an end that is not after the
beginning is the next day's."""


@lru_cache(maxsize=KEPT_MAX)
def shortest_seconds(recurrence: Recurrence) -> int:
    """The shortest time between two of its times; where no day has two and no two days follow each
    other, what it is longer than."""
    if not isinstance(recurrence, Calendar):
        return recurrence.seconds
    times = recurrence.times
    gaps = [later - earlier for earlier, later in pairwise(times)]
    has = recurrence.days.has
    follow = any(has(one) and has(other) for one, other in pairwise(_A_YEAR))
    overnight = (1 if follow else 2) * DAY_MINUTES - times[-1] + times[0]
    return min([*gaps, overnight]) * 60


def falls_within(calendar: Calendar, spans: Iterable[Span]) -> bool:
    """True when a time of the calendar falls into one of the spans."""
    weekdays = WEEKDAYS if calendar.days.either else calendar.days.weekdays
    return any(
        days & weekdays and _has(calendar.times, begin, end)
        for span in spans
        for days, begin, end in _in_days(span)
    )


def passed_over(days: Days) -> list[int]:
    """The months that have none of the days, some or all years; none where there is one month
    only, since then it is meant."""
    if days.either or len(days.months) == 1:
        return []
    first = min(days.month_days)
    return [month for month in sorted(days.months) if first > _SHORTEST[month - 1]]


def _in_days(span: Span) -> list[Span]:
    days, begin, end = span
    if begin < end:
        return [span]
    return [(days, begin, DAY_MINUTES), (frozenset((day + 1) % 7 for day in days), 0, end)]


def _has(times: tuple[int, ...], begin: int, end: int) -> bool:
    place = bisect_left(times, begin)
    return place < len(times) and times[place] < end
