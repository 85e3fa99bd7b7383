"""Schedules in words: people's (`weekdays 9:00`) and Cloud Scheduler's English (`every day 09:00`).

Only what one cron line says without doubt is taken. Scheduler's English can say more (the first
Friday of a month, a quarter, every 7 minutes): that is refused, and the hint says that Scheduler
takes the text itself.
"""

from __future__ import annotations

import re

from runyard_runner.calendar.faults import ScheduleError
from runyard_runner.calendar.line import (
    DAY,
    FORMS_HINT,
    HOUR,
    MINUTE,
    MONTHS,
    WEEKDAYS,
    Line,
    parse,
    possible,
)

_AS_IT_IS = "Cloud Scheduler may take the text as it is (--schedule), no cron line says it"
_CLOCK = re.compile(r"(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{2}))?(?P<half>am|pm)?")
_EVERY_N = re.compile(
    r"every (?:(?P<count>[0-9]{1,6}) )?(?P<unit>minutes?|mins?|hours?)(?P<rest>.*)"
)
_DAYS_OF_MONTH = re.compile(r"(?P<days>[0-9]{1,2}(?:st|nd|rd|th)?(?:,[0-9]{1,2}(?:st|nd|rd|th)?)*)")
_FIVE_FIELDS = re.compile(r"[0-9][0-9,/-]*(?: [^ :]+){4}")
_GROUPS = {
    "day": None,
    "daily": None,
    "weekday": frozenset(range(1, 6)),
    "weekend": frozenset({0, 6}),
}
_FULL_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_FULL_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)


def understand(text: str) -> Line:
    """The line that `text`, a cron line or words, says. Raises ScheduleError."""
    words = " ".join(text.lower().replace(" ,", ",").replace(", ", ",").split())
    if "*" in words or _FIVE_FIELDS.fullmatch(words):
        return parse(text)
    if interval := _EVERY_N.fullmatch(words):
        return _interval(text, interval)
    return _by_the_clock(text, words)


def _interval(text: str, match: re.Match[str]) -> Line:
    rest = match["rest"].removesuffix(" synchronized")
    count = int(match["count"] or 1)
    minutes = count * 60 if match["unit"].startswith("h") else count
    weekdays = None
    if rest:
        if not rest.startswith(" on "):
            raise _unclear(text, "nothing, or `on` and days, after the interval", _AS_IT_IS)
        weekdays = _weekdays(text, rest.removeprefix(" on "))
    if 0 < minutes < 60 and 60 % minutes == 0:
        return Line(frozenset(range(0, 60, minutes)), HOUR.every, weekdays=weekdays)
    hours, odd = divmod(minutes, 60)
    if hours and not odd and 24 % hours == 0:
        return Line(frozenset({0}), frozenset(range(0, 24, hours)), weekdays=weekdays)
    raise _unclear(text, "an interval that divides an hour or a day", _AS_IT_IS)


def _by_the_clock(text: str, words: str) -> Line:
    days, _, clock = words.rpartition(" ")
    if clock in ("am", "pm"):  # `9 am`
        days, _, hour = days.rpartition(" ")
        clock = hour + clock
    hour_minute = _clock(text, clock)
    days = days.removesuffix(" at")
    if " from " in f" {days} ":
        raise _unclear(text, "a time of day", "`from … to` is App Engine's: write the cron line")
    which, _, months = days.partition(" of ")
    return possible(_dated(text, which, months, *hour_minute), text)


def _dated(text: str, which: str, months: str, hour: int, minute: int) -> Line:
    at = (frozenset({minute}), frozenset({hour}))
    month_set = _months(text, months)
    if match := _DAYS_OF_MONTH.fullmatch(which):
        if not months:
            raise _unclear(text, "`of month`, or months, after days of a month", FORMS_HINT)
        return Line(*at, days=_days(text, match["days"]), months=month_set)
    return Line(*at, months=month_set, weekdays=_weekdays(text, which.removeprefix("every ")))


def _clock(text: str, clock: str) -> tuple[int, int]:
    match = _CLOCK.fullmatch(clock)
    if match is None or not (match["minute"] or match["half"]):
        raise _unclear(text, "a time such as 9:00, 17:30 or 9am at its end", f"write {FORMS_HINT}")
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            raise _unclear(text, "1-12 before am or pm", "write a time of 24 hours, such as 17:30")
        hour = hour % 12 + (12 if match["half"] == "pm" else 0)
    if hour not in HOUR.every or minute not in MINUTE.every:
        raise _unclear(text, "a time from 0:00 to 23:59", "write a time such as 9:00 or 17:30")
    return hour, minute


def _weekdays(text: str, which: str) -> frozenset[int] | None:
    single = which.removesuffix("s") if which not in WEEKDAYS else which
    if single in _GROUPS:
        return _GROUPS[single]
    found = set()
    for word in which.split(","):
        number = _index(word.removesuffix("s"), _FULL_DAYS, WEEKDAYS)
        number = _index(word, _FULL_DAYS, WEEKDAYS) if number is None else number
        if number is None:
            expected = "days: day, weekdays, weekends, or names such as mon,wed,friday"
            raise _unclear(text, expected, f"{_AS_IT_IS}; else write {FORMS_HINT}")
        found.add(number)
    return frozenset(found)


def _months(text: str, which: str) -> frozenset[int] | None:
    if which in ("", "month"):
        return None
    found = set()
    for word in which.split(","):
        number = _index(word, _FULL_MONTHS, MONTHS)
        if number is None:
            raise _unclear(text, "`month`, or names such as jan,july, after `of`", _AS_IT_IS)
        found.add(number + 1)
    return frozenset(found)


def _days(text: str, which: str) -> frozenset[int]:
    days = frozenset(int(re.sub(r"\D", "", word)) for word in which.split(","))
    if not days <= DAY.every:
        raise _unclear(text, "days of a month, 1-31", f"write {FORMS_HINT}")
    return days


def _index(word: str, full: tuple[str, ...], short: tuple[str, ...]) -> int | None:
    """Which of the names `word` is: written out, or its first letters (three at least)."""
    for number, (long, three) in enumerate(zip(full, short, strict=True)):
        if word == long or (word.startswith(three.lower()) and long.startswith(word)):
            return number
    return None


def _unclear(text: str, expected: str, hint: str) -> ScheduleError:
    return ScheduleError("schedule", text, expected, hint)
