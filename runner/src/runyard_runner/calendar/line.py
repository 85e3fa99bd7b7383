"""A cron line as Cloud Scheduler takes it: five fields, no seconds, no macros, no L, W, # or ?.

Rule 1  what Scheduler would refuse is refused here, with the field and what it may hold.
Rule 2  day of month and day of week: both given means either, one of them `*` means the other.
Rule 3  a line that runs on no day of any year (31 February) is refused.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from runyard_runner.calendar.faults import ScheduleError

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FORMS_HINT = (
    "five fields (minute hour day-of-month month day-of-week) such as `0 9 * * 1-5`, "
    "or words such as `weekdays 9:00` or `every day 09:00`"
)
_PART = re.compile(r"(?P<first>\*|[0-9A-Za-z]+)(?:-(?P<last>[0-9A-Za-z]+))?(?:/(?P<step>[0-9]+))?")
_LEAP_YEAR = 2028


@dataclass(frozen=True, slots=True)
class Field:
    """One of the five: its name and what it may hold."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()

    @property
    def every(self) -> frozenset[int]:
        """All that it may hold (Sunday once)."""
        return frozenset(range(self.least, self.most + (self.name != "day-of-week")))

    @property
    def expected(self) -> str:
        """What it may hold, in words."""
        words = f" or {self.names[0]}-{self.names[-1]}" if self.names else ""
        return f"{self.least}-{self.most}{words}, as *, a list, a range, or either with a /step"


MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY = Field("day-of-month", 1, 31)
MONTH = Field("month", 1, 12, MONTHS)
WEEKDAY = Field("day-of-week", 0, 7, WEEKDAYS)
FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)


@dataclass(frozen=True, slots=True)
class Line:
    """When a schedule runs: by the clock of its zone. `None` for days: no matter which."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None = None
    months: frozenset[int] | None = None
    weekdays: frozenset[int] | None = None  #: 0 is Sunday

    def __str__(self) -> str:
        """The line in its shortest usual form."""
        parts = (self.minutes, self.hours, self.days, self.months, self.weekdays)
        return " ".join(
            "*" if part is None else _written(field, part)
            for field, part in zip(FIELDS, parts, strict=True)
        )

    def runs_on(self, day: date) -> bool:
        """True when it runs on `day`."""
        if self.months is not None and day.month not in self.months:
            return False
        by_day = self.days is not None and day.day in self.days
        by_weekday = self.weekdays is not None and day.isoweekday() % 7 in self.weekdays
        if self.days is None or self.weekdays is None:
            return (self.days is None or by_day) and (self.weekdays is None or by_weekday)
        return by_day or by_weekday


def _written(field: Field, numbers: frozenset[int]) -> str:
    if numbers == field.every:
        return "*"
    ordered = sorted(numbers)
    step = ordered[1] - ordered[0] if len(ordered) > 2 else 0
    if step > 1 and numbers == frozenset(range(field.least, max(field.every) + 1, step)):
        # A `*` in a field of days would be no word about days to some readers.
        return (
            f"{field.least}-{max(field.every)}/{step}" if field in (DAY, WEEKDAY) else f"*/{step}"
        )
    return ",".join(_ranges(ordered))


def _ranges(ordered: list[int]) -> Iterable[str]:
    first = last = ordered[0]
    for number in [*ordered[1:], -1]:
        if number == last + 1:
            last = number
            continue
        if last > first + 1:
            yield f"{first}-{last}"
        else:
            yield from (str(each) for each in range(first, last + 1))
        first = last = number


def parse(text: str) -> Line:
    """The line that `text` is. Raises ScheduleError."""
    words = text.split()
    if len(words) != len(FIELDS):
        raise ScheduleError("schedule", text, "five fields", f"write {FORMS_HINT}")
    for mine, other in ((2, 4), (4, 2)):
        if words[mine].startswith("*/") and words[other] != "*":
            field, hint = FIELDS[mine], "readers differ on what it means here: write it as a range"
            raise ScheduleError(field.name, words[mine], "no `*` beside the other days", hint)
    minutes, hours, days, months, weekdays = (
        _numbers(field, word) for field, word in zip(FIELDS, words, strict=True)
    )
    line = Line(
        minutes,
        hours,
        None if words[2] == "*" else days,
        None if months == MONTH.every else months,
        None if words[4] == "*" else frozenset(day % 7 for day in weekdays),
    )
    return possible(line, text)


def possible(line: Line, text: str) -> Line:
    """`line`, which says `text`. Raises ScheduleError when it never runs."""
    longest = max(monthrange(_LEAP_YEAR, month)[1] for month in line.months or MONTH.every)
    if line.days is not None and line.weekdays is None and min(line.days) > longest:
        expected = f"a day that a month of it has, at most {longest}"
        raise ScheduleError("day-of-month", text, expected, "it would never run: choose another")
    return line


def _numbers(field: Field, text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise _refused(field, text)
        found.update(_span(field, text, match))
    return frozenset(found)


def _span(field: Field, text: str, match: re.Match[str]) -> range:
    first, last, step = match["first"], match["last"], match["step"]
    if first == "*":
        low, high, is_one = field.least, max(field.every), False
        is_wrong = last is not None
    else:
        low = _number(field, text, first)
        high = low if last is None else _number(field, text, last)
        is_one = last is None
        is_wrong = last is not None and high <= low
    pace = 1 if step is None else int(step)
    # A step wants a range or `*` before it, and may not be larger than the field is.
    if is_wrong or (step is not None and is_one) or not 1 <= pace <= field.most:
        raise _refused(field, text)
    return range(low, high + 1, pace)


def _number(field: Field, text: str, word: str) -> int:
    if word.isdecimal():
        number = int(word) if len(word) <= 2 else field.most + 1
    elif word.upper() in field.names:
        number = field.names.index(word.upper()) + field.least
    else:
        raise _refused(field, text)
    if not field.least <= number <= field.most:
        raise _refused(field, text)
    return number


def _refused(field: Field, text: str) -> ScheduleError:
    return ScheduleError(field.name, text, field.expected, f"write {FORMS_HINT}")
