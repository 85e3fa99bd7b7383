"""Between our words (attempt, run) and the local cloud's (execution, request key). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from runyard.localcloud.cloudrun.resources import (
    ContainerOverride,
    Execution,
    ExecutionState,
    RunOverrides,
    RunRequest,
    Tally,
    Task,
    TaskState,
    Withdrawal,
)
from runyard.localcloud.logging.reader import Entry, Page
from runyard.localcloud.logging.wanted import Wanted
from runyard.model.ids import AttemptKey
from runyard.model.instants import to_micros
from runyard.model.outcome import Ending, Outcome, TaskFailure, Usage
from runyard.provider.port import (
    LaunchOrder,
    LogEntry,
    LogPage,
    LogWanted,
    Phase,
    Progress,
    Report,
    TaskView,
)

LOCAL = "local"  #: the environment whose projects keep their names in the cloud


def request(order: LaunchOrder) -> RunRequest:
    """RunJob for an attempt: its key makes it idempotent."""
    return RunRequest(
        project=cloud_project(order.project, order.environment),
        region=order.region,
        job=order.job,
        template=order.template,
        overrides=_overrides(order),
        request_key=order.key,
        labels=order.labels,
    )


def cloud_project(project: str, environment: str) -> str:
    """The cloud's project for a project's environment. No project's name has a colon."""
    return project if environment == LOCAL else f"{project}:{environment}"


def _overrides(order: LaunchOrder) -> RunOverrides:
    ours = order.overrides
    containers: tuple[ContainerOverride, ...] = ()
    if ours.args is not None or ours.env:
        clear = ours.args == ()
        args = None if clear else ours.args
        containers = (ContainerOverride(args=args, env=ours.env, clear_args=clear),)
    file = None if ours.file is None else (ours.file.path, ours.file.content)
    return RunOverrides(containers, ours.task_count, ours.timeout_seconds, file)


LastLines = Mapping[int, tuple[str, ...]]  #: what tasks wrote last, by their index


def report(
    key: AttemptKey, found: Execution | Withdrawal | None, lines: LastLines = MappingProxyType({})
) -> Report:
    """How the attempt is; `lines` are evidence of how its failed tasks ended."""
    if found is None:
        return Report(key, Phase.UNKNOWN)
    if isinstance(found, Withdrawal):
        return Report(key, Phase.ENDED, outcome=_withdrawn(found))
    return Report(
        key=key,
        phase=_phase(found),
        handle=found.name,
        progress=progress(found),
        outcome=outcome(found, lines) if found.is_final else None,
        warnings=found.warnings,
    )


def progress(execution: Execution) -> Progress:
    """How many tasks are where."""
    tally = execution.tally
    return Progress(
        task_count=execution.blueprint.task_count,
        running_count=tally.running_count,
        succeeded_count=tally.succeeded_count,
        failed_count=tally.failed_count,
        cancelled_count=tally.cancelled_count,
        retried_count=tally.retried_count,
    )


def outcome(execution: Execution, lines: LastLines = MappingProxyType({})) -> Outcome:
    """What a final execution ended with. Bounded, whatever the number of tasks."""
    tally = execution.tally
    return Outcome(
        ending=_ending(execution),
        message=execution.message or _success(tally),
        reason=str(execution.reason),
        task_count=execution.blueprint.task_count,
        succeeded_count=tally.succeeded_count,
        failed_count=tally.failed_count,
        cancelled_count=tally.cancelled_count,
        retried_count=tally.retried_count,
        started_at=execution.started_at,
        ended_at=execution.completed_at,
        failures=tuple(
            TaskFailure(
                index=each.index,
                attempts=each.attempts,
                message=each.message,
                exit_code=each.exit_code,
                signal=each.signal,
                timed_out=each.timed_out,
                out_of_memory=each.out_of_memory,
                last_lines=lines.get(each.index, ()),
            )
            for each in tally.failures
        ),
        usage=_usage(execution),
        output=tally.output,
    )


def _usage(execution: Execution) -> Usage:
    tally = execution.tally
    return Usage(
        task_attempts=tally.attempts,
        wall_milliseconds=tally.wall_milliseconds,
        billed_milliseconds=tally.billed_milliseconds,
        cpu_milliseconds=tally.cpu_milliseconds,
        memory_peak_bytes=tally.memory_peak_bytes,
        vcpu_milli=execution.blueprint.vcpu_milli,
        memory_bytes=execution.blueprint.memory_bytes,
    )


def _ending(execution: Execution) -> Ending:
    if execution.state is ExecutionState.SUCCEEDED:
        return Ending.SUCCEEDED
    if execution.state is ExecutionState.CANCELLED:
        return Ending.CANCELLED
    tally = execution.tally
    only_timeouts = 0 < tally.timed_out_count == tally.failed_count
    return Ending.TIMED_OUT if only_timeouts else Ending.FAILED


def _success(tally: Tally) -> str:
    count = tally.succeeded_count
    return "The task succeeded." if count == 1 else f"All {count} tasks succeeded."


def _withdrawn(found: Withdrawal) -> Outcome:
    return Outcome(
        ending=Ending.CANCELLED,
        message="Cancelled before it was launched.",
        reason="CANCELLED",
        ended_at=found.at,
    )


def _phase(execution: Execution) -> Phase:
    if execution.is_final:
        return Phase.ENDED
    return Phase.PENDING if execution.state is ExecutionState.PENDING else Phase.RUNNING


def task_views(tasks: Sequence[Task]) -> list[TaskView]:
    """Tasks for people to look at."""
    return [_view(task) for task in tasks]


def _view(task: Task) -> TaskView:
    lost = task.state is TaskState.FAILED and task.lost
    return TaskView(
        index=task.index,
        state="lost" if lost else str(task.state),
        attempt=task.attempt,
        started_at=task.started_at,
        ended_at=task.ended_at,
        exit_code=task.exit_code,
        signal=task.signal,
        message=task.message,
        cpu_milliseconds=task.cpu_milliseconds,
        memory_peak_bytes=task.memory_peak_bytes,
    )


def log_page(page: Page, *, final: bool) -> LogPage:
    """A page of the log; `final`: the execution had ended before the page was read."""
    entries = tuple(log_entry(entry) for entry in page.entries)
    return LogPage(entries, page.after, ended=final and page.complete)


def log_entry(entry: Entry) -> LogEntry:
    """One line of a log."""
    return LogEntry(
        position=entry.position,
        at=entry.at,
        task=entry.task,
        attempt=entry.attempt,
        stream=entry.stream,
        severity=entry.severity,
        text=entry.text,
        fields=entry.fields,
    )


def wanted(asked: LogWanted) -> Wanted:
    """What the logs of the cloud are searched for."""
    return Wanted(
        text=asked.text,
        pattern=asked.pattern,
        severities=asked.severities,
        task=asked.task,
        fields=asked.fields,
        since=None if asked.since is None else to_micros(asked.since),
        before=None if asked.before is None else to_micros(asked.before),
        has=asked.has,
    )
