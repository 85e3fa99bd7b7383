"""The lifecycle of an operation. All of it; nothing about it lives elsewhere.

    WAITING --Accepted--> RUNNING --Finished--> COMPLETE
       |                  |     |
    Declined, Expired,    |   CancelAsked --> STOPPING
    CancelAsked           |                      |
       v                  +---- StepFailed ------+--> UNDOING --Undone--> UNDONE
    UNDONE                                             |   ^
                                     CompensationFailed|   |Resumed
                                                       v   |
                                                       STUCK

Rule 1  What may follow what is said by TRANSITIONS, and by nothing else.
Rule 2  One step is out at a time, with those of its kind that follow it; an event about another
        one comes too late.
Rule 3  A step that failed is undone too, with all that were out: nobody knows how much was done.

Promises, each an invariant of the property and simulation tests: final is final; no step is done
after a cancel was accepted; kinds of steps are undone in the opposite order, each step that may
have been begun and none twice; what is complete has done every step, what is undone has undone all
that it began.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from runyard.model.effect import Compensate, Perform
from runyard.model.errors import IllegalTransition
from runyard.model.operation import (
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
)

State = OperationState


class Accepted:
    """A yes that was the last one it waited for."""


class Finished:
    """The step that is done was the last one."""


class Undone:
    """There is nothing of it left to undo."""


# fmt: off
TRANSITIONS: dict[State, dict[type, State]] = {
    State.WAITING:  {Confirmed: State.WAITING, Approved: State.WAITING, Accepted: State.RUNNING,
                     Declined: State.UNDONE, Expired: State.UNDONE, CancelAsked: State.UNDONE},
    State.RUNNING:  {StepDone: State.RUNNING, Finished: State.COMPLETE, StepDelayed: State.RUNNING,
                     StepFailed: State.UNDOING, Undone: State.UNDONE,
                     CancelAsked: State.STOPPING},
    State.STOPPING: {StepDone: State.UNDOING, StepFailed: State.UNDOING,
                     StepDelayed: State.UNDOING, Undone: State.UNDONE},
    State.UNDOING:  {Compensated: State.UNDOING, Undone: State.UNDONE, StepDelayed: State.UNDOING,
                     CompensationFailed: State.STUCK},
    State.STUCK:    {Resumed: State.UNDOING},
    State.COMPLETE: {},
    State.UNDONE:   {},
}
# fmt: on

#: Steps that only look: there is nothing of them to undo.
LOOKING = frozenset({StepKind.NETWORK, StepKind.PROVE, StepKind.RUNS})
TOGETHER_MAX = 500
"""Steps that go together: an operation of a thousand jobs is then some ten turns of its row and not
thousands, each of which reads and writes all of it."""


def together(operation: Operation) -> range:
    """The steps that are out: the one at the position, and those of its kind that follow it."""
    first, steps = operation.position, operation.steps
    last = first
    while last + 1 < len(steps) and last + 1 - first < TOGETHER_MAX:
        if steps[last + 1].kind is not steps[first].kind:
            break
        last += 1
    return range(first, last + 1)


def together_back(operation: Operation) -> range:
    """The steps that are being undone: the one at the position, and those of its kind before it."""
    last, steps = operation.position, operation.steps
    first = last
    while first > 0 and last - first + 1 < TOGETHER_MAX:
        if steps[first - 1].kind is not steps[last].kind:
            break
        first -= 1
    return range(first, last + 1)


@dataclass(frozen=True, slots=True)
class OperationDecision:
    """One step: the new row, the fact for its history, the requests for the outbox."""

    operation: Operation
    fact: OperationEvent
    effects: tuple[Perform | Compensate, ...] = ()


def begin(draft: Operation, waits_until: datetime) -> OperationDecision:
    """The first decision on an operation that was drafted (`flow.undertaking`; it has a step): it
    waits for people, at most until `waits_until`, or begins."""
    event = Begun(draft.requested_by)
    if draft.waits_for_confirmation or draft.approvals_missing:
        row = replace(draft, state=State.WAITING, due_at=waits_until, version=1)
        return OperationDecision(row, event)
    return _go(replace(draft, state=State.RUNNING, version=1), event)


def decide(operation: Operation, event: OperationEvent, now: datetime) -> OperationDecision:
    """Say what `event`, at `now` (UTC), makes of `operation`.

    Raises IllegalTransition when the table has no such step, or when `event` is about a step that
    is not out.
    """
    match event:
        case Confirmed() | Approved():
            return _said_yes(operation, event, now)
        case Declined() | Expired() | CancelAsked():
            return _stopped(operation, event, now)
        case StepDone():
            return _step_done(operation, event, now)
        case StepFailed() | StepDelayed():
            return _not_done(operation, event, now)
        case Compensated():
            return _compensated(operation, event, now)
        case CompensationFailed():
            return _stuck(operation, event)
        case _:
            return _resumed(operation, event)


def _stuck(operation: Operation, event: CompensationFailed) -> OperationDecision:
    _check_out(operation, event.step)
    row = replace(_to(operation, CompensationFailed), trouble=event.message, hint=event.hint)
    return OperationDecision(row, event)


def _resumed(operation: Operation, event: Begun | Resumed) -> OperationDecision:
    row = replace(_to(operation, type(event)), trouble="")
    return OperationDecision(row, event, (Compensate(row.id, row.position),))


def _said_yes(
    operation: Operation, event: Confirmed | Approved, now: datetime
) -> OperationDecision:
    row = _to(operation, type(event))
    if isinstance(event, Confirmed):
        row = replace(row, confirmed_by=event.by)
    elif event.by not in {approval.by for approval in row.approvals}:
        row = replace(row, approvals=(*row.approvals, Approval(event.by, now)))
    if row.waits_for_confirmation or row.approvals_missing:
        return OperationDecision(row, event)
    return _go(replace(row, state=_next(operation, Accepted)), event)


def _stopped(
    operation: Operation, event: Declined | Expired | CancelAsked, now: datetime
) -> OperationDecision:
    row = replace(_to(operation, type(event)), error=_why(event))
    return OperationDecision(_ended(row, now), event)


def _why(event: Declined | Expired | CancelAsked) -> str:
    if isinstance(event, Expired):
        return "nobody said yes in time"
    did = "declined" if isinstance(event, Declined) else "cancelled"
    return f"{did} by {event.by}" + (f": {event.reason}" if event.reason else "")


def _step_done(operation: Operation, event: StepDone, now: datetime) -> OperationDecision:
    _check_out(operation, event.step)
    results = (*operation.results, event.result, *event.others)
    row = replace(operation, results=results, trouble="")
    if operation.state is State.STOPPING:
        return _undo(row, StepDone, event, together(row)[-1], now)
    following = event.step + 1 + len(event.others)
    if following < len(row.steps):
        after = replace(_to(row, StepDone), position=following)
        return OperationDecision(after, event, (Perform(row.id, after.position),))
    return OperationDecision(_ended(_to(row, Finished), now), event)


def _not_done(
    operation: Operation, event: StepFailed | StepDelayed, now: datetime
) -> OperationDecision:
    _check_out(operation, event.step)
    row = replace(operation, trouble=event.message)
    if isinstance(event, StepFailed):
        row = replace(row, error=operation.error or event.message, hint=event.hint)
    elif operation.state in (State.RUNNING, State.UNDOING):
        return OperationDecision(_to(row, StepDelayed), event)
    failed = event.failed if isinstance(event, StepFailed) else None
    row = replace(row, failed_step=row.position if failed is None else failed)
    return _undo(row, type(event), event, together(row)[-1], now)


def _compensated(operation: Operation, event: Compensated, now: datetime) -> OperationDecision:
    _check_out(operation, event.step)
    return _undo(operation, Compensated, event, operation.position - event.count, now)


def _undo(
    operation: Operation, cause: type, event: OperationEvent, last: int, now: datetime
) -> OperationDecision:
    """Undo on, from step `last` down; what only looked is passed over."""
    undoing = _to(operation, cause)
    for step in range(last, -1, -1):
        if operation.steps[step].kind not in LOOKING:
            row = replace(undoing, position=step, trouble="")
            return OperationDecision(row, event, (Compensate(row.id, step),))
    return OperationDecision(_ended(_to(operation, Undone), now), event)


def _go(operation: Operation, event: OperationEvent) -> OperationDecision:
    row = replace(operation, due_at=None)
    return OperationDecision(row, event, (Perform(row.id, 0),))


def _ended(operation: Operation, now: datetime) -> Operation:
    if not operation.is_final:
        return operation
    return replace(operation, ended_at=now, due_at=None, trouble="")


def _check_out(operation: Operation, step: int) -> None:
    if step != operation.position:
        raise IllegalTransition(f"{operation.id}: step {step} is not out")


def _to(operation: Operation, cause: type) -> Operation:
    return replace(operation, state=_next(operation, cause), version=operation.version + 1)


def _next(operation: Operation, cause: type) -> State:
    try:
        return TRANSITIONS[operation.state][cause]
    except KeyError:
        message = f"{operation.id}: {cause.__name__} cannot happen while {operation.state}"
        raise IllegalTransition(message) from None
