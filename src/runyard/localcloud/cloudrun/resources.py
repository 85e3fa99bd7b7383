"""The nouns, in Google's words: Job, Execution, Task. Values only; nothing here acts.

Source of the shapes: Cloud Run Admin API v2 (run.googleapis.com, discovery revision 20261031).
A task that was never started has no row: it is pending (or cancelled, once its execution is), so
that an execution of 10,000 tasks weighs no more than the tasks that have run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from runyard.localcloud.cloudrun.blueprint import Blueprint

FAILED_TASKS_KEPT = (
    10  #: failed tasks kept in an execution, lowest index first; the rest is a count
)
LEFT_KEPT = 10  #: things that could not be removed, kept by name; the rest is not


class ExecutionState(StrEnum):
    """Where an execution is. What may follow what is said by `lifecycle.EXECUTIONS`."""

    PENDING = "pending"  # accepted; no task was started yet
    RUNNING = "running"
    CANCELLING = "cancelling"  # starts nothing any more; its running tasks were told to stop
    FAILING = "failing"  # starts nothing any more; its running tasks run on
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TaskState(StrEnum):
    """Where a task is. What may follow what is said by `lifecycle.TASKS`."""

    PENDING = "pending"  # waits for its first start, or for its next one
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = frozenset({ExecutionState.SUCCEEDED, ExecutionState.FAILED, ExecutionState.CANCELLED})
STARTING = frozenset({ExecutionState.PENDING, ExecutionState.RUNNING})  #: may start tasks


class Reason(StrEnum):
    """Google's condition reasons (v2 `reason` and `executionReason`) that can occur here."""

    NONE = ""
    NON_ZERO_EXIT_CODE = "NON_ZERO_EXIT_CODE"
    CANCELLED = "CANCELLED"
    CANCELLING = "CANCELLING"
    SECRETS_ACCESS_CHECK_FAILED = "SECRETS_ACCESS_CHECK_FAILED"


@dataclass(frozen=True, slots=True)
class Job:
    """A job of one region. `generation` grows with every change of what it shall be.

    `fence` is the highest that a change of it has come with. A deleted job keeps its row, so that
    a change that comes late does not bring it back.
    """

    project: str
    region: str
    name: str
    uid: str
    generation: int
    template: Mapping[str, Any]
    labels: tuple[tuple[str, str], ...]
    created_at: datetime
    updated_at: datetime
    execution_count: int = 0
    latest_created_execution: str = ""
    annotations: tuple[tuple[str, str], ...] = ()
    fence: int = 0
    deleted_at: datetime | None = None

    @property
    def etag(self) -> str:
        """Changes with every change of the job."""
        words = f"{self.uid}/{self.generation}/{self.updated_at.isoformat()}"
        return f'"{blake2b(words.encode(), digest_size=9).hexdigest()}"'


@dataclass(frozen=True, slots=True)
class ContainerOverride:
    """Google's ContainerOverride. `args` None keeps the arguments; `name` empty: the first."""

    name: str = ""
    args: tuple[str, ...] | None = None
    env: tuple[tuple[str, str], ...] = ()
    clear_args: bool = False


@dataclass(frozen=True, slots=True)
class RunOverrides:
    """What RunJob can change for one execution. Google's cannot bring a `file` (path, content)."""

    containers: tuple[ContainerOverride, ...] = ()
    task_count: int | None = None
    timeout_seconds: float | None = None
    file: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class RunRequest:
    """RunJob. `request_key`, if given, makes it idempotent (Google's has no such thing).

    With `template` that is what the execution runs, whatever the job is now; there the job is made
    if there is none, in the same transaction. With `etag` the job must be the one that has it.
    """

    project: str
    region: str
    job: str
    template: Mapping[str, Any] | None = None
    overrides: RunOverrides = RunOverrides()
    request_key: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """One index of an execution, with its last attempt's result (Google's lastAttemptResult).

    `attempt` counts from 0, as CLOUD_RUN_TASK_ATTEMPT. `spawner` is the instance of the spawner
    that the attempt was recorded under. At most one of `exit_code` and `signal` is set.
    """

    index: int
    state: TaskState
    attempt: int = 0
    spawner: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    exit_code: int | None = None
    signal: int | None = None
    timed_out: bool = False
    out_of_memory: bool = False
    lost: bool = False
    message: str = ""
    cpu_milliseconds: int = 0
    memory_peak_bytes: int = 0

    @property
    def retried(self) -> bool:
        """True when it was started more than once, or will be."""
        return self.attempt > 0


@dataclass(frozen=True, slots=True)
class FailedTask:
    """A task that failed for good, kept as evidence."""

    index: int
    attempts: int
    message: str
    exit_code: int | None = None
    signal: int | None = None
    timed_out: bool = False
    out_of_memory: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """What an execution adds up to. Bounded, whatever the number of tasks.

    `begun_count` tasks (those with the lowest indexes) were started at least once. The sums run
    over task attempts. `output` is what the last attempt of the first task wrote. `removed` is
    what the spawner removed as the attempts ended.
    """

    begun_count: int = 0
    running_count: int = 0
    succeeded_count: int = 0
    failed_count: int = 0
    cancelled_count: int = 0
    retried_count: int = 0
    timed_out_count: int = 0
    lost_count: int = 0
    attempts: int = 0
    wall_milliseconds: int = 0
    billed_milliseconds: int = 0
    cpu_milliseconds: int = 0
    memory_peak_bytes: int = 0
    log_bytes_dropped: int = 0
    output: str = ""
    failures: tuple[FailedTask, ...] = ()
    removed: tuple[tuple[str, int], ...] = ()
    left: tuple[str, ...] = ()

    @property
    def waiting_count(self) -> int:
        """Tasks that were started before and wait for their next attempt."""
        done = self.succeeded_count + self.failed_count + self.cancelled_count
        return max(0, self.begun_count - self.running_count - done)


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution. `template` is the job's ExecutionTemplate with the overrides applied.

    `name` is unique in this whole cloud. `released` says that its holder has taken notice.
    `warnings` say what of the template is not kept on this machine.
    """

    name: str
    uid: str
    project: str
    region: str
    job: str
    generation: int
    template: Mapping[str, Any]
    blueprint: Blueprint
    created_at: datetime
    state: ExecutionState = ExecutionState.PENDING
    tally: Tally = Tally()
    labels: tuple[tuple[str, str], ...] = ()
    request_key: str = ""
    started_at: datetime | None = None
    completed_at: datetime | None = None
    cancel_asked_at: datetime | None = None
    reason: Reason = Reason.NONE
    message: str = ""
    warnings: tuple[str, ...] = ()
    released: bool = False

    @property
    def is_final(self) -> bool:
        """True when nothing will ever change it again."""
        return self.state in FINAL


def with_unbegun(execution: Execution, rows: Sequence[Task], first: int, limit: int) -> list[Task]:
    """Every task of the indexes from `first` on, at most `limit`: those that have a row, and those
    that were never started, which are pending, or cancelled once the execution is final."""
    by_index = {task.index: task for task in rows}
    unbegun = TaskState.CANCELLED if execution.is_final else TaskState.PENDING
    end = min(first + limit, execution.blueprint.task_count)
    return [by_index.get(index) or Task(index, unbegun) for index in range(first, end)]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A request key that was withdrawn before anything was started for it."""

    request_key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Region:
    """A region on this machine: how much may run in it at once, and its quota."""

    name: str
    vcpu_milli: int
    memory_bytes: int
    active_executions_max: int = 1000  #: "running executions per project+region" (run/quotas)


@dataclass(slots=True)
class Faults:
    """What goes wrong in a region, on purpose. Set and cleared by whoever tests.

    `down`: RunJob and cancel raise ProviderUnavailable and no task is started; what runs, runs
    on. `answers_to_lose`: that many answers to RunJob become ProviderTimeout after the work was
    done. `latency_seconds` passes before RunJob does anything. `unready`: why no job that is
    deployed becomes ready. `changes_to_lose`: that many changes of jobs become ProviderTimeout
    after the work was done.
    """

    down: bool = False
    answers_to_lose: int = 0
    latency_seconds: float = 0.0
    unready: str = ""
    changes_to_lose: int = 0


@dataclass(frozen=True, slots=True)
class RegionUse:
    """What a region is doing now."""

    region: Region
    executions: int
    running_tasks: int
    vcpu_milli: int
    memory_bytes: int
    faults: Faults = field(default_factory=Faults)
