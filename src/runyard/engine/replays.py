"""REPLAYS: has dead letters replayed, each replay at its own pace."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from runyard.database.port import Database
from runyard.gate.door import Gate
from runyard.gate.replaying import AdvanceReplays
from runyard.model.ids import RunId
from runyard.store.memory import Store

BATCH = 50  #: replays that go on by one decision


class ReplayLoop:
    """One tick: the next letter of every replay whose instant has come."""

    def __init__(
        self, gate: Gate, database: Database, store: Store, new_run_id: Callable[[], RunId]
    ) -> None:
        self._gate = gate
        self._database = database
        self._store = store
        self._new_run_id = new_run_id

    async def tick(self, now: datetime) -> datetime | None:
        """Ask for what is due at `now`; when the next letter is."""
        while await self._gate.ask(AdvanceReplays(now, self._new_run_id, BATCH)) >= BATCH:
            pass
        return await self._database.read(self._store.dead_letters.next_instant)
