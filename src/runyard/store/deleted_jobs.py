"""Jobs that were deleted and can still be had back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runyard.database.port import Row, Tx
from runyard.model.instants import from_micros, to_micros
from runyard.store.documents import dumps, loads

JobKey = tuple[str, str, str]  #: project, environment, name


@dataclass(frozen=True, slots=True)
class DeletedJob:
    """A job as it was in force last. At `purge_at` it is gone for good: `document` is then None,
    and only its last revision's number is known, since no number is ever given twice."""

    project: str
    environment: str
    name: str
    revision: int
    document: Mapping[str, Any] | None
    deleted_at: datetime
    deleted_by: str
    purge_at: datetime
    operation: str

    @property
    def key(self) -> JobKey:
        """What it is unique in."""
        return (self.project, self.environment, self.name)


class DeletedJobs:
    """The deleted jobs' port to the database."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._q = queries

    async def named(self, tx: Tx, environment: str, name: str) -> list[DeletedJob]:
        """The deleted jobs of this name, one for each project that had one."""
        rows = await tx.fetch(self._q["deleted_jobs_by_name"], (environment, name))
        return [_deleted(row) for row in rows]

    async def all(self, tx: Tx, environment: str) -> list[DeletedJob]:
        """Every deleted job of an environment that can be had back, by name."""
        rows = await tx.fetch(self._q["deleted_jobs_page"], (environment,))
        return [_deleted(row) for row in rows]

    async def to_purge(self, tx: Tx, now: datetime, limit: int) -> list[DeletedJob]:
        """Those whose time is over."""
        params = (to_micros(now), limit)
        rows = await tx.fetch(self._q["deleted_jobs_to_purge"], params)
        return [_deleted(row) for row in rows]

    async def bury(self, tx: Tx, jobs: Sequence[DeletedJob]) -> None:
        """Keep deleted jobs; one of the same name that was deleted before is forgotten."""
        rows = [
            (
                *job.key,
                job.revision,
                dumps(job.document),
                to_micros(job.deleted_at),
                job.deleted_by,
                to_micros(job.purge_at),
                job.operation,
            )
            for job in jobs
        ]
        await tx.execute_many(self._q["deleted_job_upsert"], rows)

    async def purge(self, tx: Tx, keys: Sequence[JobKey]) -> None:
        """Nobody can have these back any more."""
        await tx.execute_many(self._q["deleted_job_purge"], list(keys))

    async def unbury(self, tx: Tx, keys: Sequence[JobKey]) -> None:
        """These are not deleted any more."""
        await tx.execute_many(self._q["deleted_job_delete"], list(keys))


def _deleted(row: Row) -> DeletedJob:
    return DeletedJob(
        row[0],
        row[1],
        row[2],
        row[3],
        loads(row[4]),
        from_micros(row[5]),
        row[6],
        from_micros(row[7]),
        row[8],
    )
