"""Jobs as applied, and their revisions, which are never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runyard.database.port import Row, Tx, Value
from runyard.model.condition import Condition, ConditionState
from runyard.model.instants import from_micros, to_micros
from runyard.model.standing import Standing
from runyard.store.documents import dumps, loads


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as it was last applied. `document` is `JobSpec.document()`. `operation`, `blocked`
    and `conditions`: see `model.standing`."""

    project: str
    environment: str
    name: str
    revision: int
    document: Mapping[str, Any]
    applied_at: datetime
    applied_by: str
    operation: str = ""
    blocked: str = ""
    conditions: tuple[Condition, ...] = ()

    @property
    def standing(self) -> Standing:
        """Where it stands."""
        return Standing(
            self.revision,
            self.document,
            self.operation,
            self.blocked,
            self.conditions,
        )

    @property
    def key(self) -> tuple[str, str, str]:
        """What a job is unique in."""
        return (self.project, self.environment, self.name)


class Jobs:
    """The jobs' port to the database."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._q = queries

    async def named(self, tx: Tx, environment: str, name: str) -> list[JobRow]:
        """The jobs of this name, one for each project that has one."""
        rows = await tx.fetch(self._q["jobs_by_name"], (environment, name))
        return [_job(row) for row in rows]

    async def page(
        self, tx: Tx, environment: str, after: tuple[str, str], limit: int
    ) -> list[JobRow]:
        """Jobs by name and project, after a (name, project)."""
        rows = await tx.fetch(self._q["jobs_page"], (environment, *after, limit))
        return [_job(row) for row in rows]

    async def names(self, tx: Tx, environment: str) -> list[tuple[str, str]]:
        """The jobs in force in an environment, as (project, name)."""
        rows = await tx.fetch(self._q["job_names"], (environment,))
        return [(row[0], row[1]) for row in rows]

    async def every(self, tx: Tx) -> list[JobRow]:
        """The jobs in force in every environment."""
        return [_job(row) for row in await tx.fetch(self._q["jobs_every"])]

    async def put(self, tx: Tx, jobs: Sequence[JobRow]) -> None:
        """Make these the jobs in force."""
        rows = [
            (
                *_revision(job),
                job.operation,
                job.blocked,
                dumps(job.conditions),
            )
            for job in jobs
        ]
        await tx.execute_many(self._q["job_upsert"], rows)

    async def add_revisions(self, tx: Tx, jobs: Sequence[JobRow]) -> None:
        """Keep each as a revision, for ever as it is."""
        await tx.execute_many(self._q["revision_insert"], [_revision(job) for job in jobs])

    async def drop(self, tx: Tx, keys: Sequence[tuple[str, str, str]]) -> None:
        """These are not in force any more; their revisions stay."""
        await tx.execute_many(self._q["job_delete"], list(keys))

    async def forget_revisions(self, tx: Tx, key: tuple[str, str, str], last: int) -> None:
        """Forget a job's revisions up to `last`."""
        await tx.execute(self._q["revisions_delete"], (*key, last))

    async def document(
        self, tx: Tx, project: str, environment: str, name: str, revision: int
    ) -> Mapping[str, Any] | None:
        """The document of one revision."""
        params = (project, environment, name, revision)
        rows = await tx.fetch(self._q["revision_document"], params)
        return loads(rows[0][0]) if rows else None


def _revision(job: JobRow) -> tuple[Value, ...]:
    return (
        job.project,
        job.environment,
        job.name,
        job.revision,
        dumps(job.document),
        to_micros(job.applied_at),
        job.applied_by,
    )


def _job(row: Row) -> JobRow:
    return JobRow(
        row[0],
        row[1],
        row[2],
        row[3],
        loads(row[4]),
        from_micros(row[5]),
        row[6],
        row[7],
        row[8],
        tuple(map(_condition, loads(row[9]))),
    )


def _condition(data: dict[str, Any]) -> Condition:
    return Condition(
        data["type"],
        ConditionState(data["state"]),
        datetime.fromisoformat(data["at"]),
        data["reason"],
        data["message"],
    )
