"""What is looked up when a process is asked for its metrics."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from runyard.api.services import LoopState
from runyard.database.port import Database, Tx
from runyard.model.run import State
from runyard.store.memory import Store
from runyard.telemetry.metrics import LoopReading, Reading


async def reading(
    database: Database, store: Store, loops: Sequence[LoopState], now: datetime, streams: int = 0
) -> Reading:
    """Of the database how many runs and effects there are, of this process its `loops`, and how
    many `streams` are open. Raises StoreError."""

    async def work(tx: Tx) -> tuple[dict[State, int], int]:
        return await store.runs.counts(tx), await store.outbox.count(tx)

    runs, effects = await database.read(work)
    here = {
        loop.name: LoopReading(loop.ticks, loop.errors, _silence(loop.last_tick_at, now))
        for loop in loops
    }
    return Reading(runs, effects, here, streams)


def _silence(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else max(0.0, (now - at).total_seconds())
