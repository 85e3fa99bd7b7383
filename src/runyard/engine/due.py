"""DUE: starts what is due and ends what has passed its deadline."""

from __future__ import annotations

from datetime import datetime

from runyard.database.port import Database, Tx
from runyard.gate.door import Gate
from runyard.gate.telling import PassDeadlines, StartDue
from runyard.store.memory import Store

BATCH = 200  #: runs started by one decision, so that others get through in between


class DueLoop:
    """One tick: everything whose instant has come."""

    def __init__(self, gate: Gate, database: Database, store: Store) -> None:
        self._gate = gate
        self._database = database
        self._store = store

    async def tick(self, now: datetime) -> datetime | None:
        """Start and stop what is due at `now`; when the next instant is."""
        while await self._gate.ask(PassDeadlines(now, BATCH)) >= BATCH:
            pass
        while await self._gate.ask(StartDue(now, BATCH)) >= BATCH:
            pass

        async def next_instants(tx: Tx) -> tuple[datetime | None, datetime | None]:
            return await self._store.runs.next_instants(tx)

        instants = [at for at in await self._database.read(next_instants) if at is not None]
        return min(instants, default=None)
