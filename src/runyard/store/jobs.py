"""Jobs as applied, and their revisions, which are never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runyard.database.port import Row, Tx
from runyard.model.instants import from_micros, to_micros
from runyard.store.documents import dumps, loads


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as it was last applied. `document` is `JobSpec.document()`."""

    project: str
    environment: str
    name: str
    revision: int
    document: Mapping[str, Any]
    applied_at: datetime
    applied_by: str

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

    async def put(self, tx: Tx, jobs: Sequence[JobRow]) -> None:
        """Make these the jobs in force, and keep each as a revision."""
        rows = [
            (
                job.project,
                job.environment,
                job.name,
                job.revision,
                dumps(job.document),
                to_micros(job.applied_at),
                job.applied_by,
            )
            for job in jobs
        ]
        await tx.execute_many(self._q["job_upsert"], rows)
        await tx.execute_many(self._q["revision_insert"], rows)

    async def document(
        self, tx: Tx, project: str, environment: str, name: str, revision: int
    ) -> Mapping[str, Any] | None:
        """The document of one revision."""
        params = (project, environment, name, revision)
        rows = await tx.fetch(self._q["revision_document"], params)
        return loads(rows[0][0]) if rows else None


def _job(row: Row) -> JobRow:
    return JobRow(row[0], row[1], row[2], row[3], loads(row[4]), from_micros(row[5]), row[6])
