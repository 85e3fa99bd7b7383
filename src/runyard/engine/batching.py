"""Messages that were gathered become runs: so many together, or those that came in so long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from runyard.database.port import Database
from runyard.flow.eventing import batch_due
from runyard.gate.batching import TakeBatch
from runyard.gate.door import Gate
from runyard.model.ids import RunId
from runyard.model.trigger.event import EventSpec
from runyard.model.trigger.row import Trigger, TriggerState
from runyard.store.deliveries import Waiting
from runyard.store.memory import Store

Known = Mapping[str, tuple[Trigger, EventSpec | None]]  #: by path; None: not understood


class Batches:
    """Asks the gate for what is due. The gate looks once more, so that several may ask."""

    def __init__(
        self, gate: Gate, database: Database, store: Store, new_run_id: Callable[[], RunId]
    ) -> None:
        self._gate = gate
        self._database = database
        self._store = store
        self._new_run_id = new_run_id

    async def tick(self, known: Known, now: datetime) -> datetime | None:
        """Have all batches become runs that are due by `now`; when the next one is."""
        waiting = await self._database.read(self._store.deliveries.waiting)
        found = await asyncio.gather(*(self._take(one, known, now) for one in waiting))
        return min((at for at in found if at is not None), default=None)

    async def _take(self, waiting: Waiting, known: Known, now: datetime) -> datetime | None:
        if waiting.trigger in known:
            row, spec = known[waiting.trigger]
            if spec is None or row.state is not TriggerState.ENABLED:
                return None
            due = batch_due(spec, waiting.count, waiting.oldest)
            if due > now:
                return due
        project, environment, job, name = waiting.trigger.split("/")
        key = (project, environment, job, name)
        while True:
            done = await self._gate.ask(TakeBatch(key, now, self._new_run_id))
            if not done.count:
                return done.next_at
