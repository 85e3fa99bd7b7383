"""Schedules as texts: what Cloud Scheduler takes means what it means there; the rest is refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.model.recurrence.nouns import Calendar, Days, Every, NotARecurrence
from runyard.model.recurrence.reading import NICKNAMES, read


def calendar(text: str) -> Calendar:
    found = read(text)
    assert isinstance(found, Calendar)
    return found


def days_of(text: str, year: int = 2026) -> list[str]:
    first, days = date(year, 1, 1), calendar(text).days
    every = (first + timedelta(days=number) for number in range(365))
    return [f"{day:%m-%d}" for day in every if days.has(day)]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("30 2 * * *", [150]),
        ("0 9-17/4 * * *", [540, 780, 1020]),
        ("0,30 1,2 * * *", [60, 90, 120, 150]),
        ("*/20 0 * * *", [0, 20, 40]),
        ("5-15/5 23 * * *", [1385, 1390, 1395]),
        ("0 */12 * * *", [0, 720]),
        ("every day 09:05", [545]),
        ("every 6 hours from 6:00 to 19:00", [360, 720, 1080]),
        ("every 8 hours synchronized", [0, 480, 960]),
        ("every 720 minutes on mon", [0, 720]),
    ],
)
def test_times_of_day(text: str, times: list[int]) -> None:
    assert list(calendar(text).times) == times


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("0 0 1 1 *", ["01-01"]),
        ("0 0 13 2 FRI", ["02-06", "02-13", "02-20", "02-27"]),  # either
        ("0 0 */14 2 mon", []),  # both: the 1st and the 15th of February 2026 are Sundays
        ("0 0 */15 3 mon", ["03-16"]),
        ("0 0 * jan-feb 6-7", [f"01-{d:02d}" for d in (3, 4, 10, 11, 17, 18, 24, 25, 31)]
         + [f"02-{d:02d}" for d in (1, 7, 8, 14, 15, 21, 22, 28)]),
        ("1st friday of quarter 9:00", ["01-02", "04-03", "07-03", "10-02"]),
        ("first sunday of month 12:00", ["01-04", "02-01", "03-01", "04-05", "05-03", "06-07",
                                         "07-05", "08-02", "09-06", "10-04", "11-01", "12-06"]),
        ("2nd,3rd tue,thursday of feb 13:50", ["02-10", "02-12", "02-17", "02-19"]),
        ("every wed of december 00:00", ["12-02", "12-09", "12-16", "12-23", "12-30"]),
        ("03 of month 12:34", [f"{month:02d}-03" for month in range(1, 13)]),
        ("1, 29 of feb,jul 12:34", ["02-01", "07-01", "07-29"]),
        ("second,4th tue of 3rd month of quarter 18:30", ["03-10", "03-24", "06-09", "06-23",
                                                          "09-08", "09-22", "12-08", "12-22"]),
        ("fifth thurs of january 1:00", ["01-29"]),
    ],
)  # fmt: skip
def test_days_of_2026(text: str, days: list[str]) -> None:
    assert days_of(text) == days


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("every 15m", 900),
        ("every 1h30m", 5400),
        ("Every 10S", 10),
        ("every 5 minutes", 300),
        ("every minute", 60),
        ("every 48 hours", 172_800),
        ("every 3 mins", 180),
    ],
)
def test_periods(text: str, seconds: int) -> None:
    assert read(text) == Every(seconds)


def test_nicknames_are_the_crontabs() -> None:
    assert read("@daily") == read("0 0 * * *")
    assert read("@Weekly") == read("0 0 * * 0")
    assert all(isinstance(read(name), Calendar) for name in NICKNAMES)


@pytest.mark.parametrize(
    ("text", "by_clock"),
    [
        ("0 9 * * *", True),
        ("0,15,30,45 9 * * *", True),
        ("*/15 9 * * *", False),
        ("0 * * * *", False),
        ("every day 9:00", True),
        ("every 5 minutes from 1:00 to 2:00", False),
    ],
)
def test_what_is_meant_for_a_clock_is_told_from_what_recurs(text: str, by_clock: bool) -> None:
    assert calendar(text).by_clock is by_clock


@pytest.mark.parametrize(
    ("text", "part", "words"),
    [
        ("* * * *", "* * * *", "not 4"),
        ("0 9 * * * *", "0 9 * * * *", "not 6"),
        ("60 * * * *", "60", "a minute from 0 to 59"),
        ("* 24 * * *", "24", "an hour from 0 to 23"),
        ("* * 0 * *", "0", "a day of the month from 1 to 31"),
        ("* * * foo *", "foo", "a month from 1 to 12 or JAN to DEC"),
        ("* * * * 8", "8", "a weekday from 0 to 7 or SUN to SAT"),
        ("*/60 * * * *", "*/60", "a step from 1 to 59"),
        ("*/0 * * * *", "*/0", "a step from 1 to 59"),
        ("*/x * * * *", "*/x", "a whole number as step"),
        ("5/3 * * * *", "5/3", "write 5-59/3"),
        ("5-3 * * * *", "5-3", "write two ranges"),
        ("5-5 * * * *", "5-5", "ascends"),
        ("* * * * FRI-SUN", "FRI-SUN", "FRI,SAT,SUN"),
        ("*-5 * * * *", "*-5", "a minute"),
        ("1,,2 * * * *", "", "a minute"),
        ("* * L * *", "L", "has no L, W, # and ?"),
        ("* * 15W * *", "15W", "has no L, W, # and ?"),
        ("* * * * mon#1", "mon#1", "1st monday of month"),
        ("* * ? * *", "?", "has no L, W, # and ?"),
        ("\u0664 * * * *", "\u0664", "a minute"),
        ("0 0 30 2 *", "30 2", "a day that some year has"),
        ("0 0 31 4,6,9,11 *", "31 4,6,9,11", "a day that some year has"),
        ("@reboot", "@reboot", "@daily"),
        ("every 0m", "0m", "from 1s to 8784h"),
        ("every 9999h", "9999h", "from 1s to 8784h"),
        ("every 5s5m", "5s5m", "largest unit first"),
        ("every 0 minutes", "every 0 minutes", "1 minute"),
        ("every 7 minutes synchronized", "every 7 minutes synchronized", "divides a day"),
        ("every 5 minutes from 9:00 to 8:00", "from 9:00 to 8:00", "ascend"),
        ("every 90 fortnights", "every 90 fortnights", "every day 09:00"),
        ("1st fryday of month 9:00", "fryday", "a weekday"),
        ("6th friday of month 9:00", "6th", "an ordinal"),
        ("4th month of quarter 9:00", "month", "a weekday"),
        ("1st mon of 4th month of quarter 9:00", "4th", "the first, 2nd or 3rd month"),
        ("mon 9:00", "mon", "an ordinal"),
        ("1,32 of month 9:00", "32", "1 to 31"),
        ("1,,3 of month 9:00", "", "1 to 31"),
        ("1 mon of month 9:00", "1 mon of month 9:00", "first mon of month"),
        ("31 of feb 9:00", "31 of feb", "a day that some year has"),
        ("1 of brumaire 9:00", "brumaire", "a month such as jan"),
        ("every day 24:00", "24:00", "a time of day"),
        ("every day 9:60", "9:60", "a time of day"),
        ("", "", "1 to 500 characters"),
        ("0 " * 300, "0 0 0 0 0 0 0 0 0 0 ", "1 to 500 characters"),
    ],
)  # fmt: skip
def test_what_is_no_schedule_is_refused_with_its_part(text: str, part: str, words: str) -> None:
    with pytest.raises(NotARecurrence) as caught:
        read(text)
    assert caught.value.part == part
    assert words in f"{caught.value.expected} ({caught.value.hint})"
    assert part in str(caught.value) or repr(part) in str(caught.value)


@given(st.text(max_size=60))
def test_no_text_is_more_than_refused(text: str) -> None:
    with suppress(NotARecurrence):
        assert read(text) == read(f" {text} ")


_FIELD = st.sampled_from(["*", "*/2", "1", "3-5", "1-7/3", "2,4"])


@given(st.lists(_FIELD, min_size=5, max_size=5))
def test_cron_means_what_its_fields_say(fields: list[str]) -> None:
    """Held against a reading of each field of its own, one number at a time."""
    meant = calendar(" ".join(fields))
    minutes, hours, month_days, months, weekdays = fields
    for minute in range(24 * 60):
        fits = _fits(minutes, minute % 60, 0, 59) and _fits(hours, minute // 60, 0, 23)
        assert (minute in meant.times) is fits
    for number in range(0, 366, 5):
        day = date(2024, 1, 1) + timedelta(days=number)
        of_month = _fits(month_days, day.day, 1, 31)
        weekday = day.isoweekday() % 7
        of_week = _fits(weekdays, weekday, 0, 7) or (not weekday and _fits(weekdays, 7, 0, 7))
        star = month_days.startswith("*") or weekdays.startswith("*")
        fits = of_month and of_week if star else of_month or of_week
        assert meant.days.has(day) is (fits and _fits(months, day.month, 1, 12))


def _fits(field: str, number: int, least: int, greatest: int) -> bool:
    if "," in field:
        return any(_fits(part, number, least, greatest) for part in field.split(","))
    span, _, step = field.partition("/")
    first, _, last = span.partition("-")
    low = least if span == "*" else int(first)
    high = greatest if span == "*" else int(last or first)
    return low <= number <= high and (number - low) % int(step or 1) == 0


def test_days_that_never_come_are_known() -> None:
    assert Days(months=frozenset({2}), month_days=frozenset({29})).ever
    assert not Days(months=frozenset({2}), month_days=frozenset({30})).ever
    assert Days(months=frozenset({2}), month_days=frozenset({30}), either=True).ever
