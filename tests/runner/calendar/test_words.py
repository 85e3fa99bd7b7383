"""Schedules in words: people's, and Cloud Scheduler's English."""

from __future__ import annotations

import pytest

from runyard_runner.calendar.faults import ScheduleError
from runyard_runner.calendar.words import understand


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("weekdays 9:00", "0 9 * * 1-5"),
        ("weekends at 9pm", "0 21 * * 0,6"),
        ("daily 12:30 am", "30 0 * * *"),
        ("daily 12pm", "0 12 * * *"),
        ("Mondays 17:05", "5 17 * * 1"),
        ("mon, wed 9:00", "0 9 * * 1,3"),
        ("tues,thurs 9:00", "0 9 * * 2,4"),
        ("every weekday 9:00", "0 9 * * 1-5"),
        ("0 14 * * 1-5", "0 14 * * 1-5"),
        ("0 14 1 JAN MON", "0 14 1 1 1"),
        ("0,30 9 1 1 1", "0,30 9 1 1 1"),
        # Scheduler's own examples
        ("every 5 minutes", "*/5 * * * *"),
        ("every 5 mins synchronized", "*/5 * * * *"),
        ("every minute", "* * * * *"),
        ("every hour", "0 * * * *"),
        ("every 6 hours", "0 */6 * * *"),
        ("every 24 hours", "0 0 * * *"),
        ("every 1440 minutes", "0 0 * * *"),
        ("every 60 minutes on mon,wed", "0 * * * 1,3"),
        ("every 30 minutes on sunday", "0,30 * * * 0"),
        ("every day 09:00", "0 9 * * *"),
        ("every sun,tue,thu 9:00", "0 9 * * 0,2,4"),
        ("every wed of december 00:00", "0 0 * 12 3"),
        ("every day of month 6:00", "0 6 * * *"),
        ("03 of month 12:34", "34 12 3 * *"),
        ("1st,15th of month 12:34", "34 12 1,15 * *"),
        ("1,3,4,7,11,18,29 of jan,jul 12:34", "34 12 1,3,4,7,11,18,29 1,7 *"),
    ],
)
def test_words_become_a_line(text: str, line: str) -> None:
    assert str(understand(text)) == line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "a time"),
        ("weekdays", "a time"),
        ("weekdays 9", "a time"),
        ("weekdays 9:5", "a time"),
        ("weekdays 24:00", "a time from 0:00"),
        ("weekdays 9:60", "a time from 0:00"),
        ("weekdays 13pm", "1-12"),
        ("9:00", "days"),
        ("someday 9:00", "days"),
        ("m 9:00", "days"),
        ("mon, 9:00", "a time"),
        ("first sunday of month 12:00", "days"),
        ("2nd,3rd tue,wed,thu of feb,aug 13:50", "days"),
        ("1st friday of quarter 9:00", "`month`"),
        ("15 of 3rd month of quarter 9:00", "`month`"),
        ("15 9:00", "`of month`"),
        ("32 of month 9:00", "days of a month"),
        ("31 of feb 9:00", "a day that a month of it has"),
        ("every 7 minutes", "an interval"),
        ("every 0 minutes", "an interval"),
        ("every 90 minutes", "an interval"),
        ("every 48 hours", "an interval"),
        ("every 5 minutes from 10:00 to 14:00", "nothing, or `on`"),
        ("every day from 10:00 to 14:00", "a time of day"),
        ("every 5 minutes on someday", "days"),
        ("* * *", "five fields"),
        ("0 9 * * 8", "0-7"),
    ],
)
def test_what_no_line_says_without_doubt_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        understand(text)
    assert caught.value.expected.startswith(expected)
    assert caught.value.value in text
    assert caught.value.hint
