"""All instants of a stretch of time at once are those that come one after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.schedule.instants import Timetable
from runyard.flow.schedule.ranges import at_second, rate, seconds_between
from runyard.flow.schedule.timing import Timing, Window
from runyard.model.recurrence.nouns import Dst, Gap, Overlap
from runyard.model.recurrence.reading import read

ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo",
    "Asia/Kolkata", "Pacific/Apia", "America/Havana",
)  # fmt: skip
TEXTS = (
    "30 2 * * *", "*/15 * * * *", "0 0 * * 1-5", "5 1,2,3 * * *", "0 9 1 * *", "@hourly",
    "1st monday of month 9:00", "every 7m", "every 90s", "0 0 31 * 0",
)  # fmt: skip
OFFICE = Window(8 * 60, 10 * 60, frozenset((1, 2, 3, 4, 5)))
NIGHT = Window(22 * 60, 3 * 60, frozenset((0, 6)))
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


def timing(text: str, zone: str = "UTC", **rest: Any) -> Timing:
    dst = rest.pop("dst", Dst())
    anchor = rest.get("start_at") or BEGIN + timedelta(seconds=17)
    return Timing(Timetable(read(text), ZoneInfo(zone), dst, anchor=anchor), "a/b/c/d", **rest)


def slowly(one: Timing, begin: datetime, end: datetime) -> list[datetime]:
    return list(takewhile(lambda at: at < end, one.instants(begin)))


edges = st.none() | st.integers(0, 400 * 24 * 60).map(lambda each: BEGIN + timedelta(minutes=each))


@given(
    text=st.sampled_from(TEXTS),
    zone=st.sampled_from(ZONES),
    windows=st.sampled_from(((), (OFFICE,), (OFFICE, NIGHT))),
    gap=st.sampled_from((None, *Gap)),
    overlap=st.sampled_from((None, *Overlap)),
    begin_seconds=st.integers(0, 365 * 24 * 3600),
    hours=st.integers(1, 200),
    start_at=edges,
    end_at=edges,
)
def test_they_are_those_that_come_one_after_the_other(
    text: str,
    zone: str,
    windows: tuple[Window, ...],
    gap: Gap | None,
    overlap: Overlap | None,
    begin_seconds: int,
    hours: int,
    start_at: datetime | None,
    end_at: datetime | None,
) -> None:
    one = timing(
        text, zone, windows=windows, dst=Dst(gap, overlap), start_at=start_at, end_at=end_at
    )
    begin = BEGIN + timedelta(seconds=begin_seconds)
    end = begin + timedelta(hours=hours)
    found = [at_second(second) for second in seconds_between(one, begin, end)]
    assert found == slowly(one, begin, end)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("text", TEXTS)
def test_a_year_of_changes_is_told_the_same(text: str, zone: str) -> None:
    one = timing(text, zone)
    for month in (3, 4, 9, 10, 11):  # clocks change in these somewhere
        begin = datetime(2026, month, 1, 0, 0, 0, 500, tzinfo=UTC)
        end = begin + timedelta(days=9)
        found = [at_second(second) for second in seconds_between(one, begin, end)]
        assert found == slowly(one, begin, end)


def test_windows_hold_on_a_day_of_a_change_too() -> None:
    one = timing("30 * * * *", "Europe/Berlin", windows=(Window(60, 180),))
    begin = datetime(2026, 3, 28, 20, tzinfo=UTC)
    found = [at_second(second) for second in seconds_between(one, begin, begin + timedelta(days=1))]
    assert found == slowly(one, begin, begin + timedelta(days=1))
    assert [at.hour for at in found] == [0]  # 02:30 is skipped


@pytest.mark.parametrize("text", ["every 30m", "0,30 * * * *"])
def test_windows_hold_on_the_days_they_name_and_nothing_comes_after_the_end(text: str) -> None:
    days = {1: 5, 2: 6, 5: 2, 7: 4}  # of January: a Monday, a Tuesday, a Friday and a Sunday
    for weekday, day in days.items():
        one = timing(text, windows=(Window(8 * 60, 10 * 60, frozenset((weekday % 7,))),))
        found = [at_second(second) for second in seconds_between(one, BEGIN, BEGIN + WEEK)]
        assert {(at.day, at.hour) for at in found} == {(day, 8), (day, 9)}
        assert (found, len(found)) == (slowly(one, BEGIN, BEGIN + WEEK), 4)
        end = datetime(2026, 1, day, 9, tzinfo=UTC)
        assert len(seconds_between(replace(one, end_at=end), BEGIN, BEGIN + WEEK)) == 2


def test_the_edges_are_outside() -> None:
    at = datetime(2026, 1, 2, 9, tzinfo=UTC)
    one = timing("0 9 * * *")
    assert seconds_between(one, at, at + timedelta(days=1)) == []
    second = timedelta(seconds=1)
    assert len(seconds_between(one, at - second, at + timedelta(days=1) + second)) == 2


def test_how_many_a_day_has() -> None:
    assert rate(timing("*/15 * * * *")) == 96
    assert rate(timing("every 90s")) == 960
