"""RECHECK: proves that every enabled schedule has a next instant, and that none is overdue.

Every minute it is looked for those of which this does not hold; every hour for those that could
not be reckoned. Once, when an engine starts, all are reckoned anew: the data of time zones may be
others than those that the engine before had.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

from runyard.database.port import Database, Tx
from runyard.flow.freezing import Zones
from runyard.flow.schedule.checking import check
from runyard.gate.door import Gate
from runyard.gate.rechecking import Recheck
from runyard.model.trigger.row import Trigger, TriggerKey, TriggerState
from runyard.store.memory import Store

EVERY = timedelta(minutes=1)
BROKEN_EVERY = timedelta(hours=1)
PAGE = 50  #: schedules reckoned without a pause: some 10 ms, and others wait no longer
DOUBTFUL_MAX = 200  #: triggers that one look has mended
_FIRST = ("", "", "", "")  #: before every (environment, job, project, name)


class RecheckLoop:
    """One tick: what does not hold is mended. `looked_at` tells what instant the schedule loop has
    looked up to, None before its first look."""

    def __init__(
        self,
        gate: Gate,
        database: Database,
        store: Store,
        zones: Zones,
        looked_at: Callable[[], datetime | None],
    ) -> None:
        self._gate = gate
        self._database = database
        self._store = store
        self._zones = zones
        self._looked_at = looked_at
        self._late: dict[TriggerKey, int] = {}
        self._are_all_reckoned = False
        self._broken_at: datetime | None = None

    async def tick(self, now: datetime) -> datetime | None:
        """Look at all once, then at those that may be wrong."""
        if not self._are_all_reckoned:
            await self._reckon(TriggerState.ENABLED, now)
            self._are_all_reckoned = True
        if self._broken_at is None or not timedelta() <= now - self._broken_at < BROKEN_EVERY:
            await self._reckon(TriggerState.BROKEN, now)
            self._broken_at = now
        await self._doubtful(now)
        return now + EVERY

    async def _reckon(self, state: TriggerState, now: datetime) -> None:
        async for page in self._pages(state):
            wrong = [row for row in page if check(row, self._zones, now) is not None]
            if wrong:
                await self._gate.ask(Recheck(wrong, now, self._zones))

    async def _pages(self, state: TriggerState) -> AsyncIterator[list[Trigger]]:
        after = _FIRST
        while True:

            async def work(tx: Tx, after: tuple[str, str, str, str] = after) -> list[Trigger]:
                return await self._store.triggers.schedules(tx, state, after, PAGE)

            page = await self._database.read(work)
            if page:
                yield page
            if len(page) < PAGE:
                return
            last = page[-1]
            after = (last.environment, last.job, last.project, last.name)

    async def _doubtful(self, now: datetime) -> None:
        """Mends what has no instant; and what was overdue at the last look already, as it is now,
        while the schedule loop has looked past it in between: it is neither slow nor away."""
        looked = self._looked_at()

        async def work(tx: Tx) -> tuple[list[Trigger], list[Trigger]]:
            store = self._store.triggers
            lost = await store.without_instant(tx, DOUBTFUL_MAX)
            if looked is None:
                return lost, []
            return lost, await store.due(tx, min(now, looked) - EVERY, DOUBTFUL_MAX)

        lost, due = await self._database.read(work)
        late = [row for row in due if self._late.get(row.key) == row.version]
        self._late = {row.key: row.version for row in due}
        if lost or late:
            await self._gate.ask(Recheck(lost, now, self._zones, late))
