"""Cron lines as Cloud Scheduler takes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from runyard_runner.calendar.faults import ScheduleError
from runyard_runner.calendar.line import DAY, HOUR, MINUTE, MONTH, WEEKDAY, Field, Line, parse


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("0 */6 * * *", "0 */6 * * *"),
        ("0 14 * * 1-5", "0 14 * * 1-5"),
        ("0 14 * * MON-FRI", "0 14 * * 1-5"),
        ("0 0 1 jan,JUL *", "0 0 1 1,7 *"),
        ("*/5 * * * *", "*/5 * * * *"),
        ("0-59 0-23 * * *", "* * * * *"),
        ("5,10-12,20,21 9-17/4 * * *", "5,10-12,20,21 9,13,17 * * *"),
        ("0 0 */2 * *", "0 0 1-31/2 * *"),
        ("0 0 * 1-12 *", "0 0 * * *"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * 6-7", "0 0 * * 0,6"),
        ("0 0 * * */2", "0 0 * * 0-6/2"),
        ("0 0 * * 0-7", "0 0 * * *"),
        ("0 0 29 2 *", "0 0 29 2 *"),
        ("0 0 31 2 1", "0 0 31 2 1"),
    ],
)
def test_a_line_is_read_and_written_in_its_usual_form(text: str, written: str) -> None:
    line = parse(text)
    assert str(line) == written
    assert str(parse(written)) == written


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("0 9 * *", "schedule"),
        ("0 0 9 * * *", "schedule"),
        ("@daily", "schedule"),
        ("60 9 * * *", "minute"),
        ("100 9 * * *", "minute"),
        ("*/60 9 * * *", "minute"),
        ("*/0 9 * * *", "minute"),
        ("5/10 9 * * *", "minute"),
        ("*-5 9 * * *", "minute"),
        (",5 9 * * *", "minute"),
        ("² 9 * * *", "minute"),
        ("0 24 * * *", "hour"),
        ("0 17-9 * * *", "hour"),
        ("0 9-9 * * *", "hour"),
        ("0 9 0 * *", "day-of-month"),
        ("0 9 L * *", "day-of-month"),
        ("0 9 31 2,4 *", "day-of-month"),
        ("0 9 */2 * 1", "day-of-month"),
        ("0 9 1 * */2", "day-of-week"),
        ("0 9 * 13 *", "month"),
        ("0 9 * SUN *", "month"),
        ("0 9 * * 8", "day-of-week"),
        ("0 9 * * FRI-MON", "day-of-week"),
        ("0 9 * * MON#1", "day-of-week"),
        ("0 9 * * ?", "day-of-week"),
    ],
)
def test_what_scheduler_would_refuse_is_refused_by_field(text: str, part: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        parse(text)
    assert caught.value.part == part
    assert caught.value.value in text
    assert caught.value.expected
    assert caught.value.hint


def _numbers(field: Field) -> st.SearchStrategy[frozenset[int]]:
    return st.frozensets(st.sampled_from(sorted(field.every)), min_size=1)


LINES = st.builds(
    Line,
    _numbers(MINUTE),
    _numbers(HOUR),
    st.none() | _numbers(DAY).filter(lambda days: min(days) < 29),
    st.none() | _numbers(MONTH),
    st.none() | _numbers(WEEKDAY),
)


@given(LINES)
def test_what_is_written_is_read_as_the_same(line: Line) -> None:
    read = parse(str(line))
    assert (read.minutes, read.hours) == (line.minutes, line.hours)
    assert str(read) == str(line)
    every = (line.days or DAY.every, line.months or MONTH.every, line.weekdays or WEEKDAY.every)
    assert (read.days or DAY.every, read.months or MONTH.every) == every[:2]
    assert (read.weekdays or WEEKDAY.every) == every[2]


@given(LINES, st.dates(date(2026, 1, 1), date(2031, 1, 1)))
def test_the_day_it_runs_on_is_the_day_cron_runs_it(line: Line, day: date) -> None:
    line = parse(str(line))  # as a reader has it: all weekdays written out are `*`
    just_before = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(seconds=1)
    following = next(CronSim(str(line), just_before))
    assert line.runs_on(day) == (following.date() == day)
