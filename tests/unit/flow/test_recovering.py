"""The declared ways back from a failure: what the next attempt gets, and where it ends."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.engine.scaling import scaled_overrides, scaled_template
from runyard.flow.explain import explain
from runyard.flow.lifecycle import Facts, decide
from runyard.flow.recovering import (
    MEMORY_PATH,
    TIMEOUT_PATH,
    NoWayBack,
    Offer,
    WayBack,
    offers,
    vcpu_milli_for,
    way_back,
)
from runyard.flow.recovery import GiveUp, Retry, judge
from runyard.flow.wording import memory
from runyard.model.event import AttemptEnded, Ended
from runyard.model.failure import Failure, FailureClass, Shortage
from runyard.model.outcome import Ending, Outcome, TaskFailure, Usage
from runyard.model.quantities import GIB, MIB
from runyard.model.recovery import UNSCALED, Extend, Grow, Recovery, Scaled
from runyard.model.run import Backoff, Jitter, Overrides, Run, RunPolicy, State
from tests.support.runs import NOW, make_outcome, make_run, make_spec

EXTEND = Extend(attempts_max=3, factor=2, max_seconds=50, initial_seconds=20)
GROW = Grow(attempts_max=3, factor=2, max_bytes=2 * GIB)
STEADY = Backoff(5, 2, 600, Jitter.NONE)
LATE = make_outcome(
    Ending.TIMED_OUT,
    failures=(TaskFailure(0, 1, "too late", timed_out=True),),
    failure=Failure(FailureClass.TIMEOUT, "timeout of the task"),
)
STARVED = make_outcome(
    Ending.FAILED,
    usage=Usage(memory_bytes=512 * MIB),
    failure=Failure(FailureClass.RESOURCE, "memory limit", shortage=Shortage.MEMORY),
)


def running(recovery: Recovery, **changes: Any) -> Run:
    policy = RunPolicy(backoff=STEADY, recovery=recovery)
    return make_run(State.RUNNING, policy=policy, **changes)


def test_a_timeout_makes_the_next_attempt_longer_up_to_the_cap_and_then_gives_up() -> None:
    run = running(Recovery(timeout=EXTEND))
    first = way_back(run, LATE)
    told = "its tasks may last 40 s instead of 20 s (recovery.timeout)"
    assert first == WayBack(Scaled(timeout_seconds=40), told)
    second = way_back(replace(run, attempt=2, scaled=Scaled(timeout_seconds=40)), LATE)
    assert isinstance(second, WayBack)
    assert second.scaled == Scaled(timeout_seconds=50)
    at_cap = way_back(replace(run, attempt=2, scaled=Scaled(timeout_seconds=50)), LATE)
    assert at_cap == NoWayBack("its tasks may last 50 s already, recovery.timeout.max")
    too_often = way_back(replace(run, attempt=3), LATE)
    assert too_often == NoWayBack("attempt 3 of 3 by recovery.timeout.attempts")


def test_a_longer_timeout_starts_from_what_the_run_was_given() -> None:
    run = running(Recovery(timeout=EXTEND), overrides=Overrides(timeout_seconds=10))
    found = way_back(run, LATE)
    assert isinstance(found, WayBack)
    assert found.scaled.timeout_seconds == 20


def test_a_want_of_memory_makes_the_next_attempt_larger_up_to_the_cap() -> None:
    run = running(Recovery(memory=GROW))
    first = way_back(run, STARVED)
    told = "its tasks get 1Gi of memory instead of 512Mi (recovery.memory)"
    assert first == WayBack(Scaled(memory_bytes=GIB), told)
    at_cap = way_back(replace(run, attempt=2, scaled=Scaled(memory_bytes=2 * GIB)), STARVED)
    assert at_cap == NoWayBack("its tasks have 2Gi of memory already, recovery.memory.max")
    too_often = way_back(replace(run, attempt=3), STARVED)
    assert too_often == NoWayBack("attempt 3 of 3 by recovery.memory.attempts")


def test_memory_is_asked_for_in_whole_steps() -> None:
    run = running(Recovery(memory=replace(GROW, factor=1.1)))
    found = way_back(run, STARVED)
    assert isinstance(found, WayBack)
    assert found.scaled.memory_bytes == 640 * MIB


@pytest.mark.parametrize(
    ("recovery", "outcome"),
    [
        (Recovery(memory=GROW), LATE),
        (Recovery(timeout=EXTEND), STARVED),
        (Recovery(timeout=EXTEND), replace(LATE, failures=())),
        (Recovery(timeout=EXTEND, memory=GROW), make_outcome(Ending.FAILED)),
        (
            Recovery(timeout=EXTEND, memory=GROW),
            make_outcome(Ending.FAILED, failure=Failure(FailureClass.NETWORK, "log: tls")),
        ),
    ],
)
def test_a_way_back_is_only_for_its_own_failure(recovery: Recovery, outcome: Outcome) -> None:
    assert way_back(running(recovery), outcome) is None


def test_a_way_back_comes_before_the_general_rule_and_has_its_own_limits() -> None:
    run = running(Recovery(timeout=EXTEND))
    verdict = judge(run, LATE, NOW)
    assert isinstance(verdict, Retry)
    assert verdict.at == NOW + timedelta(seconds=5)
    last = judge(replace(run, attempt=3), LATE, NOW)
    assert last == GiveUp("it timed_out (attempt 3 of 3 by recovery.timeout.attempts)")
    late = judge(replace(run, deadline_at=NOW + timedelta(seconds=1)), LATE, NOW)
    assert isinstance(late, GiveUp)


def test_what_an_attempt_is_given_stays_with_the_run_and_is_told() -> None:
    run = running(Recovery(memory=GROW))
    starved = replace(
        STARVED, failure=None, failures=(TaskFailure(0, 1, "", signal=9, out_of_memory=True),)
    )
    decision = decide(run, Ended(1, starved), Facts(), NOW)
    assert decision.run.scaled == Scaled(memory_bytes=GIB)
    assert isinstance(decision.fact, AttemptEnded)
    assert (
        decision.fact.way_back == "its tasks get 1Gi of memory instead of 512Mi (recovery.memory)"
    )
    again = replace(decision.run, state=State.RUNNING, attempt=2, due_at=None)
    done = decide(again, Ended(2, make_outcome()), Facts(), NOW).run
    assert offers(done) == (Offer(MEMORY_PATH, "1Gi"),)
    told = explain(done, (), (), NOW)
    assert f"What worked can be the job's own: set {MEMORY_PATH} to 1Gi." in told


def test_only_a_success_that_was_given_more_has_something_to_offer() -> None:
    longer = Scaled(timeout_seconds=90)
    assert offers(make_run(State.SUCCEEDED, scaled=longer)) == (Offer(TIMEOUT_PATH, "90s"),)
    assert offers(make_run(State.DEAD, scaled=longer)) == ()
    assert offers(make_run(State.SUCCEEDED)) == ()


@given(factor=st.floats(1, 10), attempts=st.integers(2, 20), most=st.integers(1, 10**6))
def test_recovery_always_ends(factor: float, attempts: int, most: int) -> None:
    run = running(Recovery(timeout=Extend(attempts, factor, most, 1)))
    for attempt in range(1, attempts + 1):
        found = way_back(replace(run, attempt=attempt), LATE)
        if isinstance(found, NoWayBack):
            return
        assert isinstance(found, WayBack)
        before = run.scaled.timeout_seconds or 1
        assert before < (found.scaled.timeout_seconds or 0) <= most
        run = replace(run, scaled=found.scaled)
    raise AssertionError("it went on for ever")


@pytest.mark.parametrize(
    ("memory_bytes", "vcpu_milli", "expected"),
    [(4 * GIB, 1000, 1000), (5 * GIB, 1000, 2000), (5 * GIB, 4000, 4000), (99 * GIB, 1000, 8000)],
)
def test_more_memory_may_need_more_cpus(memory_bytes: int, vcpu_milli: int, expected: int) -> None:
    assert vcpu_milli_for(memory_bytes, vcpu_milli) == expected


def test_a_launch_order_gets_what_recovery_gives() -> None:
    template = make_spec().template_document()
    assert scaled_template(template, UNSCALED) is template
    assert scaled_overrides(Overrides(), UNSCALED) == Overrides()
    assert scaled_overrides(Overrides(), Scaled(timeout_seconds=9)).timeout_seconds == 9
    grown = scaled_template(template, Scaled(memory_bytes=6 * GIB))
    limits = grown["template"]["containers"][0]["resources"]["limits"]
    assert limits == {"cpu": "2000m", "memory": "6Gi"}
    assert template["template"]["containers"][0]["resources"]["limits"]["memory"] == "512Mi"


def test_the_manifest_declares_it_and_rows_give_it_back() -> None:
    declared = {"timeout": {"max": "4h"}, "memory": {"max": "8Gi", "attempts": 5, "factor": 1.5}}
    spec = make_spec(recovery=declared)
    assert type(spec).from_document(spec.document()) == spec
    recovery = spec.policy().recovery
    assert recovery.timeout == Extend(3, 2.0, 4 * 3600, 600)
    assert recovery.memory == Grow(5, 1.5, 8 * GIB)
    assert spec.policy().launches_max == 5
    assert spec.launches_max == 5 * 4
    assert Recovery.of(json.loads(json.dumps(asdict(recovery)))) == recovery
    assert Recovery.of(asdict(Recovery())) == Recovery()
    assert Scaled.of(None) == UNSCALED
    assert Scaled.of({"timeout_seconds": None, "memory_bytes": 5}) == Scaled(memory_bytes=5)


def test_amounts_of_memory_are_told_as_manifests_have_them() -> None:
    assert [memory(each) for each in (GIB, 1536 * MIB, 1)] == ["1Gi", "1536Mi", "1Mi"]
