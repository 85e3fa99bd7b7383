"""WAITS: looks whether what runs wait for is there, and lets them go on when it is.

What is looked at is outside of every transaction: a peer by a connection that sends nothing,
access by the provider's own check, room by the slot of the region. A revision that is newer shows
itself in the rows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from runyard.database.port import Database, Tx
from runyard.flow.lifecycle import region_slot
from runyard.gate.door import Gate
from runyard.gate.resuming import GoOn
from runyard.model.errors import CallerError, PlatformError, StoreError
from runyard.model.event import Looked
from runyard.model.run import Run, State
from runyard.provider.port_access import Access, Identity
from runyard.store.memory import Store

LOGGER = logging.getLogger("runyard.engine")

BATCH = 100  #: runs of one look
AT_ONCE_MAX = 20  #: of them, so many at the same time
REACH_SECONDS = 3.0  #: for a connection: as long as the first two tries of SYN take (RFC 6298)
Reach = Callable[[str, int], Awaitable[str]]  #: a host and a port; why not, empty when reached


async def reach(host: str, port: int, seconds: float = REACH_SECONDS) -> str:
    """Why a connection to a peer cannot be had now; empty when it can."""
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return f"{host}:{port} did not answer in {seconds:g} s"
    except OSError as error:
        return f"{host}:{port} cannot be reached: {error.strerror or error}"
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return ""


class WaitsLoop:
    """One tick: everybody who is to be looked at."""

    def __init__(
        self, gate: Gate, database: Database, store: Store, access: Access, peer: Reach = reach
    ) -> None:
        self._gate = gate
        self._database = database
        self._store = store
        self._access = access
        self._peer = peer

    async def tick(self, now: datetime) -> datetime | None:
        """Look at what is due at `now`; when the next look is."""
        found = await self._database.read(lambda tx: self._found(tx, now))
        limit = asyncio.Semaphore(AT_ONCE_MAX)
        await asyncio.gather(*(self._one(run, now, limit) for run in found))
        if len(found) >= BATCH:
            return now

        async def next_look(tx: Tx) -> datetime | None:
            return await self._store.runs.next_look(tx)

        return await self._database.read(next_look)

    async def _found(self, tx: Tx, now: datetime) -> list[Run]:
        ids = await self._store.runs.to_look_at(tx, now, BATCH)
        return await self._store.runs.get(tx, ids)

    async def _one(self, run: Run, now: datetime, limit: asyncio.Semaphore) -> None:
        if run.awaiting is None:
            return  # it went on meanwhile
        async with limit:
            try:
                missing = await self._missing(run)
            except StoreError:
                raise
            except PlatformError as error:  # nobody knows: as good as not there
                missing = error.message
        try:
            if missing:
                look = Looked(run.awaiting.looks + 1, missing)
                await self._gate.tell(run.id, look, now)
            else:
                await self._gate.ask(GoOn(run.id, now, _THERE[run.state]))
        except CallerError as error:  # another engine looked too, or somebody cancelled it
            LOGGER.debug("%s: %s", run.id, error)

    async def _missing(self, run: Run) -> str:
        """What is not there yet, in words."""
        match run.state:
            case State.AWAITING_NETWORK:
                targets = (await self._document(run)).get("needs", {}).get("egress") or ()
                found = [await self._peer(*_parts(target)) for target in targets]
                return "; ".join(words for words in found if words)
            case State.AWAITING_CAPACITY:
                return await self._full(run)
            case State.AWAITING_PERMISSION:
                document = await self._document(run)
                identity = Identity(run.project, run.environment, run.job, document, {})
                return "; ".join(await self._access.missing(identity))
            case _:
                return await self._unmended(run)

    async def _full(self, run: Run) -> str:
        async def work(tx: Tx) -> str:
            name = region_slot(run.environment, run.region)
            slots = await self._store.slots.get(tx, [name])
            full = any(slot.is_full for slot in slots)
            return f"as many runs are out in {run.region} as may be" if full else ""

        return await self._database.read(work)

    async def _unmended(self, run: Run) -> str:
        async def work(tx: Tx) -> str:
            jobs = await self._store.jobs.named(tx, run.environment, run.job)
            mine = [job.revision for job in jobs if job.project == run.project]
            newer = max(mine, default=0) > run.revision
            return "" if newer else f"no revision after {run.revision} is in force"

        return await self._database.read(work)

    async def _document(self, run: Run) -> Mapping[str, Any]:
        async def work(tx: Tx) -> Mapping[str, Any] | None:
            key = (run.project, run.environment, run.job, run.revision)
            return await self._store.jobs.document(tx, *key)

        return await self._database.read(work) or {}


_THERE = {
    State.AWAITING_NETWORK: "what it needs can be reached",
    State.AWAITING_CAPACITY: "there is room",
    State.AWAITING_PERMISSION: "its identity has all that its job needs",
    State.AWAITING_FIX: "",
}


def _parts(target: str) -> tuple[str, int]:
    """`db.internal:5432` or `[::1]:5432` as a host and a port."""
    host, _, port = target.rpartition(":")
    return host.strip("[]"), int(port)
