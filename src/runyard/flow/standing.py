"""Where a job stands after each decision on the operation that has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from runyard.flow.operation import TOGETHER_MAX, together
from runyard.model.condition import READY, Condition, ConditionState
from runyard.model.operation import Change, JobChange, Operation, OperationState, StepKind
from runyard.model.standing import Standing

TYPES = {
    StepKind.NETWORK: "NetworkReady",
    StepKind.IDENTITY: "IdentityReady",
    StepKind.SECRETS: "SecretsReady",
    StepKind.DEPLOY: "Deployed",
    StepKind.PROVE: READY,
}
VALIDATED = "Validated"


Places = Mapping[int, Sequence[int]]  #: the places of a job's steps, by its number


def places(operation: Operation) -> Places:
    """Where each job's steps are among all, found once for all jobs."""
    found: dict[int, list[int]] = {}
    for place, step in enumerate(operation.steps):
        found.setdefault(step.job, []).append(place)
    return found


def standing(
    operation: Operation,
    number: int,
    before: Standing | None,
    now: datetime,
    steps: Places | None = None,
) -> Standing | None:
    """Where the job of this number stands now; None: there is none.

    `before` is where it stood before the decision. `steps`: `places(operation)`, if it is at hand.
    """
    own = (places(operation) if steps is None else steps).get(number, ())
    change = operation.jobs[number]
    match operation.state:
        case OperationState.COMPLETE:
            return _complete(operation, number, now, own)
        case OperationState.UNDONE:
            if before is None or not change.base:
                return None
            return replace(before, operation="", blocked="")
        case OperationState.STUCK:
            return _stuck(operation, number, before, now)
        case _:
            return _under_way(operation, number, before, own)


def _complete(
    operation: Operation, number: int, now: datetime, own: Sequence[int]
) -> Standing | None:
    change = operation.jobs[number]
    if change.document is None:
        return None
    return Standing(
        change.revision,
        change.document,
        conditions=conditions(operation, number, now, own),
    )


def _under_way(
    operation: Operation, number: int, before: Standing | None, own: Sequence[int]
) -> Standing | None:
    change = operation.jobs[number]
    if not change.base and change.document is not None:
        return Standing(
            change.revision,
            change.document,
            operation.id,
            f"it is being {change.change} by {operation.requested_by}: {operation.id}",
            conditions(operation, number, operation.requested_at, own),
        )
    if before is None:
        return None
    blocked = ""
    if change.change is Change.DELETED:
        blocked = f"it is being deleted by {operation.requested_by}: {operation.id}"
    return replace(before, operation=operation.id, blocked=blocked)


def _stuck(
    operation: Operation, number: int, before: Standing | None, now: datetime
) -> Standing | None:
    if before is None or operation.steps[operation.position].job != number:
        return before
    words = (
        f"{operation.id} could not be undone: {operation.trouble}; "
        f"mend it, then `runyard operations resume {operation.id}`"
    )
    failed = Condition(READY, ConditionState.FAILED, now, "Stuck", operation.trouble)
    others = tuple(one for one in before.conditions if one.type != READY)
    return replace(before, blocked=words, conditions=(*others, failed))


def conditions(
    operation: Operation, number: int, now: datetime, own: Sequence[int] | None = None
) -> tuple[Condition, ...]:
    """What its steps (at the places `own`) have made of a job, in their order; `Ready` is the last.

    When a change needed no step of its own, what is in force is as it was: it is ready.
    """
    change: JobChange = operation.jobs[number]
    made = [Condition(VALIDATED, ConditionState.SUCCEEDED, operation.requested_at)]
    for place in places(operation).get(number, ()) if own is None else own:
        if operation.steps[place].kind in TYPES:
            made.append(_condition(operation, place))
    if made[-1].type != READY:
        made.append(Condition(READY, ConditionState.SUCCEEDED, now, message=f"{change.change}"))
    return tuple(made)


def _condition(operation: Operation, place: int) -> Condition:
    step = operation.steps[place]
    name = TYPES[step.kind] + (f"/{step.region}" if step.region else "")
    if place < len(operation.results):
        result = operation.results[place]
        state = ConditionState.SUCCEEDED
        return Condition(name, state, result.at, result.reason, result.message)
    if operation.state is OperationState.RUNNING and _is_out(operation, place):
        state, words = ConditionState.RECONCILING, operation.trouble
        return Condition(name, state, operation.requested_at, message=words)
    return Condition(name, ConditionState.PENDING, operation.requested_at)


def _is_out(operation: Operation, place: int) -> bool:
    """Of the kind that is out; cheaper than `together` for each of a thousand jobs."""
    near = operation.position <= place < operation.position + TOGETHER_MAX
    return near and operation.steps[place].kind is operation.steps[operation.position].kind


def touched(operation: Operation, was: OperationState | None) -> tuple[int, ...]:
    """The jobs whose standing may have changed by a decision; `was` None: it has just begun."""
    if was is not operation.state or operation.is_final:
        return tuple(range(len(operation.jobs)))
    last = max(0, operation.position - TOGETHER_MAX)
    near = operation.steps[last : together(operation)[-1] + 1]
    return tuple(dict.fromkeys(step.job for step in near))
