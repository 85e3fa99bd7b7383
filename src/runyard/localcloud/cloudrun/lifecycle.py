"""The lifecycle of executions and their tasks. All of it; nothing about it lives elsewhere.

    execution  PENDING --TaskStarted--> RUNNING --Completed--> SUCCEEDED | FAILED
               PENDING, RUNNING --CancelRequested--> CANCELLING --Completed--> CANCELLED | SUCCEEDED
               PENDING, RUNNING --Impossible--> FAILING --Completed--> FAILED
    task       PENDING --TaskStarted--> RUNNING --Succeeded | Failed | Stopped--> final
                  ^------------Retried-----'          PENDING --Stopped--> CANCELLED

Rule 1  what may follow what is said by the two tables, and by nothing else.
Rule 2  this file reads no clock, no database, no spawner: `now` comes in, a decision goes out.
Rule 3  a failed task does not stop the others; an execution fails after all tasks have ended
        (run/docs/create-jobs). In-place retries keep the index and count the attempt up.
Rule 4  after CancelRequested or Impossible nothing is started any more.
Rule 5  a task that ended by itself before its SIGTERM keeps its own end; one that was told to
        stop is cancelled, whatever its exit code.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from runyard.localcloud.cloudrun.messages import attempt_message, failure_message
from runyard.localcloud.cloudrun.resources import (
    FAILED_TASKS_KEPT,
    STARTING,
    Execution,
    ExecutionState,
    FailedTask,
    Reason,
    Tally,
    Task,
    TaskState,
)
from runyard.localcloud.cloudrun.tallying import with_attempt
from runyard.localcloud.spawner.port import TaskEnd
from runyard.model.errors import IllegalTransition


# -- events: what has happened -----------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class TaskStarted:
    """A task is about to be started; recorded before it is."""

    task: Task
    spawner: str


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """A task attempt has ended."""

    task: Task
    end: TaskEnd


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """Somebody wants the execution to end."""


@dataclass(frozen=True, slots=True)
class Impossible:
    """Its tasks cannot be started, now or later."""

    reason: Reason
    message: str


Event = TaskStarted | TaskEnded | CancelRequested | Impossible


# -- causes that only this file makes ------------------------------------------------------------
class Succeeded:
    """A task attempt ended well."""


class Failed:
    """A task attempt ended badly, and was the last one."""


class Retried:
    """A task attempt ended badly, and another follows."""


class Stopped:
    """A task was told to stop, or never started."""


class Completed:
    """Nothing of the execution runs and nothing will start."""


ExecutionCause = type[TaskStarted | CancelRequested | Impossible | Completed]
TaskCause = type[TaskStarted | Succeeded | Failed | Retried | Stopped]
E, T = ExecutionState, TaskState

# fmt: off
EXECUTIONS: dict[ExecutionState, dict[ExecutionCause, frozenset[ExecutionState]]] = {
    E.PENDING:    {TaskStarted: frozenset({E.RUNNING}), CancelRequested: frozenset({E.CANCELLING}),
                   Impossible: frozenset({E.FAILING})},
    E.RUNNING:    {TaskStarted: frozenset({E.RUNNING}), CancelRequested: frozenset({E.CANCELLING}),
                   Impossible: frozenset({E.FAILING}),
                   Completed: frozenset({E.SUCCEEDED, E.FAILED})},
    E.CANCELLING: {CancelRequested: frozenset({E.CANCELLING}),
                   Completed: frozenset({E.CANCELLED, E.SUCCEEDED})},
    E.FAILING:    {CancelRequested: frozenset({E.CANCELLING}), Completed: frozenset({E.FAILED})},
    E.SUCCEEDED:  {},
    E.FAILED:     {},
    E.CANCELLED:  {},
}
TASKS: dict[TaskState, dict[TaskCause, TaskState]] = {
    T.PENDING:   {TaskStarted: T.RUNNING, Stopped: T.CANCELLED},
    T.RUNNING:   {Succeeded: T.SUCCEEDED, Failed: T.FAILED, Retried: T.PENDING,
                  Stopped: T.CANCELLED},
    T.SUCCEEDED: {},
    T.FAILED:    {},
    T.CANCELLED: {},
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Decision:
    """One step: the new execution, the new task if one changed, and whether to stop what runs."""

    execution: Execution
    task: Task | None = None
    stop_running: bool = False


def decide(execution: Execution, event: Event, now: datetime) -> Decision:
    """Say what `event`, at `now` (UTC), makes of `execution`.

    Raises IllegalTransition when the tables have no such step.
    """
    match event:
        case TaskStarted():
            return _task_started(execution, event, now)
        case TaskEnded():
            return _task_ended(execution, event, now)
        case CancelRequested():
            return _cancel_requested(execution, now)
        case Impossible():
            return _impossible(execution, event, now)


def startable_count(execution: Execution) -> int:
    """How many of its tasks may be started now, if the region has room."""
    if execution.state not in STARTING:
        return 0
    tally, plan = execution.tally, execution.blueprint
    left = plan.task_count - tally.begun_count + tally.waiting_count
    return min(left, (plan.parallelism or plan.task_count) - tally.running_count)


def _task_started(execution: Execution, event: TaskStarted, now: datetime) -> Decision:
    state = _step(execution, TaskStarted, E.RUNNING)
    task = replace(
        event.task,
        state=_task_step(execution, event.task, TaskStarted),
        spawner=event.spawner,
        started_at=now,
        ended_at=None,
    )
    tally = replace(
        execution.tally,
        begun_count=max(execution.tally.begun_count, task.index + 1),
        running_count=execution.tally.running_count + 1,
    )
    started_at = execution.started_at or now
    return Decision(replace(execution, state=state, tally=tally, started_at=started_at), task)


def _task_ended(execution: Execution, event: TaskEnded, now: datetime) -> Decision:
    cause = _judge(execution, event)
    state = _task_step(execution, event.task, cause)
    task = _result(execution, event, cause, state)
    tally = with_attempt(execution.tally, event.task, event.end)
    tally = replace(tally, running_count=tally.running_count - 1)
    tally = _counted(tally, execution, event.task, task)
    return Decision(_completed(replace(execution, tally=tally), now), task)


def _judge(execution: Execution, event: TaskEnded) -> TaskCause:
    end = event.end
    if execution.state is E.CANCELLING and (end.stopped or end.lost or end.not_started):
        return Stopped
    if succeeded(end):
        return Succeeded
    if execution.state in STARTING and event.task.attempt < execution.blueprint.max_retries:
        return Retried
    return Failed


def succeeded(end: TaskEnd) -> bool:
    """Exit code 0 within the timeout. Nothing else is a success (container contract)."""
    bad = end.timed_out or end.lost or end.not_started or end.out_of_memory
    return end.exit_code == 0 and not bad


def _result(execution: Execution, event: TaskEnded, cause: TaskCause, state: TaskState) -> Task:
    end, before = event.end, event.task
    return replace(
        before,
        state=state,
        attempt=before.attempt + 1 if cause is Retried else before.attempt,
        started_at=before.started_at if end.lost else end.started_at,
        ended_at=end.ended_at,
        exit_code=end.exit_code,
        signal=end.signal,
        timed_out=end.timed_out,
        out_of_memory=end.out_of_memory,
        lost=end.lost,
        message=attempt_message(end, execution.blueprint.memory_bytes),
        cpu_milliseconds=end.cpu_milliseconds,
        memory_peak_bytes=end.memory_peak_bytes,
    )


def _counted(tally: Tally, execution: Execution, before: Task, task: Task) -> Tally:
    match task.state:
        case T.SUCCEEDED:
            return replace(tally, succeeded_count=tally.succeeded_count + 1)
        case T.CANCELLED:
            return replace(tally, cancelled_count=tally.cancelled_count + 1)
        case T.PENDING:
            first = before.attempt == 0
            return replace(tally, retried_count=tally.retried_count + first)
        case _:
            failed = FailedTask(
                index=task.index,
                attempts=task.attempt + 1,
                message=task.message,
                exit_code=task.exit_code,
                signal=task.signal,
                timed_out=task.timed_out,
                out_of_memory=task.out_of_memory,
            )
            kept = sorted((*tally.failures, failed), key=lambda each: each.index)
            return replace(
                tally,
                failed_count=tally.failed_count + 1,
                timed_out_count=tally.timed_out_count + task.timed_out,
                lost_count=tally.lost_count + task.lost,
                failures=tuple(kept[:FAILED_TASKS_KEPT]),
            )


def _cancel_requested(execution: Execution, now: datetime) -> Decision:
    state = _step(execution, CancelRequested, E.CANCELLING)
    asked_at = execution.cancel_asked_at or now
    after = replace(execution, state=state, cancel_asked_at=asked_at, reason=Reason.CANCELLING)
    return Decision(_completed(after, now), stop_running=True)


def _impossible(execution: Execution, event: Impossible, now: datetime) -> Decision:
    state = _step(execution, Impossible, E.FAILING)
    after = replace(execution, state=state, reason=event.reason, message=event.message)
    return Decision(_completed(after, now))


def _completed(execution: Execution, now: datetime) -> Execution:
    """`execution`, completed if nothing of it runs and nothing will start."""
    tally, count = execution.tally, execution.blueprint.task_count
    done = tally.succeeded_count + tally.failed_count + tally.cancelled_count
    if tally.running_count or (execution.state in STARTING and done < count):
        return execution
    tally = replace(tally, cancelled_count=count - tally.succeeded_count - tally.failed_count)
    state = _final_state(execution.state, tally, count)
    message, reason = execution.message, execution.reason
    if state is E.SUCCEEDED:
        message, reason = "", Reason.NONE
    elif state is E.CANCELLED:
        message, reason = "The execution was cancelled.", Reason.CANCELLED
    elif not message:
        message, reason = failure_message(execution.name, tally), _failure_reason(tally)
    return replace(
        execution,
        state=_step(execution, Completed, state),
        tally=tally,
        completed_at=now,
        message=message,
        reason=reason,
    )


def _final_state(state: ExecutionState, tally: Tally, count: int) -> ExecutionState:
    if state is E.FAILING:
        return E.FAILED
    if tally.succeeded_count == count:
        return E.SUCCEEDED
    return E.CANCELLED if state is E.CANCELLING else E.FAILED


def _failure_reason(tally: Tally) -> Reason:
    first = tally.failures[0]
    ended_by_itself = first.exit_code is not None and not first.timed_out
    return Reason.NON_ZERO_EXIT_CODE if ended_by_itself else Reason.NONE


def _step(execution: Execution, cause: ExecutionCause, wanted: ExecutionState) -> ExecutionState:
    if wanted not in EXECUTIONS[execution.state].get(cause, ()):
        raise IllegalTransition(f"{execution.name}: {cause.__name__} while {execution.state}")
    return wanted


def _task_step(execution: Execution, task: Task, cause: TaskCause) -> TaskState:
    try:
        return TASKS[task.state][cause]
    except KeyError:
        where = f"{execution.name}-task{task.index}"
        raise IllegalTransition(f"{where}: {cause.__name__} while {task.state}") from None
