"""Which triggers ask for runs at times that can be told, and where."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runyard.flow.schedule.askers import Askers, Differing, askers
from runyard.flow.schedule.forecast_words import assumptions
from runyard.flow.schedule.forecasting import forecast
from runyard.flow.schedule.placing import Asker, Follower, look
from runyard.model.run import TriggerKind
from runyard.model.trigger.row import Trigger, TriggerState
from runyard.model.trigger.schedule import OverlapPolicy

NOW = datetime(2026, 11, 26, tzinfo=UTC)
JOB = {"regions": ["us-central1", "europe-west1"], "placement": "primary"}


def row(document: dict[str, Any], kind: TriggerKind = TriggerKind.SCHEDULE, **rest: Any) -> Trigger:
    return Trigger("shop", "prod", "report", "at", kind, document, NOW, **rest)


def found_in(*rows: Trigger, placement: str = "primary") -> Askers:
    return askers(rows, {("shop", "report"): JOB | {"placement": placement}}, ZoneInfo)


def test_a_schedule_asks_where_its_job_runs() -> None:
    one = row(
        {
            "schedule": "@hourly",
            "overlap": "queue",
            "blackouts": [{"from": "2026-12-01", "to": "2026-12-01"}],
        }
    )
    (found,) = found_in(one).schedules
    timing = found.timing
    assert next(timing.instants(NOW)) == NOW + timedelta(hours=1)
    begin = datetime(2026, 12, 1, tzinfo=UTC)
    blackout = (begin, begin + timedelta(days=1))
    job = ("shop", "report")
    assert found == Asker(
        job, "at", timing, OverlapPolicy.QUEUE, ("us-central1",), (blackout,), 3600.0
    )
    both = found_in(one, placement="all")
    assert both.schedules[0].regions == ("us-central1", "europe-west1")
    assert (both.differing, both.left_out) == ({}, {})


@pytest.mark.parametrize(
    ("said", "differing"),
    [
        ({"region": "asia-east1"}, Differing("asia-east1")),
        ({"taskCount": 2}, Differing("", 2)),
        ({"region": "asia-east1", "taskCount": 2}, Differing("asia-east1", 2)),
    ],
)
def test_what_differs_is_kept(said: dict[str, Any], differing: Differing) -> None:
    key = ("shop", "report", "at")
    regions = (differing.region,) if differing.region else ("us-central1", "europe-west1")
    schedule = row({"schedule": "@hourly", "startBy": "60s", "with": said})
    found = found_in(schedule, placement="all")
    assert found.schedules[0].regions == regions
    assert found.schedules[0].jitter_below_seconds == 61
    assert found.differing == {key: differing}
    chain = found_in(row({"after": {"job": "a"}, "with": said}, TriggerKind.CHAIN), placement="all")
    assert chain.chains[0].regions == regions
    assert chain.differing == {key: differing}


@pytest.mark.parametrize(
    ("after", "jobs", "together"),
    [
        ({"all": ["a", "b"]}, ("a", "b"), True),
        ({"any": ["a", "b"]}, ("a", "b"), False),
        ({"job": "a", "on": "any"}, ("a",), False),
        ({"job": "a"}, ("a",), False),
    ],
)
def test_a_chain_follows_jobs_of_its_project(
    after: dict[str, Any], jobs: tuple[str, ...], together: bool
) -> None:
    found = found_in(row({"after": after}, TriggerKind.CHAIN))
    followed = tuple(("shop", one) for one in jobs)
    assert found.chains == [
        Follower(("shop", "report"), "at", followed, together, ("us-central1",))
    ]
    assert (found.schedules, found.differing, found.left_out) == ([], {}, {})


def nowhere(_: str) -> tzinfo:
    raise KeyError


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (row({"schedule": "@hourly"}, state=TriggerState.PAUSED), "paused"),
        (row({"schedule": "@hourly"}, state=TriggerState.ENDED), "ended"),
        (row({"schedule": "never"}), "broken"),
        (row({"after": {}}, TriggerKind.CHAIN), "broken"),
        (row({"after": {"job": "a", "on": "dead"}}, TriggerKind.CHAIN), "after dead runs"),
        (row({"after": {"job": "a", "on": "failed"}}, TriggerKind.CHAIN), "after failed runs"),
        (row({"event": {"topic": "t"}}, TriggerKind.EVENT), "by event"),
        (row({}, TriggerKind.WEBHOOK), "by webhook"),
        (row({}, TriggerKind.ABSENCE), "by absence"),
    ],
)
def test_what_cannot_be_told_is_left_out_with_the_reason(one: Trigger, reason: str) -> None:
    found = found_in(one)
    assert (found.schedules, found.chains, found.left_out) == ([], [], {reason: 1})
    assert (
        len(list(assumptions(forecast([], [], {}, {}, look([], NOW, 1)), found.left_out, 1))) == 2
    )


def test_jobs_that_were_not_read_are_left_out_too() -> None:
    found = askers([row({"schedule": "@hourly"})], {}, nowhere)
    assert found.left_out == {"not seen": 1}


def test_those_that_are_left_out_are_counted() -> None:
    paused = row({"schedule": "@hourly"}, state=TriggerState.PAUSED)
    webhook = row({}, TriggerKind.WEBHOOK)
    assert found_in(paused, webhook, paused).left_out == {"paused": 2, "by webhook": 1}
