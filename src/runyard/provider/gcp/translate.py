"""Executions and tasks of Google's, in our words: reports, outcomes, views. Pure.

Sources: Cloud Run Admin API v2 (Execution, Task, Condition), the container contract for jobs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from google.cloud import run_v2

from runyard.flow.costing import billed_milliseconds
from runyard.model.ids import AttemptKey
from runyard.model.outcome import FAILURES_KEPT, Ending, Outcome, TaskFailure, Usage
from runyard.model.quantities import memory_bytes_of, vcpu_milli_of
from runyard.provider.gcp import names
from runyard.provider.port import Phase, Progress, Report, TaskView

COMPLETED = "Completed"
_TIMED_OUT = "The configured timeout was reached"  #: in the message of a task (facts, 1.4)
_MEMORY = "Memory limit"  #: begins what Cloud Run says of a task that took too much
_DEFAULT_CPU, _DEFAULT_MEMORY = "1", "512Mi"  #: of a container that names none
Tasks = Sequence[run_v2.Task]


def is_ended(execution: run_v2.Execution) -> bool:
    """True when nothing will change an execution any more: it says so, and no task runs on."""
    completed = _completed(execution)
    if completed is None or completed.state not in _TERMINAL:
        return False
    return bool(execution.completion_time) or execution.running_count == 0


def phase(execution: run_v2.Execution) -> Phase:
    """Where an execution is."""
    if is_ended(execution):
        return Phase.ENDED
    begun = execution.start_time or execution.running_count or execution.succeeded_count
    return Phase.RUNNING if begun else Phase.PENDING


def progress(execution: run_v2.Execution) -> Progress:
    """How many tasks are where."""
    return Progress(
        task_count=execution.task_count,
        running_count=execution.running_count,
        succeeded_count=execution.succeeded_count,
        failed_count=execution.failed_count,
        cancelled_count=execution.cancelled_count,
        retried_count=execution.retried_count,
    )


def report(
    key: AttemptKey, job: str, execution: run_v2.Execution, tasks: Tasks | None = None
) -> Report:
    """How the attempt is that `execution` is; `job` is the one that was to be run. `tasks` are all
    of an ended execution (None: they cannot be had)."""
    return Report(
        key=key,
        phase=phase(execution),
        handle=execution.name,
        progress=progress(execution),
        outcome=outcome(execution, tasks) if is_ended(execution) else None,
        warnings=warnings(job, execution),
    )


def warnings(job: str, execution: run_v2.Execution) -> tuple[str, ...]:
    """What whoever asked for the attempt has to know of how it was launched."""
    parts = names.execution(execution.name)
    if parts is None or parts.job == job:
        return ()
    memory = execution.template.containers[0].resources.limits.get("memory", _DEFAULT_MEMORY)
    cpu = execution.template.containers[0].resources.limits.get("cpu", _DEFAULT_CPU)
    return (
        f"launched as {parts.job}, a clone of job {job} with {memory} of memory and CPU {cpu}: "
        "RunJob cannot change a job's template for one run",
    )


# -- outcomes ------------------------------------------------------------------------------------
def outcome(execution: run_v2.Execution, tasks: Tasks | None) -> Outcome:
    """What an ended execution ended with. Bounded, whatever the number of tasks."""
    completed = _completed(execution)
    failed = sorted((one for one in tasks or () if _has_failed(one)), key=lambda one: one.index)
    kept = tuple(_failure(one) for one in failed[:FAILURES_KEPT])
    only_timeouts = bool(failed) and all(map(_has_timed_out, failed))
    said = completed.message if completed is not None else ""
    return Outcome(
        ending=_ending(execution, only_timeouts),
        message=said or _success(execution.succeeded_count),
        reason=reason_of(completed),
        task_count=execution.task_count,
        succeeded_count=execution.succeeded_count,
        failed_count=execution.failed_count,
        cancelled_count=execution.cancelled_count,
        retried_count=execution.retried_count,
        started_at=instant(execution.start_time) or instant(execution.create_time),
        ended_at=ended_at(execution),
        failures=kept,
        usage=_usage(execution, tasks),
    )


def _ending(execution: run_v2.Execution, only_timeouts: bool) -> Ending:
    completed = _completed(execution)
    if completed is not None and completed.state is _SUCCEEDED:
        return Ending.SUCCEEDED
    if reason_of(completed) in ("CANCELLED", "CANCELLING", "DELETED"):
        return Ending.CANCELLED
    return Ending.TIMED_OUT if only_timeouts else Ending.FAILED


def _success(count: int) -> str:
    return "The task succeeded." if count == 1 else f"All {count} tasks succeeded."


def reason_of(condition: run_v2.Condition | None) -> str:
    """Google's word for why: of one of three enums, as `oneof reasons`."""
    if condition is None:
        return ""
    values: tuple[Any, ...] = (
        condition.execution_reason,
        condition.reason,
        condition.revision_reason,
    )
    said = next((value for value in values if value), None)
    return "" if said is None else str(getattr(said, "name", said))  # a newer one is a number


def _failure(task: run_v2.Task) -> TaskFailure:
    exit_code, signal = _exit(task)
    return TaskFailure(
        index=task.index,
        attempts=task.retried + 1,
        message=_task_message(task),
        exit_code=exit_code,
        signal=signal,
        timed_out=_has_timed_out(task),
        out_of_memory=_task_message(task).startswith(_MEMORY),
    )


def _exit(task: run_v2.Task) -> tuple[int | None, int | None]:
    """How a task's last attempt ended: an exit code or a signal, at most one of the two."""
    last = task.last_attempt_result
    if last.term_signal:
        return None, int(last.term_signal)
    if _has_timed_out(task) and not last.exit_code:
        return None, None  # 0 stands there for want of one
    return int(last.exit_code), None


def _task_message(task: run_v2.Task) -> str:
    """The last attempt's own words; else those of the task."""
    completed = _of_type(task.conditions, COMPLETED)
    said = str(task.last_attempt_result.status.message)
    return said or (str(completed.message) if completed is not None else "")


def _has_failed(task: run_v2.Task) -> bool:
    completed = _of_type(task.conditions, COMPLETED)
    if completed is None or completed.state is not _FAILED:
        return False
    return reason_of(completed) not in ("CANCELLED", "CANCELLING", "DELETED")


def _has_timed_out(task: run_v2.Task) -> bool:
    return _TIMED_OUT in _task_message(task)


def _usage(execution: run_v2.Execution, tasks: Tasks | None) -> Usage:
    """What was used, reckoned from how long tasks took: Google measures nothing that can be asked
    for here. The attempts of a task share its time evenly."""
    limits = [one.resources.limits for one in execution.template.containers]
    shares = list(_shares(execution, tasks))
    return Usage(
        task_attempts=sum(attempts for attempts, _ in shares),
        wall_milliseconds=sum(attempts * each for attempts, each in shares),
        billed_milliseconds=sum(attempts * billed_milliseconds(each) for attempts, each in shares),
        vcpu_milli=sum(vcpu_milli_of(one.get("cpu", _DEFAULT_CPU)) for one in limits),
        memory_bytes=sum(memory_bytes_of(one.get("memory", _DEFAULT_MEMORY)) for one in limits),
    )


def _shares(execution: run_v2.Execution, tasks: Tasks | None) -> Iterable[tuple[int, int]]:
    """Attempts of each task that was started, and how many milliseconds each of them took."""
    if tasks is None:
        whole = _milliseconds(execution.start_time, execution.completion_time)
        count = execution.succeeded_count + execution.failed_count + execution.retried_count
        yield count, whole
        return
    for task in tasks:
        if task.start_time:
            attempts = task.retried + 1
            end = task.completion_time or execution.completion_time
            yield attempts, _milliseconds(task.start_time, end) // attempts


# -- tasks ---------------------------------------------------------------------------------------
def task_view(task: run_v2.Task) -> TaskView:
    """A task for people to look at."""
    state = _task_state(task)
    exit_code, signal = _exit(task) if state == "failed" else (None, None)
    return TaskView(
        index=task.index,
        state=state,
        attempt=task.retried,
        started_at=instant(task.start_time),
        ended_at=instant(task.completion_time),
        exit_code=0 if state == "succeeded" else exit_code,
        signal=signal,
        message=_task_message(task),
    )


def _task_state(task: run_v2.Task) -> str:
    completed = _of_type(task.conditions, COMPLETED)
    if completed is not None and completed.state is _SUCCEEDED:
        return "succeeded"
    if completed is not None and completed.state is _FAILED:
        return "failed" if _has_failed(task) else "cancelled"
    return "running" if task.start_time else "pending"


# -- parts ---------------------------------------------------------------------------------------
_SUCCEEDED = run_v2.Condition.State.CONDITION_SUCCEEDED
_FAILED = run_v2.Condition.State.CONDITION_FAILED
_TERMINAL = frozenset({_SUCCEEDED, _FAILED})


def _completed(execution: run_v2.Execution) -> run_v2.Condition | None:
    return _of_type(execution.conditions, COMPLETED)


def _of_type(conditions: Iterable[run_v2.Condition], kind: str) -> run_v2.Condition | None:
    return next((one for one in conditions if one.type_ == kind), None)


def ended_at(execution: run_v2.Execution) -> datetime | None:
    """When an ended execution ended."""
    return instant(execution.completion_time) or instant(execution.update_time)


def instant(value: Any) -> datetime | None:
    """A timestamp of Google's; None when it is not set."""
    if not value:
        return None
    return datetime.combine(value.date(), value.timetz())  # without the nanoseconds


def _milliseconds(start: Any, end: Any) -> int:
    if not start or not end:
        return 0
    length: timedelta = end - start
    return max(0, round(length.total_seconds() * 1000))
