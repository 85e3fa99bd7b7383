"""SCHEDULE: has triggers do what they are due for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from runyard.database.port import Database
from runyard.flow.freezing import Zones
from runyard.gate.door import Gate
from runyard.gate.firing import FireDue
from runyard.model.ids import RunId
from runyard.store.memory import Store

BATCH = 200  #: triggers looked at by one decision, so that others get through in between


class ScheduleLoop:
    """One tick: every trigger whose instant has come."""

    def __init__(
        self,
        gate: Gate,
        database: Database,
        store: Store,
        new_id: Callable[[], RunId],
        zones: Zones,
    ) -> None:
        self._gate = gate
        self._database = database
        self._store = store
        self._new_id = new_id
        self._zones = zones
        self.looked_at: datetime | None = None  #: what was due by then has been done

    async def tick(self, now: datetime) -> datetime | None:
        """Have everything done that is due at `now`; when the next trigger is."""
        while await self._gate.ask(FireDue(now, self._new_id, self._zones, BATCH)) >= BATCH:
            pass
        self.looked_at = now
        return await self._database.read(self._store.triggers.next_at)
