"""The lifecycle where two answers meet: the last instant to start, whose rules, what is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runyard.flow.lifecycle import Facts, Slot, decide, is_late, region_slot
from runyard.model.effect import Alert
from runyard.model.event import AttemptEnded, DeadlinePassed, Due, Ended, Event, Skipped
from runyard.model.failure import FailureClass, FailureRule
from runyard.model.outcome import Ending
from runyard.model.run import RunPolicy, State, TriggeredBy
from tests.support.runs import NOW, make_outcome, make_run

REGION = region_slot("local", "us-central1")
ROOM = Facts({REGION: Slot(REGION, 1)})
PATH = "shop/local/report/nightly"


def test_what_had_to_start_by_an_instant_may_start_at_it() -> None:
    by = TriggeredBy(PATH, start_by=NOW)
    assert not is_late(by, NOW)
    assert is_late(by, NOW + timedelta(microseconds=1))
    assert not is_late(TriggeredBy(PATH), NOW)


@pytest.mark.parametrize("event", [Due(), Skipped("it had to start by 2026-11-01 12:00:00 UTC")])
def test_who_is_skipped_has_ended_and_waits_for_nothing(event: Event) -> None:
    later = NOW + timedelta(minutes=1)
    by = TriggeredBy(PATH, start_by=NOW)
    run = make_run(waiting_on=REGION, triggered_by=by)
    after = decide(run, event, ROOM, later).run
    assert (after.state, after.ended_at, after.due_at) == (State.SKIPPED, later, None)
    assert (after.waiting_on, after.reason) == ("", "it had to start by 2026-11-01 12:00:00 UTC")


def test_a_failure_is_classed_by_its_job_s_own_rules_first() -> None:
    rules = (FailureRule(FailureClass.NETWORK, exit_code=1),)
    run = make_run(State.RUNNING, policy=RunPolicy(failures=rules))
    after = decide(run, Ended(1, make_outcome(Ending.FAILED)), ROOM, NOW).run
    assert after.outcome is not None
    assert after.outcome.failure is not None
    assert after.outcome.failure.failure_class is FailureClass.NETWORK


def test_the_result_of_a_run_is_kept_with_the_run_and_not_in_its_history() -> None:
    ended = Ended(1, make_outcome(output='{"rows": 7}'))
    decision = decide(make_run(State.RUNNING), ended, ROOM, NOW)
    assert decision.run.outcome is not None
    assert decision.run.outcome.output == '{"rows": 7}'
    assert isinstance(decision.fact, AttemptEnded)
    assert decision.fact.outcome.output == ""


def test_who_dies_waiting_by_its_deadline_is_told_of_with_the_reason() -> None:
    run = make_run(policy=RunPolicy(deadline_seconds=60))
    decision = decide(run, DeadlinePassed(), ROOM, NOW)
    assert decision.effects == (Alert("its deadline of 60 s passed while it was queued"),)
