"""A stand-in for Cloud Run's API with Google's real messages: it keeps jobs and executions, runs
nothing, and can be told to fail, which the real one cannot be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud import run_v2

from runyard.model.errors import PlatformError, ProviderRefused, ProviderUnavailable
from runyard.provider.gcp import names

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
State: Any = run_v2.Condition.State  # an enum by a library without types


def condition(kind: str, state: Any, message: str = "", **reason: Any) -> run_v2.Condition:
    """A condition of Google's."""
    return run_v2.Condition(type_=kind, state=state, message=message, **reason)


@dataclass
class StandIn:
    """`provider.gcp.wire.RunApi`. `fails`: raised by the next call of an operation; `lost`: done,
    and raised all the same. `unready`: jobs do not become ready by themselves. `unlisted`: nothing
    of these is in a list. `before_run`: what happens just before the next executions start;
    `after_create`: just after the next jobs are made."""

    held: dict[str, run_v2.Job] = field(default_factory=dict)
    runs: dict[str, run_v2.Execution] = field(default_factory=dict)
    done_tasks: dict[str, list[run_v2.Task]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    fails: dict[str, PlatformError] = field(default_factory=dict)
    lost: dict[str, PlatformError] = field(default_factory=dict)
    unready: bool = False
    unlisted: set[str] = field(default_factory=set)
    before_run: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    after_create: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    now: datetime = START
    changes: int = 0

    def _call(self, operation: str, name: str) -> None:
        self.calls.append((operation, name))
        self.now += timedelta(seconds=1)
        if operation in self.fails:
            raise self.fails.pop(operation)

    def _lose(self, operation: str) -> None:
        if operation in self.lost:
            raise self.lost.pop(operation)

    def put(self, name: str, job: run_v2.Job) -> None:
        """A job as it was just made or changed."""
        self.changes += 1
        kept = run_v2.Job(job)
        before = self.held.get(name)
        state = State.CONDITION_PENDING if self.unready else State.CONDITION_SUCCEEDED
        kept.name, kept.uid = name, before.uid if before else f"uid-{self.changes}"
        kept.generation = before.generation + 1 if before else 1
        kept.observed_generation = kept.generation
        kept.etag = f'"{self.changes}"'
        kept.create_time = before.create_time if before else self.now
        kept.update_time = self.now
        kept.terminal_condition = condition("Ready", state)
        self.held[name] = kept

    async def get_job(self, name: str) -> run_v2.Job | None:
        self._call("get_job", name)
        found = self.held.get(name)
        return None if found is None else run_v2.Job(found)

    async def jobs(self, parent: str) -> list[run_v2.Job]:
        self._call("jobs", parent)
        return [job for name, job in self.held.items() if name.startswith(f"{parent}/")]

    async def create_job(self, parent: str, short: str, job: run_v2.Job) -> None:
        self._call("create_job", short)
        name = f"{parent}/jobs/{short}"
        if name in self.held:
            raise ProviderRefused("it is there", reason="ALREADY_EXISTS")
        self.put(name, job)
        if self.after_create:
            await self.after_create.pop(0)()
        self._lose("create_job")

    async def update_job(self, job: run_v2.Job) -> None:
        self._call("update_job", job.name)
        self._same(job.name, job.etag)
        self.put(job.name, job)

    async def delete_job(self, name: str) -> bool:
        self._call("delete_job", name)
        for execution in [one for one in self.runs if one.startswith(f"{name}/")]:
            del self.runs[execution]
        return self.held.pop(name, None) is not None

    def _same(self, name: str, etag: str) -> None:
        if name not in self.held:
            raise ProviderRefused("there is none", reason="NOT_FOUND")
        if etag and etag != self.held[name].etag:
            raise ProviderUnavailable("another etag", reason="ABORTED")

    async def run_job(
        self, request: run_v2.RunJobRequest, key: str, hide: Sequence[str]
    ) -> run_v2.Execution:
        self._call("run_job", request.name)
        if self.before_run:
            await self.before_run.pop(0)()
        self._same(request.name, request.etag)
        job = self.held[request.name]
        number = len(self.runs) + 1
        name = f"{request.name}/executions/{names.short(request.name)}-{number:05d}"
        template = run_v2.TaskTemplate(job.template.template)
        override = request.overrides.container_overrides[0]
        template.containers[0].env = [*template.containers[0].env, *override.env]
        self.runs[name] = run_v2.Execution(
            name=name,
            job=names.short(request.name),
            create_time=self.now,
            task_count=request.overrides.task_count or job.template.task_count or 1,
            template=template,
            log_uri=f"https://console.cloud.google.com/logs/{number}",
        )
        self._lose("run_job")
        return run_v2.Execution(self.runs[name])

    def end(self, name: str, state: Any = State.CONDITION_SUCCEEDED, **how: Any) -> None:
        """Have an execution end."""
        execution = self.runs[name]
        execution.start_time, execution.completion_time = self.now, self.now + timedelta(seconds=90)
        execution.succeeded_count = how.pop("succeeded", execution.task_count)
        execution.failed_count = how.pop("failed", 0)
        execution.cancelled_count = how.pop("cancelled", 0)
        execution.conditions = [condition("Completed", state, **how)]

    async def get_execution(self, name: str) -> run_v2.Execution | None:
        self._call("get_execution", name)
        found = self.runs.get(name)
        return None if found is None else run_v2.Execution(found)

    async def executions(self, parent: str, pages_max: int) -> list[run_v2.Execution]:
        self._call("executions", parent)
        prefix = parent.removesuffix("-")
        newest_first = reversed(self.runs.values())
        return [
            run_v2.Execution(one)
            for one in newest_first
            if one.name.startswith(prefix) and one.name not in self.unlisted
        ]

    async def cancel_execution(self, name: str) -> None:
        self._call("cancel_execution", name)
        if name in self.runs and not self.runs[name].completion_time:
            failed = State.CONDITION_FAILED
            self.end(name, failed, succeeded=0, cancelled=1, execution_reason="CANCELLED")

    async def delete_execution(self, name: str) -> bool:
        self._call("delete_execution", name)
        return self.runs.pop(name, None) is not None

    async def tasks(self, parent: str, pages_max: int) -> list[run_v2.Task]:
        self._call("tasks", parent)
        return self.done_tasks.get(parent, [])

    def called(self, operation: str) -> list[str]:
        """With what an operation was called."""
        return [name for one, name in self.calls if one == operation]
