"""The lines in UTC that run when a line runs by a clock with a fixed offset.

Rule 1  one line may need several in UTC: some of its hours fall on the day before or after.
Rule 2  where a month's last days are moved into another month, no line says it: nothing is told.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from runyard_runner.calendar.line import Line

_DAY_MINUTES = 24 * 60
#: A day of month can be moved by one where every month has both days.
_MOVABLE = {1: range(1, 28), -1: range(2, 29), 0: range(1, 32)}


@dataclass(frozen=True, slots=True, order=True)
class _Part:
    """Hours and minutes of a line that stand on the same day in UTC."""

    days_later: int
    hours: tuple[int, ...]
    minutes: tuple[int, ...]


def in_utc(line: Line, offset: timedelta) -> tuple[Line, ...]:
    """What `line` is in UTC while the clock is `offset` ahead of it; empty when nothing says it."""
    found = [_moved(line, part) for part in _parts(line, offset)]
    lines = tuple(each for each in found if each is not None)
    return lines if len(lines) == len(found) else ()


def _parts(line: Line, offset: timedelta) -> list[_Part]:
    """The moved times, as few products of hours and minutes as need be."""
    ahead = offset // timedelta(minutes=1)
    is_any_day = line.days is None and line.months is None and line.weekdays is None
    hours: dict[tuple[int, int], set[int]] = defaultdict(set)
    for hour in line.hours:
        for minute in line.minutes:
            later, rest = divmod(hour * 60 + minute - ahead, _DAY_MINUTES)
            hours[0 if is_any_day else later, rest % 60].add(rest // 60)
    minutes: dict[tuple[int, tuple[int, ...]], set[int]] = defaultdict(set)
    for (later, minute), of_minute in hours.items():
        minutes[later, tuple(sorted(of_minute))].add(minute)
    return sorted(_Part(later, hrs, tuple(sorted(of))) for (later, hrs), of in minutes.items())


def _moved(line: Line, part: _Part) -> Line | None:
    later = part.days_later
    days, weekdays = line.days, line.weekdays
    if later:
        # Only days that are named within a month can move and stay in it.
        if line.months is not None and (days is None or weekdays is not None):
            return None
        if days is not None:
            if not days <= set(_MOVABLE[later]):
                return None
            days = frozenset(day + later for day in days)
        if weekdays is not None:
            weekdays = frozenset((day + later) % 7 for day in weekdays)
    return Line(frozenset(part.minutes), frozenset(part.hours), days, line.months, weekdays)
