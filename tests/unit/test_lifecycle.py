"""The lifecycle: every state and event, by table; its promises, by properties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.lifecycle import TRANSITIONS, Facts, Slot, decide, held, region_slot, wanted
from runyard.flow.recovery import DEADLINE
from runyard.model.effect import Alert, CancelOlder, Launch, Release, Stop
from runyard.model.errors import IllegalTransition
from runyard.model.event import (
    AttemptEnded,
    CancelRequested,
    DeadlinePassed,
    Delayed,
    Due,
    Ended,
    Event,
    Launched,
    Released,
    Skipped,
    SlotFreed,
    Started,
    Waited,
    kind_of,
)
from runyard.model.ids import RunId
from runyard.model.outcome import Ending
from runyard.model.run import FINAL, Backoff, Jitter, OnConflict, Run, RunPolicy, State
from tests.support.runs import NOW, make_outcome, make_run

LATER = NOW + timedelta(seconds=7)
REGION = region_slot("local", "us-central1")
JOB = "job/shop/local/report"


def slots(*, job: int = 0, region: int = 0) -> Mapping[str, Slot]:
    return {JOB: Slot(JOB, 1, job), REGION: Slot(REGION, 2, region)}


ROOM = Facts(slots())
LIMITED = RunPolicy(concurrency_limit=1)


def test_every_state_has_a_row_and_is_reachable() -> None:
    assert set(TRANSITIONS) == set(State)
    reached = {after for row in TRANSITIONS.values() for after in row.values()}
    assert reached == set(State)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_no_arrow_leaves_a_final_state(state: State) -> None:
    assert set(TRANSITIONS[state].values()) <= {state}


def test_a_due_run_starts_takes_its_slots_and_is_launched() -> None:
    run = make_run(policy=LIMITED, concurrency_slot=JOB)
    decision = decide(run, Due(), ROOM, LATER)
    after = decision.run
    assert (after.state, after.attempt, after.due_at) == (State.LAUNCHING, 1, None)
    assert after.started_at == LATER
    assert decision.fact == Started(1, 7.0)
    assert decision.effects == (Launch(1),)
    assert set(decision.slots) == {(JOB, 1), (REGION, 1)}


@pytest.mark.parametrize(
    ("facts", "slot"), [(Facts(slots(job=1)), JOB), (Facts(slots(region=2)), REGION)]
)
def test_a_due_run_waits_for_a_full_slot(facts: Facts, slot: str) -> None:
    decision = decide(make_run(policy=LIMITED, concurrency_slot=JOB), Due(), facts, NOW)
    assert (decision.run.state, decision.run.waiting_on) == (State.QUEUED, slot)
    assert decision.run.due_at is None
    assert decision.fact == Waited(slot, facts.slots[slot].capacity)
    assert decision.effects == ()
    assert decision.slots == ()


def test_a_freed_slot_makes_it_due() -> None:
    run = make_run(waiting_on=REGION, due_at=None)
    after = decide(run, SlotFreed(REGION), ROOM, LATER).run
    assert (after.waiting_on, after.due_at) == ("", LATER)


def test_a_job_that_skips_is_skipped_with_the_reason() -> None:
    policy = RunPolicy(concurrency_limit=1, on_conflict=OnConflict.SKIP)
    run = make_run(policy=policy, concurrency_slot=JOB)
    decision = decide(run, Due(), Facts(slots(job=1)), NOW)
    assert decision.run.state is State.SKIPPED
    assert decision.run.ended_at == NOW
    assert isinstance(decision.fact, Skipped)
    assert "the limit is 1" in decision.run.reason


def test_a_job_that_skips_still_waits_for_its_region() -> None:
    policy = RunPolicy(concurrency_limit=1, on_conflict=OnConflict.SKIP)
    run = make_run(policy=policy, concurrency_slot=JOB)
    assert decide(run, Due(), Facts(slots(region=2)), NOW).run.state is State.QUEUED


def test_a_newer_run_cancels_the_older_ones() -> None:
    policy = RunPolicy(concurrency_limit=1, on_conflict=OnConflict.CANCEL_OLDER)
    run = make_run(policy=policy, concurrency_slot=JOB)
    older = (RunId("run_1"), RunId("run_2"))
    decision = decide(run, Due(), Facts(slots(job=1), rivals=older), NOW)
    assert decision.run.waiting_on == JOB
    assert decision.effects == (CancelOlder(older[0]), CancelOlder(older[1]))


def test_a_retry_keeps_the_slot_of_its_job() -> None:
    run = make_run(
        State.BACKING_OFF, policy=LIMITED, concurrency_slot=JOB, due_at=NOW, started_at=NOW
    )
    decision = decide(run, Due(), Facts(slots(job=1)), LATER)
    assert decision.run.state is State.LAUNCHING
    assert decision.run.attempt == 2
    assert decision.run.started_at == NOW
    assert decision.slots == ((REGION, 1),)
    assert decision.fact == Started(2, 7.0)


def test_a_launched_attempt_has_the_provider_s_name() -> None:
    after = decide(make_run(State.LAUNCHING), Launched(1, "report-x1", ("w",)), ROOM, NOW).run
    assert (after.state, after.handle) == (State.RUNNING, "report-x1")


def test_a_delayed_launch_stays_on_its_way() -> None:
    event = Delayed(1, "503", LATER)
    decision = decide(make_run(State.LAUNCHING), event, ROOM, NOW)
    assert decision.run.state is State.LAUNCHING
    assert decision.fact == event


def test_a_success_charges_releases_and_frees() -> None:
    run = make_run(State.RUNNING, policy=LIMITED, concurrency_slot=JOB)
    decision = decide(run, Ended(1, make_outcome()), ROOM, LATER)
    assert decision.run.state is State.SUCCEEDED
    assert decision.run.ended_at == LATER
    assert decision.charge is not None
    assert decision.run.cost_nano_dollars == decision.charge.nano_dollars > 0
    assert decision.effects == (Release(1),)
    assert set(decision.slots) == {(JOB, -1), (REGION, -1)}
    assert isinstance(decision.fact, AttemptEnded)
    assert decision.fact.verdict == "done"


def test_a_failure_backs_off_and_keeps_its_job_s_slot() -> None:
    policy = RunPolicy(attempts_max=2, backoff=Backoff(10, 2, 60, Jitter.NONE), concurrency_limit=1)
    run = make_run(State.RUNNING, policy=policy, concurrency_slot=JOB)
    decision = decide(run, Ended(1, make_outcome(Ending.FAILED)), ROOM, NOW)
    after = decision.run
    assert (after.state, after.due_at) == (State.BACKING_OFF, NOW + timedelta(seconds=10))
    assert after.ended_at is None
    assert decision.slots == ((REGION, -1),)
    assert decision.effects == (Release(1),)


def test_a_dead_run_alerts_once() -> None:
    decision = decide(make_run(State.RUNNING), Ended(1, make_outcome(Ending.FAILED)), ROOM, NOW)
    assert decision.run.state is State.DEAD
    assert decision.effects == (Release(1), Alert(decision.run.reason))


@pytest.mark.parametrize("state", [State.QUEUED, State.BACKING_OFF])
def test_a_waiting_run_is_cancelled_at_once(state: State) -> None:
    decision = decide(make_run(state), CancelRequested("ann", "wrong month"), ROOM, NOW)
    assert decision.run.state is State.CANCELLED
    assert decision.run.reason == "cancelled by ann: wrong month"
    assert decision.run.ended_at == NOW
    assert decision.effects == ()


@pytest.mark.parametrize("state", [State.LAUNCHING, State.RUNNING])
def test_a_run_that_is_out_is_stopped_first(state: State) -> None:
    decision = decide(make_run(state), CancelRequested("ann"), ROOM, NOW)
    assert decision.run.state is State.STOPPING
    assert decision.effects == (Stop(1),)
    ended = decide(decision.run, Ended(1, make_outcome(Ending.CANCELLED)), ROOM, NOW)
    assert ended.run.state is State.CANCELLED
    assert ended.run.reason == "cancelled by ann"


@pytest.mark.parametrize("state", [State.QUEUED, State.BACKING_OFF])
def test_a_deadline_kills_what_waits(state: State) -> None:
    run = make_run(state, policy=RunPolicy(deadline_seconds=60))
    decision = decide(run, DeadlinePassed(), ROOM, NOW)
    assert decision.run.state is State.DEAD
    assert isinstance(decision.effects[0], Alert)


@pytest.mark.parametrize("state", [State.LAUNCHING, State.RUNNING])
def test_a_deadline_stops_what_is_out(state: State) -> None:
    run = make_run(state, policy=RunPolicy(deadline_seconds=60))
    decision = decide(run, DeadlinePassed(), ROOM, NOW)
    assert (decision.run.state, decision.run.stop_cause) == (State.STOPPING, DEADLINE)
    ended = decide(decision.run, Ended(1, make_outcome(Ending.CANCELLED)), ROOM, NOW)
    assert ended.run.state is State.DEAD
    assert any(isinstance(effect, Alert) for effect in ended.effects)


@pytest.mark.parametrize(
    "state", [each for each in State if each not in (State.QUEUED, State.SKIPPED)]
)
def test_a_release_changes_nothing_but_the_history(state: State) -> None:
    run = make_run(state)
    decision = decide(run, Released(1, (("folder", 2),)), ROOM, NOW)
    assert replace(decision.run, version=run.version) == run
    assert decision.effects == ()
    assert decision.slots == ()


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (State.SUCCEEDED, Due()),
        (State.DEAD, CancelRequested("ann")),
        (State.CANCELLED, DeadlinePassed()),
        (State.RUNNING, Due()),
        (State.QUEUED, Launched(1, "x")),
        (State.RUNNING, Ended(2, make_outcome())),
        (State.SUCCEEDED, Ended(1, make_outcome())),
        (State.BACKING_OFF, Delayed(1, "late", NOW)),
        (State.STOPPING, CancelRequested("ann")),
    ],
)
def test_what_the_table_does_not_have_is_refused(state: State, event: Event) -> None:
    with pytest.raises(IllegalTransition, match=str(state)):
        decide(make_run(state), event, ROOM, NOW)


def test_kinds_are_spelled_once() -> None:
    assert kind_of(AttemptEnded(1, make_outcome(), "done", "")) == "attempt_ended"
    assert kind_of(Started(1)) == "started"


EVENTS = st.one_of(
    st.just(Due()),
    st.just(CancelRequested("ann")),
    st.just(DeadlinePassed()),
    st.builds(SlotFreed, st.sampled_from([JOB, REGION])),
    st.builds(Launched, st.integers(1, 4), st.just("x")),
    st.builds(Delayed, st.integers(1, 4), st.just("503"), st.just(NOW)),
    st.builds(Released, st.integers(1, 4)),
    st.builds(Ended, st.integers(1, 4), st.sampled_from(Ending).map(make_outcome)),
)
POLICIES = st.builds(
    RunPolicy,
    attempts_max=st.integers(1, 3),
    timeout_attempts_max=st.integers(1, 3),
    concurrency_limit=st.just(1),
    on_conflict=st.sampled_from(OnConflict),
    deadline_seconds=st.just(60.0),
)


@given(POLICIES, st.lists(st.tuples(EVENTS, st.integers(0, 1), st.integers(0, 2)), max_size=40))
def test_the_promises_hold_for_every_story(
    policy: RunPolicy, story: list[tuple[Event, int, int]]
) -> None:
    run = make_run(policy=policy, concurrency_slot=JOB)
    launches: list[int] = []
    alerts = charges = taken = 0
    stopped_at: int | None = None
    for event, job_used, region_used in story:
        before = run
        try:
            decision = decide(run, event, Facts(slots(job=job_used, region=region_used)), NOW)
        except IllegalTransition:
            continue
        run = decision.run
        check_step(before, run)
        launches += [effect.attempt for effect in decision.effects if isinstance(effect, Launch)]
        alerts += sum(isinstance(effect, Alert) for effect in decision.effects)
        charges += decision.charge is not None
        taken += sum(change for _, change in decision.slots)
        if isinstance(event, CancelRequested) and stopped_at is None:
            stopped_at = len(launches)
    assert launches == list(range(1, run.attempt + 1))
    assert len(launches) <= max(policy.attempts_max, policy.timeout_attempts_max)
    assert alerts == (run.state is State.DEAD)
    assert charges == run.attempt - run.is_out
    assert taken == len(held(run))
    assert stopped_at in (None, len(launches))


def check_step(before: Run, after: Run) -> None:
    assert after.version == before.version + 1
    if before.is_final:
        assert replace(after, version=before.version) == before
    assert (after.ended_at is not None) == after.is_final
    assert (after.due_at is None) or not after.is_final
    assert held(after) <= set(wanted(after))
