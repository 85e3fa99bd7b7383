"""The cloud's book: every question and every entry its database is asked for, by name.

An entry method is durable when it returns. Nothing here decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from runyard.database.port import Database, Tx
from runyard.localcloud.cloudrun.resources import Execution, Job, Task, Withdrawal
from runyard.localcloud.cloudrun.rows import (
    execution_of,
    execution_row,
    execution_update_row,
    job_of,
    job_row,
    task_of,
    task_row,
)
from runyard.localcloud.schema import load_queries
from runyard.model.errors import StoreError
from runyard.model.instants import from_micros, to_micros

J = TypeVar("J", bound=Job | None)
JobKey = tuple[str, str, str]  #: project, region, name
EXECUTIONS_KEPT = 1000  #: finished executions kept per job, oldest removed first (run/quotas)


@dataclass(slots=True)
class Entry:
    """What is written together: executions and tasks as they are now."""

    executions: dict[str, Execution] = field(default_factory=dict)
    tasks: list[tuple[str, Task]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.executions)


@dataclass(frozen=True, slots=True)
class OpenExecution:
    """An execution that is not final, with its tasks that run or wait for their next attempt."""

    execution: Execution
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Begun:
    """A new execution with its first tasks, which are running, and its job as it is then."""

    job: Job
    execution: Execution
    tasks: tuple[Task, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A new execution to be. `make(job as it is, name)` is pure: it may be called again."""

    project: str
    region: str
    job: str
    names: tuple[str, ...]
    make: Callable[[Job | None, str], Begun]


class Book:
    """The cloud's book in `database`; `executions_kept` finished ones are kept per job."""

    def __init__(self, database: Database, executions_kept: int = EXECUTIONS_KEPT) -> None:
        self._database = database
        self._executions_kept = executions_kept
        self._sql = load_queries(database.dialect)

    async def write(self, entry: Entry) -> None:
        """Keep `entry`; tasks that wait are cancelled with their final execution."""
        final = [each.name for each in entry.executions.values() if each.is_final]
        updates = [execution_update_row(each) for each in entry.executions.values()]
        tasks = [task_row(name, task) for name, task in entry.tasks]

        async def work(tx: Tx) -> None:
            await tx.execute_many(self._sql["task_put"], tasks)
            await tx.execute_many(self._sql["execution_update"], updates)
            await tx.execute_many(self._sql["tasks_cancel_waiting"], [(name,) for name in final])

        await self._database.write(work)

    async def begin(self, request_key: str, draft: Draft) -> Begun | Execution | Withdrawal:
        """What is there for `request_key`, or what `draft` makes, which is new.

        Raises what `draft.make` raises; nothing is written then.
        """

        async def work(tx: Tx) -> Begun | Execution | Withdrawal:
            found = await self._asked_before(tx, request_key)
            if found is not None:
                return found
            before = await self._job(tx, draft.project, draft.region, draft.job)
            begun = draft.make(before, await self._free_name(tx, draft.names))
            job, name = begun.job, begun.execution.name
            if job != before:
                await tx.execute(self._sql["job_put"], job_row(job))
            await tx.execute(self._sql["execution_add"], execution_row(begun.execution))
            await tx.execute_many(
                self._sql["task_put"], [task_row(name, task) for task in begun.tasks]
            )
            if request_key:
                await tx.execute(self._sql["request_put"], (request_key, name, None))
            await tx.execute(self._sql["job_ran"], (job.project, job.region, job.name, name))
            return begun

        return await self._database.write(work)

    async def withdraw(self, request_key: str, at: datetime) -> Execution | Withdrawal:
        """What was started for `request_key`; if nothing was, see to it that nothing ever is."""

        async def work(tx: Tx) -> Execution | Withdrawal:
            found = await self._asked_before(tx, request_key)
            if found is None:
                row = (request_key, None, to_micros(at))
                await tx.execute(self._sql["request_put"], row)
            return found or Withdrawal(request_key, at)

        return await self._database.write(work)

    async def put_job(self, key: JobKey, make: Callable[[Job | None], J]) -> J:
        """Make or change a job as `make` says; None leaves it as it is."""

        async def work(tx: Tx) -> J:
            before = await self._job(tx, *key)
            job = make(before)
            if job is not None and job != before:
                await tx.execute(self._sql["job_put"], job_row(job))
            return job

        return await self._database.write(work)

    async def add_job(self, key: JobKey, make: Callable[[Job | None, int], Job]) -> Job:
        """Make a job as `make` says, which hears what is there, and how many jobs its region of
        its project has. Raises what `make` raises; nothing is written then."""

        async def work(tx: Tx) -> Job:
            before = await self._job(tx, *key)
            rows = await tx.fetch(self._sql["jobs_count"], key[:2])
            job = make(before, rows[0][0])
            await tx.execute(self._sql["job_put"], job_row(job))
            return job

        return await self._database.write(work)

    async def jobs_page(
        self, project: str, region: str, after: str, limit: int, *, deleted: bool
    ) -> list[Job]:
        """Jobs of a region of a project by name, from after a name on; `deleted` ones too."""

        async def work(tx: Tx) -> list[Job]:
            params = (project, region, after, int(deleted), limit)
            return [job_of(row) for row in await tx.fetch(self._sql["jobs_page"], params)]

        return await self._database.read(work)

    async def jobs(self, keys: Sequence[JobKey]) -> list[Job | None]:
        """Each of these jobs, if there is one, deleted ones too."""

        async def work(tx: Tx) -> list[Job | None]:
            return [await self._job(tx, *key) for key in keys]

        return await self._database.read(work)

    async def job(self, project: str, region: str, name: str) -> Job | None:
        """A job, if there is one."""
        return await self._database.read(lambda tx: self._job(tx, project, region, name))

    async def asked(self, request_keys: Sequence[str]) -> list[Execution | Withdrawal | None]:
        """What is there for each of `request_keys`."""

        async def work(tx: Tx) -> list[Execution | Withdrawal | None]:
            return [await self._asked_before(tx, key) for key in request_keys]

        return await self._database.read(work)

    async def execution(self, name: str) -> Execution | None:
        """An execution, if there is one."""

        async def work(tx: Tx) -> Execution | None:
            rows = await tx.fetch(self._sql["execution_by_name"], (name,))
            return execution_of(rows[0]) if rows else None

        return await self._database.read(work)

    async def executions(
        self, key: tuple[str, str, str], before: datetime, limit: int
    ) -> list[Execution]:
        """Executions of a job that are older than `before`, newest first."""

        async def work(tx: Tx) -> list[Execution]:
            params = (*key, to_micros(before), limit)
            return [
                execution_of(row) for row in await tx.fetch(self._sql["executions_of_job"], params)
            ]

        return await self._database.read(work)

    async def executions_page(
        self, key: JobKey, after: tuple[datetime, str], limit: int
    ) -> list[Execution]:
        """Executions of a job (an empty name: of every job of its region), newest first, from after
        one of a creation instant and a name on."""

        async def work(tx: Tx) -> list[Execution]:
            params = (*key, to_micros(after[0]), after[1], limit)
            rows = await tx.fetch(self._sql["executions_page"], params)
            return [execution_of(row) for row in rows]

        return await self._database.read(work)

    async def open_executions(self) -> list[OpenExecution]:
        """Every execution that is not final, oldest first."""

        async def work(tx: Tx) -> list[OpenExecution]:
            found = []
            for row in await tx.fetch(self._sql["executions_active"]):
                execution = execution_of(row)
                rows = await tx.fetch(self._sql["tasks_open"], (execution.name,))
                found.append(OpenExecution(execution, tuple(task_of(each) for each in rows)))
            return found

        return await self._database.read(work)

    async def unreleased_keys(self, limit: int) -> list[str]:
        """Request keys of executions that their holder has not released, oldest first."""

        async def work(tx: Tx) -> list[str]:
            return [
                row[0] for row in await tx.fetch(self._sql["request_keys_unreleased"], (limit,))
            ]

        return await self._database.read(work)

    async def tasks(self, execution: str, first: int, end: int) -> list[Task]:
        """Tasks that have a row, of the indexes from `first` to before `end`."""

        async def work(tx: Tx) -> list[Task]:
            rows = await tx.fetch(self._sql["tasks_page"], (execution, first, end))
            return [task_of(row) for row in rows]

        return await self._database.read(work)

    async def beyond_quota(self, execution: Execution) -> list[str]:
        """Finished executions of the same job that are more than may be kept, oldest last."""

        async def work(tx: Tx) -> list[str]:
            params = (execution.project, execution.region, execution.job, self._executions_kept)
            return [row[0] for row in await tx.fetch(self._sql["executions_beyond"], params)]

        return await self._database.read(work)

    async def delete_executions(self, names: Iterable[str]) -> None:
        """Remove executions with their tasks and request keys."""
        rows = [(name,) for name in names]

        async def work(tx: Tx) -> None:
            for query in ("tasks_delete", "request_delete_of", "execution_delete"):
                await tx.execute_many(self._sql[query], rows)

        await self._database.write(work)

    async def delete_request(self, request_key: str) -> None:
        """Forget what was said about a key that has no execution."""

        async def work(tx: Tx) -> None:
            await tx.execute(self._sql["request_delete"], (request_key,))

        await self._database.write(work)

    async def _asked_before(self, tx: Tx, request_key: str) -> Execution | Withdrawal | None:
        if not request_key:
            return None
        rows = await tx.fetch(self._sql["request_by_key"], (request_key,))
        if not rows:
            return None
        if rows[0][0] is None:
            return Withdrawal(request_key, from_micros(rows[0][1]))
        found = await tx.fetch(self._sql["execution_by_name"], (rows[0][0],))
        return execution_of(found[0]) if found else None

    async def _job(self, tx: Tx, project: str, region: str, name: str) -> Job | None:
        rows = await tx.fetch(self._sql["job_by_name"], (project, region, name))
        return job_of(rows[0]) if rows else None

    async def _free_name(self, tx: Tx, names: Sequence[str]) -> str:
        for name in names:
            if not await tx.fetch(self._sql["execution_exists"], (name,)):
                return name
        raise StoreError(f"all of these names are taken: {', '.join(names)}")
