"""A schedule in sentences: what changes of clocks do to its times, as people read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runyard.flow.schedule.instants import Timetable
from runyard.flow.schedule.preview import Preview, preview
from runyard.flow.schedule.preview_document import preview_document
from runyard.flow.schedule.words import local, policies, shifts, shown, transitions, utc
from runyard.model.trigger.schedule import ScheduleSpec
from tests.support.manifests import make_job, read_job

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BERLIN = "Europe/Berlin"
FORWARD = "On 2026-03-29 clocks go forward from 02:00 to 03:00"
BACK = "On 2026-10-25 clocks go back from 03:00 to 02:00"
EARLIER = "from then on each instant is 1 h earlier in UTC"


def spec(text: str, zone: str = BERLIN, **rest: Any) -> ScheduleSpec:
    job = read_job(make_job(triggers=[{"schedule": text, "timeZone": zone, **rest}]))
    (trigger,) = job.triggers
    assert isinstance(trigger, ScheduleSpec)
    return trigger


def table_of(one: ScheduleSpec) -> Timetable:
    return Timetable(one.recurrence, ZoneInfo(one.time_zone), one.dst.rule(), anchor=NOW)


def seen(one: ScheduleSpec, count: int = 0) -> Preview:
    return preview(table_of(one), NOW, count)


@pytest.mark.parametrize(
    ("text", "dst", "forward", "back"),
    [
        (
            "30 2 * * *",
            {},
            "02:30 does not exist and runs once, at the end of the gap",
            "02:30 comes twice and runs the first time",
        ),
        (
            "30 2 * * *",
            {"gap": "skip", "overlap": "second"},
            "02:30 does not exist and is skipped",
            "02:30 comes twice and runs the second time",
        ),
        (
            "0,30 2 * * *",
            {"overlap": "both"},
            "02:00, 02:30 do not exist and run once, at the end of the gap",
            "02:00, 02:30 come twice and run both times",
        ),
        (
            "*/15 2 * * *",
            {},
            "02:00, 02:15, 02:30, 02:45 do not exist and are skipped",
            "02:00, 02:15, 02:30, 02:45 come twice and run both times",
        ),
        (
            "*/12 2 * * *",
            {},
            "02:00, 02:12, 02:24, 02:36 and 1 more do not exist and are skipped",
            "02:00, 02:12, 02:24, 02:36 and 1 more come twice and run both times",
        ),
        (
            "0 9 * * *",
            {},
            "no time of this schedule is touched",
            "no time of this schedule is touched",
        ),
    ],
)
def test_each_change_of_clocks_is_a_sentence(
    text: str, dst: dict[str, str], forward: str, back: str
) -> None:
    found = list(transitions(seen(spec(text, dst=dst)), BERLIN))
    assert found == [f"{FORWARD}: {forward}.", f"{BACK}: {back}."]


def test_where_clocks_do_not_change_that_is_said() -> None:
    assert list(transitions(seen(spec("30 2 * * *", "UTC")), "UTC")) == [
        "Clocks do not change in UTC in the two years that follow."
    ]


def test_the_next_change_moves_a_time_of_day_in_utc() -> None:
    daily, hidden = spec("0 9 * * *"), spec("30 2 * * *", dst={"gap": "skip"})
    assert list(shifts(daily, seen(daily))) == [f"{FORWARD}: {EARLIER}."]
    assert list(shifts(hidden, seen(hidden))) == [
        f"{FORWARD}: 02:30 does not exist and is skipped; {EARLIER}."
    ]
    for one in (spec("*/15 2 * * *"), spec("every 7m"), spec("0 9 * * *", "UTC")):
        assert list(shifts(one, seen(one))) == []


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({"startAt": "2026-12-01"}, "from 2026-12-01"),
        ({"endAt": "2026-12-01"}, "until 2026-12-01"),
        ({"startAt": "2026-12-01", "endAt": "2027-12-01"}, "from 2026-12-01 until 2027-12-01"),
    ],
)
def test_only_the_bounds_that_there_are_are_said(bounds: dict[str, str], words: str) -> None:
    assert list(policies(spec("0 9 * * *", **bounds)))[-1] == f"It has instants only {words}."


def test_instants_are_shown_in_utc_and_as_clocks_show_them() -> None:
    at = datetime(2026, 3, 29, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))
    assert utc(at) == "2026-03-29T01:04:05Z"
    assert shown(at) == "Sun 2026-03-29 03:04:05 +02:00"
    assert local(at, ZoneInfo("America/New_York")) == "Sat 2026-03-28 21:04:05 -04:00"
    assert local(at, UTC) == "Sun 2026-03-29 01:04:05 +00:00"


def test_a_preview_is_a_document_with_what_a_change_made_of_each_instant() -> None:
    one = spec("30 2 * * 0", dst={"overlap": "both"})
    after = datetime(2026, 3, 28, tzinfo=UTC)
    found = preview_document("30 2 * * 0", BERLIN, table_of(one), preview(table_of(one), after, 32))
    instants = found["instants"]
    assert [instants[number] for number in (0, 1, 30, 31)] == [
        {"utc": "2026-03-29T01:00:00Z", "local": "2026-03-29T03:00:00+02:00", "transition": "gap"},
        {"utc": "2026-04-05T00:30:00Z", "local": "2026-04-05T02:30:00+02:00", "transition": ""},
        {
            "utc": "2026-10-25T00:30:00Z",
            "local": "2026-10-25T02:30:00+02:00",
            "transition": "overlap",
        },
        {
            "utc": "2026-10-25T01:30:00Z",
            "local": "2026-10-25T02:30:00+01:00",
            "transition": "overlap",
        },
    ]
    assert {**found, "instants": len(instants)} == {
        "schedule": "30 2 * * 0",
        "time_zone": BERLIN,
        "dst": {"gap": "run_after", "overlap": "both"},
        "instants": 32,
        "transitions": [
            {
                "utc": "2026-03-29T01:00:00Z",
                "local_before": "2026-03-29T02:00:00",
                "local_after": "2026-03-29T03:00:00",
                "times": [{"local": "2026-03-29T02:30:00", "utc": ["2026-03-29T01:00:00Z"]}],
            },
            {
                "utc": "2026-10-25T01:00:00Z",
                "local_before": "2026-10-25T03:00:00",
                "local_after": "2026-10-25T02:00:00",
                "times": [
                    {
                        "local": "2026-10-25T02:30:00",
                        "utc": ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"],
                    }
                ],
            },
        ],
    }
