"""How far each step of an operation is, for people to look at. Pure."""

from __future__ import annotations

from enum import StrEnum

from runyard.flow.operation import LOOKING
from runyard.model.operation import Operation, OperationState


class StepState(StrEnum):
    """How far a step is."""

    PENDING = "pending"  # not begun
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # and there was nothing of it to undo
    UNDOING = "undoing"
    STUCK = "stuck"  # it cannot be undone
    UNDONE = "undone"


_FORWARD = frozenset({OperationState.RUNNING, OperationState.STOPPING})


def step_state(operation: Operation, number: int) -> StepState:
    """How far the step of this number is."""
    state, position = operation.state, operation.position
    begun = number < len(operation.results) or number == operation.failed_step
    if state in _FORWARD and number == position:
        return StepState.RUNNING
    if not begun:
        return StepState.PENDING
    if operation.steps[number].kind in LOOKING:
        return StepState.FAILED if number == operation.failed_step else StepState.DONE
    if state is OperationState.UNDONE:
        return StepState.UNDONE
    if state in (OperationState.UNDOING, OperationState.STUCK) and number >= position:
        return StepState(state) if number == position else StepState.UNDONE
    return StepState.DONE


def said(operation: Operation, number: int) -> str:
    """What is to be said of a step: what it found or did, or why it is not done."""
    if number == operation.failed_step:
        return operation.error
    if number < len(operation.results):
        return operation.results[number].message
    return operation.trouble if number == operation.position else ""
