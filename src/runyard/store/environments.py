"""Environments as applied, and their revisions, which are never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from runyard.database.port import Row, Tx
from runyard.model.environment import Environment
from runyard.model.instants import from_micros, to_micros
from runyard.store.documents import VERSION, dumps, loads


@dataclass(frozen=True, slots=True)
class EnvironmentRow:
    """An environment of a project as it was last applied."""

    project: str
    name: str
    revision: int
    environment: Environment
    applied_at: datetime
    applied_by: str


class Environments:
    """The environments' port to the database."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._q = queries

    async def named(self, tx: Tx, name: str) -> list[EnvironmentRow]:
        """The environments of this name, one for each project that has one."""
        return [_row(row) for row in await tx.fetch(self._q["environments_by_name"], (name,))]

    async def of_project(self, tx: Tx, project: str) -> list[EnvironmentRow]:
        """The environments of a project by name."""
        rows = await tx.fetch(self._q["environments_of_project"], (project,))
        return [_row(row) for row in rows]

    async def every(self, tx: Tx) -> list[EnvironmentRow]:
        """All of them, by project and name."""
        return [_row(row) for row in await tx.fetch(self._q["environments_all"])]

    async def revisions(self, tx: Tx) -> list[EnvironmentRow]:
        """All of them as they ever were applied, by project, name and revision."""
        return [_row(row) for row in await tx.fetch(self._q["environment_revisions_all"])]

    async def used(self, tx: Tx) -> dict[tuple[str, str], int]:
        """How many jobs are in each (project, environment) that has any."""
        rows = await tx.fetch(self._q["environments_used"])
        return {(project, name): count for project, name, count in rows}

    async def put(self, tx: Tx, rows: Sequence[EnvironmentRow]) -> None:
        """Make these the environments in force, and keep each as a revision."""
        params = [
            (
                row.project,
                row.name,
                row.revision,
                dumps({"v": VERSION, "environment": row.environment.document()}),
                to_micros(row.applied_at),
                row.applied_by,
            )
            for row in rows
        ]
        await tx.execute_many(self._q["environment_upsert"], params)
        await tx.execute_many(self._q["environment_revision_insert"], params)


def _row(row: Row) -> EnvironmentRow:
    environment = Environment.from_document(loads(row[3])["environment"])
    return EnvironmentRow(row[0], row[1], row[2], environment, from_micros(row[4]), row[5])
