"""What each event makes of a run in each state, as one table, and what a step leaves behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runyard.flow.lifecycle import Facts, Slot, decide, region_slot
from runyard.flow.recovery import DEADLINE
from runyard.model.effect import Stop
from runyard.model.errors import IllegalTransition
from runyard.model.event import (
    CancelRequested,
    DeadlinePassed,
    Delayed,
    Due,
    Ended,
    Event,
    Launched,
    Released,
    SlotFreed,
    Waited,
)
from runyard.model.ids import RunId
from runyard.model.outcome import Ending
from runyard.model.run import Backoff, Jitter, OnConflict, RunPolicy, State
from tests.support.runs import NOW, make_outcome, make_run

REGION = region_slot("local", "us-central1")
JOB = "job/shop/local/report"
ROOM = Facts({JOB: Slot(JOB, 1), REGION: Slot(REGION, 1)})
FULL = Facts({JOB: Slot(JOB, 1), REGION: Slot(REGION, 1, 1)})
JOB_FULL = Facts({JOB: Slot(JOB, 1, 1), REGION: Slot(REGION, 1)})
PATIENT = RunPolicy(
    attempts_max=2,
    backoff=Backoff(10, 2, 60, Jitter.NONE),
    concurrency_limit=1,
    on_conflict=OnConflict.SKIP,
)

COLUMNS = (State.QUEUED, State.LAUNCHING, State.RUNNING, State.BACKING_OFF, State.STOPPING)
ENDED = (State.SUCCEEDED, State.DEAD, State.CANCELLED)
NO = None  #: it may not happen

# fmt: off
STEPS: list[tuple[str, Event, Facts, int, tuple[State | None, ...]]] = [
    # what happens, with which facts, to which attempt: queued, launching, running, backing off,
    # stopping
    ("due, with room", Due(), ROOM, 1,
     (State.LAUNCHING, NO, NO, State.LAUNCHING, NO)),
    ("due, the region is full", Due(), FULL, 1,
     (State.QUEUED, NO, NO, State.BACKING_OFF, NO)),
    ("due, the job is full", Due(), JOB_FULL, 1,
     (State.SKIPPED, NO, NO, State.LAUNCHING, NO)),  # who backs off holds its job's slot
    ("room again", SlotFreed(REGION), ROOM, 1,
     (State.QUEUED, NO, NO, State.BACKING_OFF, NO)),
    ("launched", Launched(1, "x"), ROOM, 1,
     (NO, State.RUNNING, NO, NO, State.STOPPING)),
    ("delayed", Delayed(1, "503", NOW), ROOM, 1,
     (NO, State.LAUNCHING, NO, NO, NO)),
    ("succeeded", Ended(1, make_outcome()), ROOM, 1,
     (NO, State.SUCCEEDED, State.SUCCEEDED, NO, State.SUCCEEDED)),
    ("failed, attempts left", Ended(1, make_outcome(Ending.FAILED)), ROOM, 1,
     (NO, State.BACKING_OFF, State.BACKING_OFF, NO, State.CANCELLED)),
    ("failed, none left", Ended(2, make_outcome(Ending.FAILED)), ROOM, 2,
     (NO, State.DEAD, State.DEAD, NO, State.CANCELLED)),
    ("cancelled there", Ended(1, make_outcome(Ending.CANCELLED)), ROOM, 1,
     (NO, State.CANCELLED, State.CANCELLED, NO, State.CANCELLED)),
    ("to be cancelled", CancelRequested("ann"), ROOM, 1,
     (State.CANCELLED, State.STOPPING, State.STOPPING, State.CANCELLED, NO)),
    ("too late", DeadlinePassed(), ROOM, 1,
     (State.DEAD, State.STOPPING, State.STOPPING, State.DEAD, NO)),
    ("released", Released(1), ROOM, 1,
     (NO, State.LAUNCHING, State.RUNNING, State.BACKING_OFF, State.STOPPING)),
]
# fmt: on


def play(state: State, event: Event, facts: Facts, attempt: int) -> State | None:
    run = make_run(state, policy=PATIENT, concurrency_slot=JOB)
    if run.attempt:
        run = make_run(state, policy=PATIENT, concurrency_slot=JOB, attempt=attempt)
    try:
        return decide(run, event, facts, NOW).run.state
    except IllegalTransition:
        return None


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step[0])
def test_what_happens_makes_of_each_state(
    step: tuple[str, Event, Facts, int, tuple[State | None, ...]],
) -> None:
    _, event, facts, attempt, expected = step
    assert tuple(play(state, event, facts, attempt) for state in COLUMNS) == expected


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step[0])
def test_of_what_is_final_only_a_release_is_said_and_of_a_skipped_run_nothing(
    step: tuple[str, Event, Facts, int, tuple[State | None, ...]],
) -> None:
    _, event, facts, attempt, _ = step
    expected = ENDED if isinstance(event, Released) else (None, None, None)
    assert tuple(play(state, event, facts, attempt) for state in ENDED) == expected
    assert play(State.SKIPPED, event, facts, attempt) is None


def test_a_stop_by_deadline_that_fails_is_a_death() -> None:
    run = make_run(State.STOPPING, stop_cause=DEADLINE, policy=RunPolicy(deadline_seconds=5))
    after = decide(run, Ended(1, make_outcome(Ending.FAILED)), ROOM, NOW).run
    assert (after.state, after.reason) == (State.DEAD, "its deadline of 5 s passed")


@pytest.mark.parametrize("event", [CancelRequested("ann", "why"), DeadlinePassed()])
@pytest.mark.parametrize("state", [State.QUEUED, State.BACKING_OFF])
def test_who_is_stopped_while_it_waits_waits_no_more(state: State, event: Event) -> None:
    run = make_run(state, waiting_on=REGION, due_at=NOW, policy=RunPolicy(deadline_seconds=60))
    decision = decide(run, event, ROOM, NOW)
    assert (decision.run.waiting_on, decision.run.due_at) == ("", None)
    assert decision.run.ended_at == NOW
    assert decision.fact == event


def test_a_deadline_says_what_it_found_and_what_it_was() -> None:
    run = make_run(State.QUEUED, policy=RunPolicy(deadline_seconds=60))
    assert decide(run, DeadlinePassed(), ROOM, NOW).run.reason == (
        "its deadline of 60 s passed while it was queued"
    )


def test_who_is_stopped_while_it_is_out_is_stopped_at_the_provider_and_knows_why() -> None:
    run = make_run(State.RUNNING, attempt=3, policy=RunPolicy(deadline_seconds=60))
    for event, cause in ((CancelRequested("ann"), "cancel"), (DeadlinePassed(), DEADLINE)):
        decision = decide(run, event, ROOM, NOW)
        assert decision.run.stop_cause == cause
        assert decision.effects == (Stop(3),)
        assert decision.run.ended_at is None


def test_a_new_attempt_knows_nothing_of_the_last_one_s_place_and_name() -> None:
    run = make_run(State.BACKING_OFF, handle="report-1", waiting_on=REGION, due_at=NOW)
    after = decide(run, Due(), ROOM, NOW).run
    assert (after.attempt, after.handle, after.waiting_on, after.due_at) == (2, "", "", None)


@pytest.mark.parametrize(
    ("rule", "facts"), [(OnConflict.CANCEL_OLDER, FULL), (OnConflict.QUEUE, JOB_FULL)]
)
def test_older_runs_are_asked_to_go_only_for_their_job_s_room_and_by_its_rule(
    rule: OnConflict, facts: Facts
) -> None:
    policy = replace(PATIENT, on_conflict=rule)
    run = make_run(policy=policy, concurrency_slot=JOB)
    decision = decide(run, Due(), replace(facts, rivals=(RunId("run_1"),)), NOW)
    assert isinstance(decision.fact, Waited)
    assert decision.effects == ()
