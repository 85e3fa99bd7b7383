"""How a request becomes runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from runyard.flow.lifecycle import Decision
from runyard.flow.request import request, slots_of
from runyard.model.errors import InvalidSpec
from runyard.model.event import Requested
from runyard.model.ids import RunId
from runyard.model.plan import Placement, Plan, RunRequest
from runyard.model.run import Overrides, RunPolicy, State, TriggeredBy, TriggerKind
from tests.support.runs import NOW

REGIONS = ("us-central1", "europe-west1")
PLAN = Plan("shop", "local", "report", 3, RunPolicy(priority=2), 12, REGIONS, labels=(("a", "1"),))
EVERYWHERE = Plan(
    "shop", "local", "report", 3, RunPolicy(concurrency_limit=2), 1, REGIONS, Placement.ALL
)
ASKED = RunRequest("local", "report", "ann")


def ids() -> Callable[[], RunId]:
    numbers = count(1)
    return lambda: RunId(f"run_{next(numbers)}")


def ask(plan: Plan, asked: RunRequest) -> list[Decision]:
    return request(plan, asked, ids(), NOW)


def test_a_request_makes_one_queued_run_in_the_first_region() -> None:
    (decision,) = ask(PLAN, ASKED)
    run = decision.run
    assert (run.state, run.region, run.due_at, run.version) == (State.QUEUED, REGIONS[0], NOW, 1)
    assert (run.requested_by, run.requested_at) == ("ann", NOW)
    assert run.concurrency_slot == ""
    assert run.deadline_at is None
    assert decision.fact == Requested(TriggerKind.MANUAL, "ann", 3, 2)


def test_priority_is_a_head_start_of_minutes() -> None:
    assert ask(PLAN, ASKED)[0].run.rank_at == NOW - timedelta(minutes=2)
    asked = RunRequest("local", "report", "ann", priority=-5)
    run = ask(PLAN, asked)[0].run
    assert run.rank_at == NOW + timedelta(minutes=5)
    assert run.policy.priority == -5


def test_a_job_placed_everywhere_makes_a_run_and_a_limit_in_each_region() -> None:
    runs = [decision.run for decision in ask(EVERYWHERE, ASKED)]
    assert [run.region for run in runs] == list(REGIONS)
    assert [run.concurrency_slot for run in runs] == list(slots_of(EVERYWHERE))
    assert len(set(slots_of(EVERYWHERE))) == 2
    assert len(slots_of(PLAN)) == 1


def test_what_a_trigger_asks_for_waits_for_its_like_in_its_own_region_only() -> None:
    by = TriggeredBy("shop/local/report/s", NOW, slot="trigger/s")
    asked = RunRequest("local", "report", "s", trigger=TriggerKind.SCHEDULE, triggered_by=by)
    (run,) = (decision.run for decision in ask(PLAN, asked))
    assert run.triggered_by == by
    assert run.own_slots == ("trigger/s",)
    pair = [decision.run for decision in ask(EVERYWHERE, asked)]
    assert [run.own_slots[-1] for run in pair] == [f"trigger/s/{region}" for region in REGIONS]
    free = replace(asked, triggered_by=replace(by, slot=""))
    assert [decision.run.own_slots for decision in ask(PLAN, free)] == [()]


def test_a_region_can_be_asked_for() -> None:
    asked = RunRequest("local", "report", "ann", region="europe-west1")
    assert [each.run.region for each in ask(EVERYWHERE, asked)] == ["europe-west1"]


def test_a_region_the_job_is_not_in_is_refused() -> None:
    with pytest.raises(InvalidSpec) as caught:
        ask(PLAN, RunRequest("local", "report", "ann", region="mars-north1"))
    (fault,) = caught.value.faults
    assert (fault.path, fault.value) == ("region", "mars-north1")
    assert fault.expected == "one of us-central1, europe-west1"
    assert caught.value.message == "report is not placed in mars-north1"


def test_overrides_labels_and_deadline_are_the_run_s_own() -> None:
    plan = Plan("shop", "local", "report", 1, RunPolicy(deadline_seconds=60), 12, REGIONS)
    asked = RunRequest(
        "local", "report", "ann", overrides=Overrides(task_count=3), labels=(("b", "2"),)
    )
    run = ask(plan, asked)[0].run
    assert run.task_count == 3
    assert run.labels == (("b", "2"),)
    assert run.deadline_at == NOW + timedelta(seconds=60)
