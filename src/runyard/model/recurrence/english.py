"""Cloud Scheduler's schedules in English, which came with App Engine's cron.yaml.

https://cloud.google.com/appengine/docs/legacy/standard/python/config/cronref#schedule_format and
the grammar of its SDK (groc): `every N minutes`, `every day 09:00`, `1st,third mon,wed of month
17:00`, `2nd friday of quarter 9:00`, `1,15 of jan,jul 12:34`, `first mon of 2nd month of quarter
9:00`. One thing differs, since nothing here waits for an end: `every 5 minutes` counts from start
to start, as Cloud Scheduler's own `synchronized` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from runyard.model.recurrence.nouns import (
    DAY_MINUTES,
    MONTH_DAYS,
    MONTHS,
    ORDINALS,
    WEEKDAYS,
    Calendar,
    Days,
    Every,
    NotARecurrence,
    Recurrence,
)

EXAMPLES = "such as `every day 09:00`, `every 15 minutes` or `1st friday of quarter 9:00`"
_MINUTES_MAX = 366 * DAY_MINUTES
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_SHORT_ORDINALS = ("1st", "2nd", "3rd", "4th", "5th")
_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = (
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
_ALSO = {"tues": 2, "wednes": 3, "thur": 4, "thurs": 4}
_CLOCK = r"(?P<{0}>\d{{1,2}}:\d{{2}})"
_PERIOD = re.compile(
    r"every (?:(?P<count>\d{1,7}) )?(?P<unit>minutes?|mins?|hours?)"
    r"(?: on (?P<on>[a-z,]+))?"
    rf"(?: from {_CLOCK.format('begin')} to {_CLOCK.format('end')})?"
    r"(?P<whole> synchronized)?"
)
_SPECIFIC = re.compile(
    r"(?P<which>[a-z0-9,]+)(?: (?P<weekdays>[a-z,]+))??"
    r"(?: of (?P<of>month|quarter|[a-z0-9,]+ month of quarter|[a-z,]+))?"
    rf" {_CLOCK.format('at')}"
)


def read_english(text: str) -> Recurrence:
    """What a schedule in English means. Raises NotARecurrence with the part at fault."""
    words = re.sub(r"\s*,\s*", ",", " ".join(text.lower().split()))
    if match := _PERIOD.fullmatch(words):
        return _period(match)
    if match := _SPECIFIC.fullmatch(words):
        return _specific(match)
    raise NotARecurrence(text, f"a schedule {EXAMPLES}")


def _period(match: re.Match[str]) -> Recurrence:
    count = int(match["count"] or 1)
    minutes = count * (60 if match["unit"].startswith("h") else 1)
    if not 1 <= minutes <= _MINUTES_MAX:
        raise NotARecurrence(match[0], "a period from 1 minute to 366 days")
    days = Days(weekdays=_weekdays(match["on"]) if match["on"] else WEEKDAYS)
    if match["begin"]:
        begin, end = _clock(match["begin"]), _clock(match["end"])
        if begin > end:
            raise NotARecurrence(f"from {match['begin']} to {match['end']}", "times that ascend")
        return Calendar(days, tuple(range(begin, end + 1, minutes)), by_clock=False)
    if match["on"] or match["whole"]:
        if DAY_MINUTES % minutes:
            raise NotARecurrence(match[0], "a period that divides a day, such as 15 minutes")
        return Calendar(days, tuple(range(0, DAY_MINUTES, minutes)), by_clock=False)
    return Every(minutes * 60)


def _specific(match: re.Match[str]) -> Calendar:
    which, weekdays, of = match["which"], match["weekdays"], match["of"]
    months = _months(of)
    if which[0].isdigit() and which.replace(",", "").isdigit():
        if weekdays or of is None:
            hint = "write `1,15 of month 9:00`, or `first mon of month 9:00`"
            raise NotARecurrence(match[0], "days of the month with `of` and months", hint)
        days = Days(months=months, month_days=_month_days(which))
    else:
        ordinals = ORDINALS if which == "every" else _ordinals(which.split(","))
        days = Days(months=months, ordinals=ordinals, weekdays=_weekdays(weekdays or ""))
    if not days.ever:
        raise NotARecurrence(f"{which} of {of}", "a day that some year has")
    return Calendar(days, (_clock(match["at"]),))


def _months(of: str | None) -> frozenset[int]:
    if of is None or of == "month":
        return MONTHS
    if of == "quarter":
        return frozenset((1, 4, 7, 10))
    if of.endswith(" month of quarter"):
        places = _ordinals(of.split(" ", 1)[0].split(","), "the first, 2nd or 3rd month", 3)
        return frozenset(3 * quarter + place for quarter in range(4) for place in places)
    return frozenset(_named(word, _MONTHS, {}, "a month such as jan") + 1 for word in of.split(","))


def _weekdays(text: str) -> frozenset[int]:
    if text == "day":
        return WEEKDAYS
    words = text.split(",")
    return frozenset(
        _named(word, _WEEKDAYS, _ALSO, "a weekday such as mon, or `day`") for word in words
    )


def _named(word: str, names: tuple[str, ...], also: dict[str, int], expected: str) -> int:
    for number, name in enumerate(names):
        if word in (name, name[:3]):
            return number
    if word in also:
        return also[word]
    raise NotARecurrence(word, expected)


def _ordinals(
    words: Iterable[str], expected: str = "an ordinal such as first or 2nd", most: int = 5
) -> frozenset[int]:
    found = set()
    for word in words:
        names = _ORDINALS if word in _ORDINALS else _SHORT_ORDINALS
        if word not in names[:most]:
            raise NotARecurrence(word, expected)
        found.add(names.index(word) + 1)
    return frozenset(found)


def _month_days(text: str) -> frozenset[int]:
    for word in text.split(","):
        if not word or len(word) > 2 or int(word) not in MONTH_DAYS:
            raise NotARecurrence(word, "a day of the month from 1 to 31")
    return frozenset(int(word) for word in text.split(","))


def _clock(text: str) -> int:
    hours, minutes = (int(part) for part in text.split(":"))
    if hours > 23 or minutes > 59:
        raise NotARecurrence(text, "a time of day from 00:00 to 23:59")
    return hours * 60 + minutes
