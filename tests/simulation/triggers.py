"""What a world sees of triggers: each with what became of its instants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from runyard.database.port import Database, Tx
from runyard.model.trigger.instant import Instant
from runyard.model.trigger.row import Trigger
from runyard.store.memory import Store
from tests.simulation.rows import Groups, Rows

Fired = tuple[Trigger, Sequence[Instant]]
_END = datetime(9000, 1, 1, tzinfo=UTC)


class Triggers:
    """Every trigger of a world; what did not change is the same object as before."""

    def __init__(self) -> None:
        self._triggers = Rows[str, list[Trigger]]("SELECT job, triggers.* FROM triggers")
        self._instants = Rows[str, list[Instant]]("SELECT * FROM instants")

    async def look(self, database: Database, store: Store) -> list[Fired]:
        """All of them, and what became of the instants of each, the latest first."""
        port = store.triggers

        async def work(tx: Tx) -> list[Fired]:
            async def triggers(changed: Groups[str]) -> dict[str, list[Trigger]]:
                return {job: await port.of_jobs(tx, [("local", job)]) for job in changed}

            async def instants(changed: Groups[str]) -> dict[str, list[Instant]]:
                return {path: await port.instants(tx, path, _END, 10_000) for path in changed}

            rows = await self._triggers.look(tx, triggers)
            kept = await self._instants.look(tx, instants)
            return [(row, kept.get(row.path, ())) for of_job in rows.values() for row in of_job]

        return await database.read(work)

    def forget(self) -> None:
        """The next look is at everything anew."""
        self._triggers.forget()
        self._instants.forget()
