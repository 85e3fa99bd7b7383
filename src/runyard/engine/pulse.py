"""PULSE: says that this process lives, and forgets those that have long been silent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from runyard.database.port import Database, Tx
from runyard.store.memory import Store
from runyard.store.processes import Sign

LEASE = timedelta(seconds=30)  #: who has been silent for so long is not counted upon
BEATS = 6  #: signs in a lease, so that a slow one or two do no harm
KEPT = timedelta(hours=1)  #: how long the dead are shown


class Pulse:
    """One tick: one sign of life. `sign` says how this process is at the moment."""

    def __init__(
        self,
        database: Database,
        store: Store,
        sign: Callable[[], Sign],
        lease: timedelta = LEASE,
    ) -> None:
        self._database = database
        self._store = store
        self._sign = sign
        self._every = lease / BEATS

    async def tick(self, now: datetime) -> datetime:
        """Give a sign; when the next one is due."""
        sign = self._sign()

        async def work(tx: Tx) -> None:
            await self._store.processes.beat(tx, sign)
            await self._store.processes.forget(tx, KEPT)

        await self._database.write(work)
        return now + self._every

    async def end(self) -> None:
        """This process goes, and is not missed."""
        name = self._sign().name
        await self._database.write(lambda tx: self._store.processes.leave(tx, name))
