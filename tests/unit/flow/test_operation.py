"""The lifecycle of operations: every state and event by table, its promises by properties."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.operation import (
    LOOKING,
    TOGETHER_MAX,
    TRANSITIONS,
    OperationDecision,
    begin,
    decide,
    together,
    together_back,
)
from runyard.model.effect import Compensate, Perform
from runyard.model.errors import IllegalTransition
from runyard.model.operation import (
    FINAL,
    Approval,
    Approved,
    Begun,
    CancelAsked,
    Compensated,
    CompensationFailed,
    Confirmed,
    Declined,
    Expired,
    Operation,
    OperationEvent,
    OperationState,
    Resumed,
    StepDelayed,
    StepDone,
    StepFailed,
    StepKind,
    StepResult,
)
from tests.support.operations import make_operation
from tests.support.runs import NOW

KINDS = (StepKind.NETWORK, StepKind.IDENTITY, StepKind.DEPLOY, StepKind.PROVE)
UNTIL = NOW + timedelta(minutes=10)
EVENTS: tuple[OperationEvent, ...] = (
    Begun("ann"), Confirmed("ann"), Approved("bob"), Declined("bob"), Expired(), CancelAsked("ann"),
    StepDone(0, StepResult(NOW)), StepFailed(0, "no"), StepDelayed(0, "later", UNTIL),
    Compensated(0), CompensationFailed(0, "no"), Resumed("ann"),
)  # fmt: skip
ALLOWED: dict[OperationState, set[type]] = {
    OperationState.WAITING: {Confirmed, Approved, Declined, Expired, CancelAsked},
    OperationState.RUNNING: {StepDone, StepFailed, StepDelayed, CancelAsked},
    OperationState.STOPPING: {StepDone, StepFailed, StepDelayed},
    OperationState.UNDOING: {Compensated, CompensationFailed, StepDelayed},
    OperationState.STUCK: {Resumed},
    OperationState.COMPLETE: set(),
    OperationState.UNDONE: set(),
}


def test_every_state_has_a_row_and_is_reachable() -> None:
    assert set(TRANSITIONS) == set(OperationState)
    reached = {after for row in TRANSITIONS.values() for after in row.values()}
    assert reached == set(OperationState)
    assert {state for state, row in TRANSITIONS.items() if not row} == FINAL


@pytest.mark.parametrize("state", OperationState)
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_happens_exactly_where_the_table_has_it(
    state: OperationState, event: OperationEvent
) -> None:
    operation = make_operation(StepKind.DEPLOY, state=state, version=3)
    if type(event) in ALLOWED[state]:
        decision = decide(operation, event, NOW)
        after = decision.operation
        assert decision.fact == event
        assert after.version == 4
        assert after.state in TRANSITIONS[state].values()
    else:
        with pytest.raises(IllegalTransition, match=f"cannot happen while {state}"):
            decide(operation, event, NOW)


@pytest.mark.parametrize("state", ["running", "stopping", "undoing"])
def test_an_event_about_a_step_that_is_not_out_comes_too_late(state: str) -> None:
    operation = make_operation(*KINDS, state=OperationState(state), position=2)
    for event in (
        StepDone(1, StepResult(NOW)), StepFailed(3, "no"), StepDelayed(1, "no", NOW),
        Compensated(1), CompensationFailed(0, "no"),
    ):  # fmt: skip
        with pytest.raises(IllegalTransition):
            decide(operation, event, NOW)


def test_it_begins_with_its_first_step_or_waits_for_people() -> None:
    assert begin(make_operation(*KINDS), UNTIL).effects[0].step == 0
    unsafe = make_operation(*KINDS, unsafe=("all is lost",), approvals_needed=1)
    waiting = begin(unsafe, UNTIL)
    assert (waiting.operation.state, waiting.operation.due_at) == ("waiting", UNTIL)
    assert waiting.effects == ()
    confirmed = decide(waiting.operation, Confirmed("ann"), NOW)
    assert (confirmed.operation.state, confirmed.effects) == ("waiting", ())
    approved = decide(confirmed.operation, Approved("bob"), NOW)
    assert (approved.operation.state, approved.operation.due_at) == ("running", None)
    assert approved.effects == (Perform(unsafe.id, 0),)
    assert (waiting.fact, waiting.operation.version) == (Begun(unsafe.requested_by), 1)
    known = replace(unsafe, confirmed_by="ann", approvals_needed=0, state=OperationState.WAITING)
    assert begin(known, UNTIL).fact == Begun(unsafe.requested_by)
    assert begin(known, UNTIL).operation.state is OperationState.RUNNING


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (Declined("bob"), "declined by bob"),
        (CancelAsked("ann", "a mistake"), "cancelled by ann: a mistake"),
        (Expired(), "nobody said yes in time"),
    ],
)
def test_a_no_ends_what_waits(event: OperationEvent, why: str) -> None:
    waiting = begin(make_operation(*KINDS, approvals_needed=1), UNTIL).operation
    after = decide(waiting, event, NOW).operation
    assert (after.state, after.error, after.ended_at, after.due_at) == ("undone", why, NOW, None)


def test_what_is_in_the_way_is_told_until_it_goes_on() -> None:
    running = begin(make_operation(*KINDS), UNTIL).operation
    late = decide(running, StepDelayed(0, "away", UNTIL), NOW)
    assert late.operation == replace(running, trouble="away", version=2)
    assert late.effects == ()
    again = decide(late.operation, StepDone(0, StepResult(NOW)), NOW).operation
    assert again.trouble == ""
    undoing = make_operation(*KINDS, state=OperationState.UNDOING, position=2, error="no")
    stuck = decide(undoing, CompensationFailed(2, "it will not", "mend it"), NOW)
    assert stuck.operation == replace(
        undoing, state=OperationState.STUCK, trouble="it will not", hint="mend it", version=1
    )
    assert stuck.effects == ()
    resumed = decide(stuck.operation, Resumed("bob"), NOW)
    assert resumed.operation == replace(undoing, hint="mend it", version=2)
    assert resumed.effects == (Compensate(undoing.id, 2),)


def test_people_who_said_yes_are_kept_with_the_instant_and_once() -> None:
    waiting = begin(make_operation(*KINDS, approvals_needed=3, unsafe=("x",)), UNTIL).operation
    later = NOW + timedelta(minutes=1)
    first = decide(waiting, Approved("bob"), later).operation
    again = decide(first, Approved("bob"), UNTIL).operation
    decision = decide(again, Confirmed("ann"), UNTIL)
    assert (decision.fact, decision.effects) == (Confirmed("ann"), ())
    both = decision.operation
    assert both == replace(
        waiting, approvals=(Approval("bob", later),), confirmed_by="ann", version=4
    )


def test_results_are_kept_in_order_and_the_last_one_completes() -> None:
    running = begin(make_operation(StepKind.DEPLOY, StepKind.DEPLOY, StepKind.PROVE), UNTIL)
    one, two, three = (StepResult(NOW, word) for word in ("one", "two", "three"))
    proving = decide(running.operation, StepDone(0, one, (two,)), NOW)
    assert (proving.operation.results, proving.operation.position) == ((one, two), 2)
    complete = decide(proving.operation, StepDone(2, three), UNTIL)
    assert complete.operation == replace(
        proving.operation,
        state=OperationState.COMPLETE,
        results=(one, two, three),
        ended_at=UNTIL,
        version=3,
    )
    assert complete.effects == ()


@pytest.mark.parametrize(
    ("event", "failed_step", "error", "hint"),
    [
        (StepDone(0, StepResult(NOW)), None, "cancelled by ann", ""),
        (StepDelayed(0, "away", UNTIL), 0, "cancelled by ann", ""),
        (StepFailed(0, "no", "mend it"), 0, "cancelled by ann", "mend it"),
        (StepFailed(0, "no", "mend it", 1), 1, "cancelled by ann", "mend it"),
    ],
)
def test_what_is_stopped_is_undone_from_the_last_step_that_was_out(
    event: OperationEvent, failed_step: int | None, error: str, hint: str
) -> None:
    draft = make_operation(StepKind.DEPLOY, StepKind.DEPLOY, StepKind.PROVE)
    stopping = decide(begin(draft, UNTIL).operation, CancelAsked("ann"), NOW).operation
    decision = decide(stopping, event, NOW)
    after = decision.operation
    assert (after.state, after.position, after.trouble) == (OperationState.UNDOING, 1, "")
    assert (after.failed_step, after.error, after.hint) == (failed_step, error, hint)
    assert decision.effects == (Compensate(draft.id, 1),)


def test_what_only_looked_is_not_undone() -> None:
    running = begin(make_operation(*KINDS), UNTIL).operation
    failed = decide(running, StepFailed(0, "no", "mend it"), NOW)
    assert (failed.operation.state, failed.operation.hint) == ("undone", "mend it")
    assert failed.effects == ()


def test_a_step_that_failed_is_undone_too() -> None:
    operation = begin(make_operation(*KINDS), UNTIL).operation
    for step in range(2):
        operation = decide(operation, StepDone(step, StepResult(NOW)), NOW).operation
    failed = decide(operation, StepFailed(2, "no"), NOW)
    assert failed.effects == (Compensate(operation.id, 2),)
    next_one = decide(failed.operation, Compensated(2), NOW)
    assert next_one.effects == (Compensate(operation.id, 1),)
    last = decide(next_one.operation, Compensated(1), NOW).operation
    assert (last.state, last.error) == ("undone", "no")


def test_steps_of_one_kind_go_together_and_are_undone_together() -> None:
    network, deploy = StepKind.NETWORK, StepKind.DEPLOY
    draft = make_operation(network, network, *[deploy] * (TOGETHER_MAX + 1), StepKind.PROVE)
    running = begin(draft, UNTIL).operation
    assert together(running) == range(2)
    result = StepResult(NOW)
    deploying = decide(running, StepDone(0, result, (result,)), NOW)
    assert deploying.effects == (Perform(draft.id, 2),)
    row = deploying.operation
    assert together(row) == range(2, TOGETHER_MAX + 2)
    failed = decide(row, StepFailed(2, "no", "mend it", 5), NOW)
    assert failed.operation.failed_step == 5
    last = TOGETHER_MAX + 1
    assert failed.effects == (Compensate(draft.id, last),)
    assert together_back(failed.operation) == range(2, last + 1)
    undone = decide(failed.operation, Compensated(last, "", TOGETHER_MAX), NOW).operation
    assert undone.state == "undone"
    after = decide(row, StepDone(2, result, (result,) * (TOGETHER_MAX - 1)), NOW).operation
    assert together(after) == range(last + 1, last + 2)
    assert together_back(replace(after, position=last + 1)) == range(3, last + 2)


def test_what_is_of_one_kind_goes_together_from_the_first_to_the_last() -> None:
    row = begin(make_operation(*[StepKind.DEPLOY] * 3), UNTIL).operation
    assert together(row) == range(3)
    assert together_back(replace(row, position=2)) == range(3)


def test_what_is_undone_is_over_when_it_is_told_and_each_step_is_a_fact() -> None:
    draft = make_operation(StepKind.NETWORK, StepKind.DEPLOY)
    running = begin(draft, UNTIL).operation
    done = StepDone(0, StepResult(NOW))
    assert decide(running, done, NOW).fact == done
    failed = decide(running, StepFailed(0, "no"), NOW).operation
    assert (failed.state, failed.ended_at) == ("undone", NOW)
    delayed = decide(running, StepDelayed(0, "later", UNTIL), NOW).operation
    ended = decide(delayed, StepFailed(0, "no"), NOW).operation
    assert (ended.trouble, ended.due_at) == ("", None)
    deploying = decide(running, done, NOW).operation
    undoing = decide(deploying, StepFailed(1, "no"), NOW).operation
    undone = decide(undoing, Compensated(1), UNTIL).operation
    assert (undone.state, undone.ended_at) == ("undone", UNTIL)
    stopping = decide(running, CancelAsked("ann"), NOW).operation
    stopped = decide(stopping, done, UNTIL).operation
    assert (stopped.state, stopped.ended_at) == ("undone", UNTIL)


class Life:
    """Lives through an operation and holds its promises after every step."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.out: set[Perform | Compensate] = set()
        self.begun: set[int] = set()
        self.undone: list[int] = []
        self.asked_to_stop = False

    def take(self, decision: OperationDecision) -> None:
        before, self.operation = self.operation, decision.operation
        assert not before.is_final
        if isinstance(decision.fact, Compensated):
            gone = range(before.position, before.position - decision.fact.count, -1)
            assert not set(gone) & set(self.undone)
            self.undone += gone
        for effect in decision.effects:
            assert effect.step == self.operation.position
            if isinstance(effect, Perform):
                assert not self.asked_to_stop
                assert effect.step == len(self.operation.results)
                self.begun |= set(together(self.operation))
            else:
                assert effect.step not in self.undone
        self.out |= set(decision.effects)
        assert self.undone == sorted(self.undone, reverse=True)
        if self.operation.state is OperationState.COMPLETE:
            assert len(self.operation.results) == len(self.operation.steps)
            assert self.undone == []
        if self.operation.state is OperationState.UNDONE:
            steps = self.operation.steps
            wanted = {each for each in self.begun if steps[each].kind not in LOOKING}
            assert wanted == set(self.undone)


@given(
    kinds=st.lists(st.sampled_from(StepKind), min_size=1, max_size=6),
    approvals=st.integers(0, 2),
    data=st.data(),
)
def test_whatever_happens_it_ends_complete_or_undone(
    kinds: list[StepKind], approvals: int, data: st.DataObject
) -> None:
    draft = make_operation(*kinds, approvals_needed=approvals)
    life = Life(replace(draft, state=OperationState.WAITING))
    life.take(begin(draft, UNTIL))
    for _ in range(60):
        event = _event(life.operation, data)
        try:
            life.take(decide(life.operation, event, NOW))
        except IllegalTransition:
            continue
        life.asked_to_stop |= isinstance(event, CancelAsked)
    while not life.operation.is_final:
        life.take(decide(life.operation, _good(life.operation), NOW))


def _event(operation: Operation, data: st.DataObject) -> OperationEvent:
    step = data.draw(st.integers(0, len(operation.steps) - 1))
    position = data.draw(st.sampled_from([operation.position, operation.position, step]))
    more = (StepResult(NOW),) * (
        data.draw(st.sampled_from(together(operation))) - operation.position
    )
    count = operation.position + 1 - data.draw(st.sampled_from(together_back(operation)))
    events: list[OperationEvent] = (
            [
                Approved("bob"), Approved("eve"), CancelAsked("ann"), Resumed("ann"),
                StepDone(position, StepResult(NOW), more), StepDone(position, StepResult(NOW)),
                StepFailed(position, "no"), StepDelayed(position, "later", NOW),
                Compensated(position, "", count), CompensationFailed(position, "no"),
            ]
    )  # fmt: skip
    return data.draw(st.sampled_from(events))


def _good(operation: Operation) -> OperationEvent:
    """What leads on from here."""
    match operation.state:
        case OperationState.WAITING:
            return Declined("ann")
        case OperationState.STUCK:
            return Resumed("ann")
        case OperationState.UNDOING:
            return Compensated(operation.position)
        case _:
            return StepDone(operation.position, StepResult(NOW))
