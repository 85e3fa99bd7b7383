"""Five cron fields, exactly as Cloud Scheduler takes them.

https://cloud.google.com/scheduler/docs/configuring/cron-job-schedules (2026-04-08): minute, hour,
day of the month, month, weekday; lists, ascending ranges, steps on `*` or on a range, names of
three letters, 7 for Sunday. Two restricted day fields mean either of them; one that begins with
`*` only narrows the other. What other crons take besides (`L`, `W`, `#`, `?`, seconds) is refused
here, since it would be refused there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from runyard.model.recurrence.nouns import Calendar, Days, NotARecurrence

FIELDS_EXPECTED = "five cron fields: minute, hour, day of the month, month, weekday"
_PART = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\w+))?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DIGITS_MAX = 4  #: no number of a field has more than two; no text grows without bound


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the five: its least and greatest number, and its names, the first being `least`."""

    name: str
    least: int
    greatest: int
    names: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """What may stand in it."""
        named = f" or {self.names[0].upper()} to {self.names[-1].upper()}" if self.names else ""
        return f"{self.name} from {self.least} to {self.greatest}{named}"


_FIELDS = (
    _Field("a minute", 0, 59),
    _Field("an hour", 0, 23),
    _Field("a day of the month", 1, 31),
    _Field("a month", 1, 12, _MONTHS),
    _Field("a weekday", 0, 7, _WEEKDAYS),
)


def read_cron(text: str) -> Calendar:
    """The calendar that five cron fields mean. Raises NotARecurrence with the part at fault."""
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise NotARecurrence(text, f"{FIELDS_EXPECTED}, not {len(fields)}")
    minutes, hours, month_days, months, weekdays = (
        _numbers(field, given) for field, given in zip(_FIELDS, fields, strict=True)
    )
    days = Days(
        months=months,
        month_days=month_days,
        weekdays=frozenset(day % 7 for day in weekdays),
        either=not (fields[2].startswith("*") or fields[4].startswith("*")),
    )
    if not days.ever:
        raise NotARecurrence(f"{fields[2]} {fields[3]}", "a day that some year has")
    times = tuple(sorted(60 * hour + minute for hour in hours for minute in minutes))
    by_clock = not (fields[0].startswith("*") or fields[1].startswith("*"))
    return Calendar(days, times, by_clock)


def _numbers(field: _Field, text: str) -> frozenset[int]:
    return frozenset(number for part in text.split(",") for number in _part(field, part))


def _part(field: _Field, text: str) -> range:
    match = _PART.fullmatch(text)
    if match is None or (match["first"] == "*" and match["last"]):
        raise NotARecurrence(text, field.expected, _elsewhere(text))
    if match["first"] == "*":
        first, last = field.least, field.greatest
    else:
        first = _number(field, match["first"], text)
        last = _number(field, match["last"], text) if match["last"] else first
        _ascends(field, first, last, match["last"], text)
    return range(first, last + 1, _step(field, match, text))


def _number(field: _Field, word: str, part: str) -> int:
    if word.lower() in field.names:
        return field.least + field.names.index(word.lower())
    if not (word.isascii() and word.isdigit() and len(word) <= _DIGITS_MAX):
        raise NotARecurrence(part, field.expected, _elsewhere(part))
    if not field.least <= int(word) <= field.greatest:
        raise NotARecurrence(part, field.expected)
    return int(word)


def _ascends(field: _Field, first: int, last: int, word: str | None, part: str) -> None:
    if word is None or first < last:
        return
    hint = "write a list instead, such as FRI,SAT,SUN" if field.names else "write two ranges"
    raise NotARecurrence(part, "a range that ascends", hint)


def _step(field: _Field, match: re.Match[str], part: str) -> int:
    word = match["step"]
    if word is None:
        return 1
    if match["first"] != "*" and match["last"] is None:
        hint = f"write {match['first']}-{field.greatest}/{word}"
        raise NotARecurrence(part, "a step on * or on a range", hint)
    if not (word.isascii() and word.isdigit() and len(word) <= _DIGITS_MAX):
        raise NotARecurrence(part, "a whole number as step")
    if not 1 <= int(word) <= field.greatest:
        raise NotARecurrence(part, f"a step from 1 to {field.greatest}")
    return int(word)


def _elsewhere(part: str) -> str:
    """A hint for what other crons take."""
    if re.fullmatch(r"\w*[#?]\w*|\d*[LW]|LW", part, re.IGNORECASE):
        return "Cloud Scheduler has no L, W, # and ?; English has some: `1st monday of month 9:00`"
    return ""
