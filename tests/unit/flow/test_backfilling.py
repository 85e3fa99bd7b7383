"""Which instants of the past become runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from runyard.flow.schedule.backfilling import INSTANTS_MAX, backfill, schedule_of
from runyard.flow.schedule.instants import Timetable
from runyard.flow.schedule.timing import Timing
from runyard.model.errors import InvalidSpec, Refused
from runyard.model.recurrence.reading import read
from runyard.model.run import TriggerKind
from runyard.model.trigger.row import Trigger

DAY = datetime(2026, 10, 1, tzinfo=UTC)
NOW = DAY + timedelta(days=60)
HOURLY = Timing(Timetable(read("0 * * * *"), ZoneInfo("UTC")))


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


def test_the_range_begins_with_its_first_instant_and_its_end_is_outside() -> None:
    found = backfill(HOURLY, DAY, at(3), (), NOW)
    assert [ask.instant for ask in found.asks] == [at(0), at(1), at(2)]
    assert found.there == ()


def test_what_had_a_run_has_none_again_unless_wanted() -> None:
    found = backfill(HOURLY, DAY, at(3), {at(1)}, NOW)
    assert [ask.instant for ask in found.asks] == [at(0), at(2)]
    assert found.there == (at(1),)
    again = backfill(HOURLY, DAY, at(3), {at(1)}, NOW, again=True)
    assert len(again.asks) == 3
    assert again.there == (at(1),)


def test_a_range_may_end_now() -> None:
    assert len(backfill(HOURLY, at(0), at(3), (), at(3)).asks) == 3


def test_a_schedule_that_ended_has_no_more() -> None:
    ended = Timing(HOURLY.table, end_at=at(2))
    assert len(backfill(ended, DAY, at(9), (), NOW).asks) == 2


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        (at(3), at(3), "an instant after 2026-10-01T03:00:00Z"),
        (DAY, NOW + timedelta(seconds=1), "an instant that is past"),
        (DAY, at(INSTANTS_MAX + 1), "a range of at most 1,000 instants"),
    ],
)
def test_a_range_that_cannot_be_is_refused(since: datetime, until: datetime, words: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        backfill(HOURLY, since, until, (), NOW)
    (fault,) = refused.value.faults
    assert (fault.path, fault.expected) == ("until", words)
    assert fault.value == f"{until:%Y-%m-%dT%H:%M:%SZ}"
    if words.startswith("a range"):
        assert fault.hint == "it goes on at 2026-11-11T16:00:00Z"


def test_only_a_schedule_that_can_be_reckoned_has_instants() -> None:
    document = {"schedule": "@hourly", "timeZone": "No/Land"}
    row = Trigger("shop", "local", "report", "s", TriggerKind.SCHEDULE, document, DAY)
    with pytest.raises(Refused, match="is not ready: there is no time zone No/Land"):
        schedule_of(row, ZoneInfo)
    with pytest.raises(Refused, match="shop/local/report/s is no schedule"):
        schedule_of(replace(row, kind=TriggerKind.CHAIN), ZoneInfo)
    good = replace(row, document={"schedule": "@hourly"})
    assert schedule_of(good, ZoneInfo).schedule.timing.trigger == good.path
