"""Budgets of retries: what each job has spent, read and written under the gate's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from runyard.database.port import Tx
from runyard.model.instants import from_micros, to_micros
from runyard.model.run import Spent

JobKey = tuple[str, str, str]  #: project, environment, name


class Budgets:
    """The budgets' port to the database."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._q = queries

    async def get(self, tx: Tx, key: JobKey) -> Spent | None:
        """What a job has spent last; None: nothing, or it was forgotten."""
        rows = await tx.fetch(self._q["budget_of_job"], key)
        return Spent(key, from_micros(rows[0][0]), rows[0][1]) if rows else None

    async def put(self, tx: Tx, spent: Iterable[Spent]) -> None:
        """Write what jobs have spent."""
        rows = [(*one.key, to_micros(one.began_at), one.retries) for one in spent]
        await tx.execute_many(self._q["budget_upsert"], rows)

    async def forget(self, tx: Tx, before: datetime) -> None:
        """Forget stretches that began before an instant; it must be longer ago than any lasts."""
        await tx.execute(self._q["budgets_delete"], (to_micros(before),))
