"""EXPIRE: ends the waiting of operations that nobody said yes to in time."""

from __future__ import annotations

from datetime import datetime

from runyard.database.port import Database
from runyard.gate.door import Gate
from runyard.gate.operating import ExpireOperations
from runyard.store.memory import Store

BATCH = 50  #: operations ended by one decision


class ExpireLoop:
    """One tick: everything that has waited long enough."""

    def __init__(self, gate: Gate, database: Database, store: Store) -> None:
        self._gate = gate
        self._database = database
        self._store = store

    async def tick(self, now: datetime) -> datetime | None:
        """End what has waited until `now`; when the next one has."""
        while await self._gate.ask(ExpireOperations(now, BATCH)) >= BATCH:
            pass
        return await self._database.read(self._store.operations.next_instant)
