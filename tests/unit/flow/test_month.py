"""How often a schedule asks for runs in the days to come, counted one by one or reckoned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runyard.flow.schedule.instants import Timetable
from runyard.flow.schedule.month import counted, outside, runs_a_month
from runyard.flow.schedule.timing import Timing
from runyard.model.recurrence.reading import read
from runyard.model.trigger.schedule import ScheduleSpec
from tests.support.manifests import make_job, read_job

NOW = datetime(2026, 11, 26, tzinfo=UTC)
HOUR = timedelta(hours=1)


def timing(text: str, zone: str = "UTC", **rest: Any) -> Timing:
    return Timing(Timetable(read(text), ZoneInfo(zone), anchor=NOW), "a/b/c/d", **rest)


def test_a_blackout_of_a_day_is_one_where_the_schedule_is() -> None:
    blackout = {"from": "2026-12-24", "to": "2026-12-24"}
    zone = "Pacific/Auckland"  # where that day begins at 11:00 UTC of the day before
    job = read_job(
        make_job(triggers=[{"schedule": "@hourly", "timeZone": zone, "blackouts": [blackout]}])
    )
    (spec,) = job.triggers
    assert isinstance(spec, ScheduleSpec)
    now = datetime(2026, 12, 23, 9, 30, tzinfo=UTC)
    assert runs_a_month(spec, timing("@hourly", zone), now, days=1) == 1


def test_what_begins_when_the_days_end_asks_for_nothing() -> None:
    later = timing("every 1s", start_at=NOW + timedelta(days=2))
    assert counted(later, (), NOW, 2, counted_max=10) == 0
    assert counted(later, (), NOW, 3, counted_max=10) == 86_400
    over = timing("every 1s", end_at=NOW)
    assert counted(over, (), NOW, 2, counted_max=10) == 0


@pytest.mark.parametrize(("counted_max", "found"), [(1440, 1439), (1439, 1440)])
def test_as_many_as_are_counted_are_counted_one_by_one(counted_max: int, found: int) -> None:
    """Those after the beginning and before the end; reckoned, it is the whole day."""
    assert counted(timing("every 1m"), (), NOW, 1, counted_max) == found


def test_a_span_has_the_instant_it_begins_at_and_not_the_one_it_ends_at() -> None:
    nine = int((NOW + 9 * HOUR).timestamp())
    seconds = [nine + 3600 * number for number in range(-1, 4)]
    spans = [(NOW + 9 * HOUR, NOW + 11 * HOUR), (NOW + 11.5 * HOUR, NOW + 13 * HOUR)]
    assert outside(seconds, spans) == [seconds[0], seconds[3]]
    assert outside(seconds, ()) == seconds


@pytest.mark.parametrize(
    ("hours", "left"),
    [
        ([], 24),
        ([(0, 6), (12, 18)], 12),
        ([(12, 18), (0, 6)], 12),
        ([(0, 6), (3, 9)], 15),
        ([(0, 9), (3, 6), (8, 10)], 14),
        ([(-9, -3), (20, 30)], 20),
        ([(-9, -3), (-9, 2), (25, 30)], 22),
        ([(-9, 30)], 0),
    ],
)
def test_what_is_reckoned_loses_the_share_of_all_spans(
    hours: list[tuple[float, float]], left: int
) -> None:
    spans = [(NOW + first * HOUR, NOW + last * HOUR) for first, last in hours]
    assert counted(timing("every 1m"), spans, NOW, 1, counted_max=10) == left * 60


@pytest.mark.parametrize(
    ("zone", "weekdays"),
    [("UTC", "4"), ("Pacific/Auckland", "5"), ("America/Los_Angeles", "3")],
)
def test_the_days_of_a_calendar_are_those_of_its_zone(zone: str, weekdays: str) -> None:
    """From 22:00 UTC of a Thursday clocks of Auckland show Friday's midday, and 20 hours later
    Saturday's; those of Los Angeles, from 02:00 UTC, show Wednesday's evening first."""
    begin = {"UTC": 2, "Pacific/Auckland": 22, "America/Los_Angeles": 2}[zone]
    table = timing(f"* * * * {weekdays}", zone)
    other = timing(f"* * * * {(int(weekdays) + 1) % 7}", zone)
    assert counted(table, (), NOW + begin * HOUR, 1, counted_max=10) == 1440
    assert counted(other, (), NOW + begin * HOUR, 1, counted_max=10) == 0
