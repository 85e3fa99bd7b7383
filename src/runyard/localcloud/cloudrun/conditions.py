"""Google's conditions of executions and tasks, derived from their state. Pure.

Types, states and reasons are those of Cloud Run v2 (`Condition`); `Completed` is what gcloud takes
as the ready condition. Nothing here is kept: the same row always gives the same conditions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from runyard.localcloud.cloudrun.messages import duration_text
from runyard.localcloud.cloudrun.resources import (
    Execution,
    ExecutionState,
    Job,
    Reason,
    Task,
    TaskState,
)


class ConditionState(StrEnum):
    """Google's `Condition.State`, without its prefix CONDITION_."""

    PENDING = "PENDING"
    RECONCILING = "RECONCILING"
    FAILED = "FAILED"
    SUCCEEDED = "SUCCEEDED"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. `reason` is a name of v2's `reason` or `executionReason`, or empty."""

    type: str
    state: ConditionState
    message: str
    changed_at: datetime
    reason: str = ""


_COMPLETED = {
    ExecutionState.SUCCEEDED: ConditionState.SUCCEEDED,
    ExecutionState.FAILED: ConditionState.FAILED,
    ExecutionState.CANCELLED: ConditionState.FAILED,
    ExecutionState.PENDING: ConditionState.PENDING,
}
_STATUS = {
    ExecutionState.PENDING: "EXECUTION_PENDING",
    ExecutionState.SUCCEEDED: "EXECUTION_SUCCEEDED",
    ExecutionState.FAILED: "EXECUTION_FAILED",
    ExecutionState.CANCELLED: "EXECUTION_CANCELLED",
}
_TASK_COMPLETED = {
    TaskState.PENDING: ConditionState.PENDING,
    TaskState.RUNNING: ConditionState.RECONCILING,
    TaskState.SUCCEEDED: ConditionState.SUCCEEDED,
    TaskState.FAILED: ConditionState.FAILED,
    TaskState.CANCELLED: ConditionState.FAILED,
}


def job_conditions(job: Job, unready: str = "") -> tuple[Condition, ...]:
    """Ready, the only one that jobs have; `unready` is why it is not."""
    if unready:
        return (Condition("Ready", ConditionState.FAILED, unready, job.updated_at, "INTERNAL"),)
    return (Condition("Ready", ConditionState.SUCCEEDED, "", job.updated_at),)


def completion_status(execution: Execution) -> str:
    """Google's ExecutionReference.completionStatus."""
    return _STATUS.get(execution.state, "EXECUTION_RUNNING")


def execution_conditions(execution: Execution) -> tuple[Condition, ...]:
    """Completed, ResourcesAvailable and Started, in gcloud's order."""
    return (_completed(execution), _resources_available(execution), _started(execution))


def _completed(execution: Execution) -> Condition:
    state = _COMPLETED.get(execution.state, ConditionState.RECONCILING)
    ended_at = execution.completed_at
    reason = str(execution.reason)
    if ended_at is None:
        message = execution.message or "Waiting for execution to complete."
        changed_at = execution.cancel_asked_at or execution.started_at or execution.created_at
        return Condition("Completed", state, message, changed_at, reason)
    message = execution.message
    if state is ConditionState.SUCCEEDED:
        length = duration_text(ended_at - (execution.started_at or execution.created_at))
        message = f"Execution completed successfully in {length}."
    return Condition("Completed", state, message, ended_at, reason)


def _resources_available(execution: Execution) -> Condition:
    name = "ResourcesAvailable"
    if execution.started_at is not None:
        message = "Provisioned imported containers."
        return Condition(name, ConditionState.SUCCEEDED, message, execution.started_at)
    if execution.reason is Reason.SECRETS_ACCESS_CHECK_FAILED:
        at = execution.completed_at or execution.created_at
        return Condition(name, ConditionState.FAILED, execution.message, at, execution.reason)
    message = f"Waiting for room in {execution.region}."
    return Condition(name, ConditionState.PENDING, message, execution.created_at)


def _started(execution: Execution) -> Condition:
    if execution.started_at is None:
        ended = ConditionState.FAILED if execution.is_final else ConditionState.PENDING
        at = execution.completed_at or execution.created_at
        return Condition("Started", ended, "Waiting for execution to start.", at)
    length = duration_text(execution.started_at - execution.created_at)
    message = f"Started deployed execution in {length}."
    return Condition("Started", ConditionState.SUCCEEDED, message, execution.started_at)


def task_conditions(execution: Execution, task: Task) -> tuple[Condition, ...]:
    """Started and Completed of a task."""
    begun_at = task.started_at or execution.created_at
    begun = ConditionState.SUCCEEDED if task.started_at else ConditionState.PENDING
    reason = ""
    if task.state is TaskState.CANCELLED:
        reason = Reason.CANCELLED
    elif task.state is TaskState.FAILED and task.exit_code:
        reason = Reason.NON_ZERO_EXIT_CODE
    done = _TASK_COMPLETED[task.state]
    changed_at = task.ended_at or begun_at
    return (
        Condition("Completed", done, task.message, changed_at, str(reason)),
        Condition("Started", begun, "", begun_at),
    )
