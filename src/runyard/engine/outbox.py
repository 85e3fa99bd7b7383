"""OUTBOX: has every effect carried out: those handed over by the gate at once, and those that
are due again or were claimed by an engine that died."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

from runyard.database.port import Database, Tx
from runyard.gate.door import LEASE
from runyard.model.effect import Pending
from runyard.model.errors import PlatformError
from runyard.model.ids import EffectId
from runyard.store.memory import Store

LOGGER = logging.getLogger("runyard.engine")
AT_ONCE_MAX = 256  #: effects under way together; the rest waits in rows


class Carries(Protocol):
    """Who does effects."""

    async def carry(self, pending: Pending) -> None:
        """Do one effect and tell the result. Raises StoreError when that cannot be written."""


class OutboxLoop:
    """One tick: claim what is due and begin it. What is under way goes on between ticks."""

    def __init__(
        self,
        database: Database,
        store: Store,
        carrier: Carries,
        engine: str,
        wake: Callable[[], None],
        *,
        lease: timedelta = LEASE,
    ) -> None:
        self._database = database
        self._store = store
        self._carrier = carrier
        self._engine = engine
        self._wake = wake
        self._lease = lease
        self._handed: deque[Pending] = deque()
        self._under_way: dict[EffectId, asyncio.Task[None]] = {}
        self._finishing = False
        self._crowded = False
        self._renewed_at: datetime | None = None

    def hand_over(self, effects: Iterable[Pending]) -> None:
        """Effects that this engine has just claimed with the decision that wants them. Once
        finishing they are left in their rows, for the next engine."""
        if self._finishing:
            return
        self._handed.extend(effects)
        self._begin_handed()

    async def tick(self, now: datetime) -> datetime | None:
        """Keep our claims, then claim what is due at `now`; when the next effect is due. With no
        room for more it is woken when there is some."""
        self._begin_handed()
        await self._renew(now)
        room = AT_ONCE_MAX - len(self._under_way) - len(self._handed)
        self._crowded = room <= 0
        if self._crowded:
            return None
        self._handed.extend(await self._claim(now, room))
        self._begin_handed()

        async def next_instant(tx: Tx) -> datetime | None:
            return await self._store.outbox.next_instant(tx)

        return await self._database.read(next_instant)

    async def finish(self) -> None:
        """Let what is under way come to its end, begin nothing new, and free our claims."""
        self._finishing = True
        self._handed.clear()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

        async def work(tx: Tx) -> int:
            return await self._store.outbox.let_go(tx, self._engine)

        try:
            await self._database.write(work)
        except PlatformError as error:
            LOGGER.warning("claims are free only when their lease ends: %s", error.message)

    def tasks(self) -> list[asyncio.Task[None]]:
        """The effects that are being carried out."""
        return list(self._under_way.values())

    async def _renew(self, now: datetime) -> None:
        if self._renewed_at is not None and now - self._renewed_at < self._lease / 3:
            return
        self._renewed_at = now
        mine = [*self._under_way, *(one.id for one in self._handed)]
        if not mine:
            return

        async def work(tx: Tx) -> None:
            await self._store.outbox.renew(tx, self._engine, now + self._lease, mine)

        await self._database.write(work)

    async def _claim(self, now: datetime, limit: int) -> list[Pending]:
        async def work(tx: Tx) -> list[Pending]:
            until = now + self._lease
            return await self._store.outbox.claim(tx, self._engine, until, now, limit)

        return await self._database.write(work)

    def _begin_handed(self) -> None:
        while self._handed and len(self._under_way) < AT_ONCE_MAX:
            pending = self._handed.popleft()
            if pending.id in self._under_way:
                continue  # claimed again while it was still under way here
            task = asyncio.create_task(self._carry(pending), name=pending.id)
            self._under_way[pending.id] = task

    async def _carry(self, pending: Pending) -> None:
        try:
            await self._carrier.carry(pending)
        except PlatformError as error:
            LOGGER.warning("%s could not be told: %s", pending.id, error.message)
        except Exception:
            LOGGER.exception("%s: a fault of the program", pending.id)
        finally:
            del self._under_way[pending.id]
            self._begin_handed()
            if self._crowded and not self._handed:
                self._crowded = False
                self._wake()
