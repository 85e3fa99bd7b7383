"""The declared waits after a failure: for what, how often somebody looks, where it ends."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow import holding
from runyard.flow.explain import explain
from runyard.flow.holding import LOOK_SECONDS_MAX, LOOK_SECONDS_MIN
from runyard.flow.lifecycle import Facts, Slot, decide, held, region_slot
from runyard.flow.recovering import NoWayBack
from runyard.flow.recovery import GiveUp, Retry, judge
from runyard.model.effect import Alert, Launch, Release
from runyard.model.errors import IllegalTransition
from runyard.model.event import (
    AttemptEnded,
    CancelRequested,
    DeadlinePassed,
    Due,
    Ended,
    Event,
    Fact,
    Looked,
    Released,
    Restored,
    WaitOver,
    kind_of,
)
from runyard.model.failure import Failure, FailureClass, Shortage
from runyard.model.outcome import Ending, Outcome
from runyard.model.recovery import HOLDS, UNSCALED, Awaiting, Hold, Recovery, Scaled
from runyard.model.run import AWAITING, Backoff, Jitter, Run, RunPolicy, State
from tests.support.runs import NOW, make_outcome, make_run, make_spec

STEADY = Backoff(5, 2, 600, Jitter.NONE)
JOB = "job/shop/local/report"
ROOM = Facts({JOB: Slot(JOB, 1), (name := region_slot("local", "us-central1")): Slot(name, 1)})
KINDS = {
    "network": (FailureClass.NETWORK, None, State.AWAITING_NETWORK),
    "capacity": (FailureClass.RESOURCE, Shortage.CAPACITY, State.AWAITING_CAPACITY),
    "permission": (FailureClass.PERMISSION, None, State.AWAITING_PERMISSION),
    "application": (FailureClass.APPLICATION, None, State.AWAITING_FIX),
}
HOLD = Hold(3, 600)
ALL = Recovery(network=HOLD, capacity=HOLD, permission=HOLD, application=HOLD)


BACKOFFS = st.builds(
    Backoff, st.floats(0, 30), st.floats(1, 4), st.floats(0, 900), st.sampled_from(Jitter)
)


def failed(name: str, ending: Ending = Ending.FAILED) -> Outcome:
    meant, shortage, _ = KINDS[name]
    return make_outcome(ending, failure=Failure(meant, "a rule", shortage=shortage))


def running(recovery: Recovery = ALL, **changes: Any) -> Run:
    policy = RunPolicy(backoff=STEADY, recovery=recovery, concurrency_limit=1)
    return make_run(State.RUNNING, policy=policy, concurrency_slot=JOB, **changes)


def waiting(name: str, **changes: Any) -> Run:
    verdict = judge(running(), failed(name), NOW)
    assert isinstance(verdict, holding.Await)
    return replace(running(**changes), state=KINDS[name][2], awaiting=verdict.awaiting)


@pytest.mark.parametrize("name", HOLDS)
def test_a_declared_wait_is_for_its_own_failure(name: str) -> None:
    run = running()
    decision = decide(run, Ended(1, classified(name)), ROOM, NOW)
    after = decision.run
    assert after.state is KINDS[name][2]
    assert after.due_at is None
    assert after.awaiting is not None
    assert after.awaiting.until == NOW + timedelta(seconds=600)
    assert held(after) == {JOB}
    assert decision.effects == (Release(1),)
    fact = decision.fact
    assert isinstance(fact, AttemptEnded)
    assert (fact.verdict, fact.retry_at) == ("wait", None)
    assert f"at most 10 min (recovery.{name})" in (fact.way_back or "")


def classified(name: str) -> Outcome:
    """An outcome that the classifier itself takes for such a failure."""
    lines = {
        "network": "ConnectionRefusedError: [Errno 111] Connection refused",
        "capacity": "429 RESOURCE_EXHAUSTED: Quota exceeded for quota metric",
        "permission": "google.api_core.exceptions.PermissionDenied: 403 PERMISSION_DENIED",
        "application": "ValueError: no such column",
    }
    outcome = make_outcome(Ending.FAILED)
    task = replace(outcome.failures[0], last_lines=(lines[name],))
    return replace(outcome, failures=(task,))


def test_what_is_not_declared_goes_by_the_general_rule() -> None:
    run = make_run(State.RUNNING, policy=RunPolicy(attempts_max=2, backoff=STEADY))
    assert isinstance(judge(run, failed("network"), NOW), Retry)
    assert holding.wait_for(running(), make_outcome(Ending.FAILED), NOW) is None
    disk = Failure(FailureClass.RESOURCE, "a rule", shortage=Shortage.DISK)
    assert holding.wait_for(running(), make_outcome(Ending.FAILED, failure=disk), NOW) is None


def test_a_wait_says_when_somebody_looks_and_till_when() -> None:
    run, until = running(), NOW + timedelta(seconds=600)
    found = holding.wait_for(run, failed("network"), NOW)
    first = Awaiting(NOW, until, NOW + timedelta(seconds=5))
    assert found == holding.AwaitNetwork(
        first,
        "it failed",
        "it waits until what it needs can be reached, at most 10 min (recovery.network)",
    )
    again = holding.looked(waiting("network"), first, "no", NOW)
    assert again == Awaiting(NOW, until, NOW + timedelta(seconds=10), 1, "no")


def test_no_attempt_beyond_the_declared_number() -> None:
    run = running(attempt=3)
    found = holding.wait_for(run, failed("network"), NOW)
    assert found == NoWayBack("attempt 3 of 3 by recovery.network.attempts")
    verdict = judge(run, failed("network"), NOW)
    assert verdict == GiveUp("it failed (attempt 3 of 3 by recovery.network.attempts)")
    assert run.policy.launches_max == 3


def test_a_refusal_for_want_of_permission_is_waited_for_where_that_is_declared() -> None:
    refused = failed("permission", Ending.REFUSED)
    assert isinstance(judge(running(), refused, NOW), holding.AwaitPermission)
    verdict = judge(running(Recovery()), refused, NOW)
    assert verdict == GiveUp("the provider refused it: it refused")
    assert isinstance(judge(running(), failed("network", Ending.REFUSED), NOW), GiveUp)


@pytest.mark.parametrize("name", HOLDS)
def test_what_is_there_lets_it_go_on_and_it_needs_no_room_of_its_job(name: str) -> None:
    run = waiting(name)
    after = decide(run, Restored("it is there"), ROOM, NOW).run
    assert (after.state, after.due_at, after.awaiting) == (State.BACKING_OFF, NOW, None)
    job_full = Facts({JOB: Slot(JOB, 1, 1), **{k: v for k, v in ROOM.slots.items() if k != JOB}})
    decision = decide(after, Due(), job_full, NOW)
    assert (decision.run.state, decision.effects) == (State.LAUNCHING, (Launch(2),))


def test_a_new_revision_forgets_what_was_given_more_to_the_one_before() -> None:
    run = waiting("application", scaled=Scaled(timeout_seconds=9))
    after = decide(run, Restored("", revision=4, by="ann"), ROOM, NOW).run
    assert (after.revision, after.scaled) == (4, UNSCALED)
    same = decide(run, Restored("", by="ann"), ROOM, NOW).run
    assert (same.revision, same.scaled) == (1, Scaled(timeout_seconds=9))


@pytest.mark.parametrize("name", HOLDS)
def test_what_is_not_there_in_time_is_a_death(name: str) -> None:
    run = waiting(name, reason="it failed")
    assert run.awaiting is not None
    late = decide(run, Looked(1, "nothing there"), ROOM, run.awaiting.until)
    assert (late.run.state, late.run.awaiting) == (State.DEAD, None)
    assert late.run.ended_at == run.awaiting.until
    rule = f"recovery.{name}.wait"
    assert late.run.reason == f"it failed (waited 10 min by {rule}: nothing there)"
    assert late.effects == (Alert(late.run.reason),)
    assert late.fact == WaitOver(late.run.reason)
    silent = decide(run, Looked(1, ""), ROOM, run.awaiting.until)
    assert silent.run.reason == f"it failed (waited 10 min by {rule})"


def test_a_look_is_counted_once() -> None:
    run = waiting("network")
    seen = decide(run, Looked(1, "no"), ROOM, NOW).run
    assert seen.awaiting is not None
    assert (seen.awaiting.looks, seen.awaiting.words) == (1, "no")
    for event in (Looked(1, "no"), Looked(3, "no")):
        with pytest.raises(IllegalTransition, match="is not the next"):
            decide(seen, event, ROOM, NOW)
    with pytest.raises(IllegalTransition):
        decide(running(), Looked(1, "no"), ROOM, NOW)
    with pytest.raises(IllegalTransition):
        decide(running(), Restored("yes"), ROOM, NOW)


@pytest.mark.parametrize("name", HOLDS)
@pytest.mark.parametrize(
    ("event", "state"),
    [(CancelRequested("ann"), State.CANCELLED), (DeadlinePassed(), State.DEAD)],
)
def test_a_wait_can_be_ended(name: str, event: Event, state: State) -> None:
    decision = decide(waiting(name), event, ROOM, NOW)
    assert (decision.run.state, decision.run.awaiting) == (state, None)
    assert (JOB, -1) in decision.slots


@pytest.mark.parametrize("name", HOLDS)
def test_what_its_attempt_held_is_released_meanwhile(name: str) -> None:
    run = waiting(name)
    assert decide(run, Released(1), ROOM, NOW).run.state is run.state


def test_nobody_looks_for_a_new_revision() -> None:
    run = waiting("application")
    assert run.awaiting is not None
    assert run.awaiting.look_at == run.awaiting.until


@given(
    st.sampled_from(["network", "capacity", "permission"]),
    st.lists(st.floats(0, 400), max_size=20),
    BACKOFFS,
)
def test_looks_are_never_too_dense_nor_too_far_apart(
    name: str, lateness: list[float], backoff: Backoff
) -> None:
    run = waiting(name)
    run = replace(run, policy=replace(run.policy, backoff=backoff))
    now = NOW
    for late_seconds in lateness:
        seen = run.awaiting
        if seen is None:
            assert run.state is State.DEAD
            return
        assert seen.look_at <= seen.until
        now = max(now, seen.look_at) + timedelta(seconds=late_seconds)
        run = decide(run, Looked(seen.looks + 1, "no"), ROOM, now).run
        if run.awaiting is not None:
            pause = (run.awaiting.look_at - now).total_seconds()
            assert pause <= LOOK_SECONDS_MAX[name]
            assert pause >= LOOK_SECONDS_MIN or run.awaiting.look_at == run.awaiting.until


def test_the_wait_is_told_in_the_story_of_the_run() -> None:
    run = running()
    steps: list[Event] = [
        Ended(1, classified("network")),
        Looked(1, "db:1 is away"),
        Looked(2, "db:1 is still away"),
        Restored("what it needs can be reached"),
        Due(),
    ]
    history: list[Happening] = []
    told = {}
    for number, step in enumerate(steps):
        now = NOW + timedelta(seconds=number)
        decision = decide(run, step, ROOM, now)
        run = decision.run
        history.append(Happening(now, decision.fact))
        told[number] = " ".join(explain(run, history, [], now))
    assert "It waits until what it needs can be reached, at most 10 min" in told[0]
    assert "It is awaiting_network after attempt 1" in told[0]
    assert "waits at most until" in told[0]
    assert "After 2 looks, the last at" in told[2]
    assert "db:1 is still away" in told[2]
    assert "db:1 is away" not in told[4]
    assert "It went on at 12:00:03 UTC, since what it needs can be reached" in told[4]


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (Restored("it is mended", 3, "ann"), "resumed by ann at {}: it is mended, with revision 3"),
        (Restored("", None, "ann"), "resumed by ann at {}."),
        (WaitOver("in vain"), "It waited in vain until {}."),
    ],
)
def test_each_end_of_a_wait_is_told(fact: Fact, words: str) -> None:
    told = " ".join(explain(make_run(State.BACKING_OFF), [Happening(NOW, fact)], [], NOW))
    assert words.format("12:00:00 UTC") in told


class Happening:
    """A fact as a history has it."""

    def __init__(self, at: Any, fact: Fact) -> None:
        self.at = at
        self.kind = kind_of(fact)
        self.data = json.loads(json.dumps(asdict(fact), default=lambda at: at.isoformat()))


def test_a_wait_and_a_declaration_come_back_from_their_rows() -> None:
    seen = Awaiting(NOW, NOW + timedelta(hours=1), NOW + timedelta(minutes=1), 2, "no")
    as_json = json.loads(json.dumps(asdict(seen), default=lambda at: at.isoformat()))
    assert Awaiting.of(as_json) == seen
    assert Awaiting.of(None) is None
    assert Recovery.of(json.loads(json.dumps(asdict(ALL)))) == ALL
    assert Recovery.of({"timeout": None, "memory": None}) == Recovery()


def test_a_job_declares_its_waits() -> None:
    spec = make_spec(recovery={"network": {}, "application": {"wait": "1h", "attempts": 2}})
    found = spec.policy().recovery
    assert found.network == Hold(5, 900)
    assert found.application == Hold(2, 3600)
    assert (found.capacity, found.permission) == (None, None)
    assert spec.policy().launches_max == 5
    defaults = make_spec(recovery={"capacity": {}, "permission": {}}).policy().recovery
    assert (defaults.capacity, defaults.permission) == (Hold(5, 3600), Hold(5, 14_400))


def test_every_wait_has_words_and_a_state() -> None:
    assert set(KINDS) == set(HOLDS) == set(holding.UNTIL)
    assert {state for _, _, state in KINDS.values()} == AWAITING
