"""How the clock of a zone goes, what a line is in UTC meanwhile, and when it runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard_runner.calendar.in_utc import in_utc
from runyard_runner.calendar.instants import first_runs, oddities, runs
from runyard_runner.calendar.line import Line, parse
from runyard_runner.calendar.telling import tell
from runyard_runner.calendar.zones import Period, periods, season
from tests.runner.calendar.test_line import LINES

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
YEAR = timedelta(days=365)


def _periods(name: str, length: timedelta = YEAR) -> tuple[Period, ...]:
    return periods(ZoneInfo(name), NOW, NOW + length)


def test_new_york_changes_twice_a_year() -> None:
    first, second, third = _periods("America/New_York")
    assert (first.start_at, first.end_at) == (NOW, datetime(2027, 3, 14, 7, tzinfo=UTC))
    assert (second.start_at, second.end_at) == (first.end_at, datetime(2027, 11, 7, 6, tzinfo=UTC))
    assert (third.start_at, third.end_at) == (second.end_at, NOW + YEAR)
    assert [each.utc for each in (first, second, third)] == ["UTC-5", "UTC-4", "UTC-5"]
    assert [each.name for each in (first, second)] == ["EST", "EDT"]
    assert not first.is_shifted
    assert second.is_shifted


@pytest.mark.parametrize(
    ("name", "seasons"),
    [
        ("UTC", ["all year"]),
        ("Asia/Kolkata", ["all year"]),
        ("America/New_York", ["winter", "summer", "winter"]),
        ("Pacific/Auckland", ["summer", "winter", "summer"]),
        ("Europe/Dublin", ["winter", "summer", "winter"]),
        ("Africa/Casablanca", ["", "", ""]),  # a month of its own time: no season
    ],
)
def test_seasons(name: str, seasons: list[str]) -> None:
    every = _periods(name)
    assert [season(each, every) for each in every] == seasons


def test_no_time_has_no_period_and_a_change_at_the_end_begins_none() -> None:
    assert _periods("UTC", timedelta()) == ()
    until_change = datetime(2027, 3, 14, 7, tzinfo=UTC) - NOW
    assert [each.utc for each in _periods("America/New_York", until_change)] == ["UTC-5"]


@pytest.mark.parametrize(
    ("text", "hours", "lines"),
    [
        ("0 9 * * 1-5", -5, ["0 14 * * 1-5"]),
        ("0 9 * * 1-5", -4, ["0 13 * * 1-5"]),
        ("0 9 * * 1-5", 5.5, ["30 3 * * 1-5"]),
        ("0 3 * * 1-5", 9, ["0 18 * * 0-4"]),
        ("0 22 * * 1-5", -5, ["0 3 * * 2-6"]),
        ("0 3 1-15 * *", 9, []),
        ("0 3 2-15 * *", 9, ["0 18 1-14 * *"]),
        ("0 22 27 * *", -5, ["0 3 28 * *"]),
        ("0 22 28 * *", -5, []),
        ("0 3 * 5 *", 9, []),
        ("0 3 5 5 *", 9, ["0 18 4 5 *"]),
        ("0 3 5 5 1", 9, []),
        ("0 12 31 5 *", 9, ["0 3 31 5 *"]),
        ("0 3,12 * * 1", 9, ["0 18 * * 0", "0 3 * * 1"]),
        ("0 3,12 * * *", 9, ["0 3,18 * * *"]),
        ("0,30 9 * * *", 5.5, ["30 3 * * *", "0 4 * * *"]),
        ("*/5 * * * *", 5.75, ["*/5 * * * *"]),
        ("0 */6 * * *", 1, ["0 5-23/6 * * *"]),
    ],
)
def test_a_line_in_utc(text: str, hours: float, lines: list[str]) -> None:
    found = [str(parse(str(line))) for line in in_utc(parse(text), timedelta(hours=hours))]
    assert found == [str(parse(line)) for line in lines]


@given(LINES, st.integers(-12 * 4, 14 * 4))
def test_lines_in_utc_run_at_the_very_instants(line: Line, quarters: int) -> None:
    line, offset = parse(str(line)), timedelta(minutes=15 * quarters)
    found = in_utc(line, offset)
    if not found:
        return
    by_clock = list(islice(runs(line, timezone(offset), NOW), 40))
    assert all(str(parse(str(each))) == str(each) for each in found)
    in_order = sorted(at for each in found for at in islice(runs(each, UTC, NOW), 40))
    assert in_order[:40] == by_clock


@given(LINES)
def test_without_an_offset_a_line_stays_itself(line: Line) -> None:
    assert in_utc(line, timedelta()) == (line,) or len(in_utc(line, timedelta())) > 1


def test_the_first_runs_of_a_period_are_within_it() -> None:
    winter, summer, _ = _periods("America/New_York")
    zone = ZoneInfo("America/New_York")
    line = parse("0 9 * * 1-5")
    assert [at.isoformat() for at in first_runs(line, zone, winter, 2)] == [
        "2026-11-26T09:00:00-05:00",
        "2026-11-27T09:00:00-05:00",
    ]
    assert [at.isoformat() for at in first_runs(line, zone, summer, 1)] == [
        "2027-03-15T09:00:00-04:00"
    ]
    assert first_runs(line, zone, winter, 0) == ()
    assert first_runs(parse("0 9 1 7 *"), zone, winter, 3) == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("30 2 * * *", [("2027-03-28T02:30", True), ("2027-10-31T02:30", False)]),
        ("0 2 * * *", [("2027-03-28T02:00", True), ("2027-10-31T02:00", False)]),
        ("0 3 * * *", []),
        ("30 2 * * 1-6", []),  # both changes are on a Sunday
        ("30 * * * *", []),  # every hour: nobody misses one
        ("0,30 2 * 3 *", [("2027-03-28T02:00", True), ("2027-03-28T02:30", True)]),
    ],
)
def test_times_that_a_change_of_the_clock_touches(text: str, found: list[tuple[str, bool]]) -> None:
    told = oddities(parse(text), _periods("Europe/Berlin"))
    assert [(odd.at.isoformat(timespec="minutes"), odd.is_missing) for odd in told] == found


def test_the_seeds_own_line_is_right_for_half_a_year() -> None:
    told = tell(parse("0 9 * * 1-5"), ZoneInfo("America/New_York"), "America/New_York", NOW, 1)
    winter, summer = told.stretches
    assert [str(line) for line in winter.utc_lines] == ["0 14 * * 1-5"]
    assert [str(line) for line in summer.utc_lines] == ["0 13 * * 1-5"]
    assert told.warnings == (
        "a fixed line in UTC drifts: `0 14 * * 1-5`, right while America/New_York is UTC-5, runs "
        "1 h late by its clock from 2027-03-14 on (UTC-4); give Cloud Scheduler the zone instead",
    )


@pytest.mark.parametrize(
    ("text", "name", "warnings"),
    [
        ("0 9 * * *", "UTC", []),
        ("0 9 * * *", "Asia/Tokyo", []),
        ("*/5 * * * *", "America/New_York", []),
        ("0 9 * * *", "Pacific/Auckland", ["runs 1 h early"]),
        ("0 9 * * *", "Australia/Lord_Howe", ["runs 30 min early"]),
        ("0 1 1 * *", "Europe/Berlin", ["1 h late"]),
        ("0 1 1 * *", "Asia/Tokyo", []),
        ("0 23 31 * *", "America/New_York", []),  # no line in UTC says it, so none drifts
        ("30 2 * * *", "Europe/Berlin", ["1 h late", "does not exist", "comes twice"]),
    ],
)
def test_warnings(text: str, name: str, warnings: list[str]) -> None:
    told = tell(parse(text), ZoneInfo(name), name, NOW, 1)
    assert len(told.warnings) == len(warnings)
    assert all(part in warning for part, warning in zip(warnings, told.warnings, strict=True))
