"""Which triggers ask for runs at times that can be told, and where."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runyard.flow.schedule.askers import Askers, Differing, askers
from runyard.flow.schedule.forecast_words import assumptions
from runyard.flow.schedule.forecasting import forecast
from runyard.flow.schedule.placing import look
from runyard.model.run import TriggerKind
from runyard.model.trigger.row import Trigger, TriggerState

NOW = datetime(2026, 11, 26, tzinfo=UTC)
JOB = {"regions": ["us-central1", "europe-west1"], "placement": "primary"}


def row(document: dict[str, Any], kind: TriggerKind = TriggerKind.SCHEDULE, **rest: Any) -> Trigger:
    return Trigger("shop", "prod", "report", "at", kind, document, NOW, **rest)


def found_in(*rows: Trigger, placement: str = "primary") -> Askers:
    return askers(rows, {("shop", "report"): JOB | {"placement": placement}}, ZoneInfo)


def test_a_schedule_asks_where_its_job_runs() -> None:
    one = row({"schedule": "@hourly", "blackouts": [{"from": "2026-12-01", "to": "2026-12-01"}]})
    (found,) = found_in(one).schedules
    assert (found.job, found.name, found.regions) == (("shop", "report"), "at", ("us-central1",))
    assert (len(found.blackouts), found.jitter_below_seconds) == (1, 3600)
    (both,) = found_in(one, placement="all").schedules
    assert both.regions == ("us-central1", "europe-west1")


def test_what_differs_is_kept() -> None:
    one = row({"schedule": "@hourly", "startBy": "60s", "with": {"region": "asia-east1"}})
    found = found_in(one, placement="all")
    assert found.schedules[0].regions == ("asia-east1",)
    assert found.schedules[0].jitter_below_seconds == 61
    assert found.differing == {("shop", "report", "at"): Differing("asia-east1")}


def test_a_chain_follows_jobs_of_its_project() -> None:
    one = row({"after": {"all": ["a", "b"]}, "with": {"taskCount": 2}}, TriggerKind.CHAIN)
    found = found_in(one)
    assert found.chains[0].after == (("shop", "a"), ("shop", "b"))
    assert found.chains[0].together
    assert found.differing == {("shop", "report", "at"): Differing("", 2)}
    alone = found_in(row({"after": {"job": "a", "on": "any"}}, TriggerKind.CHAIN))
    assert not alone.chains[0].together


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
