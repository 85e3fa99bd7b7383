"""What one process asks for wakes another at once: the safety poll is set to an hour, so a wake-up
that does not come would be waited for in vain."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count

import pytest

from runyard.database.postgresql import PostgresDatabase
from runyard.database.signals import Signals
from runyard.gate.asking import Apply, Request
from runyard.gate.door import Gate, GateSettings
from runyard.gate.news import follow
from runyard.model.ids import RunId, stamped
from runyard.model.plan import RunRequest
from runyard.model.run import Run, State
from runyard.store.memory import Store
from tests.support.databases import Grounds
from tests.support.engines import PATIENCE_SECONDS, Engines
from tests.support.postgresql import Server
from tests.support.runs import NOW, make_spec
from tests.support.witness import furnish

JOBS = ["plain"]
HOUR_SECONDS = 3600.0


@dataclass
class Face:
    """A process that asks and looks, and carries nothing out."""

    database: PostgresDatabase
    store: Store = field(default_factory=lambda: Store.of("postgresql"))
    signals: Signals = field(default_factory=Signals)
    numbers: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.gate = Gate(self.database, self.store, GateSettings(by="face", tells=True))

    async def launched(self) -> float:
        """Ask for a run and follow it until it is launched: the seconds it took."""
        began = time.monotonic()
        identity = RunId(stamped("run", NOW, next(self.numbers)))
        asked = Request(RunRequest("local", "plain", "ann"), NOW, lambda: identity)
        with self.signals.listening([f"run/{identity}"]) as listener:
            await self.gate.ask(asked)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (await self.run(identity)).state is State.LAUNCHING:
                    await listener.wait()
        return time.monotonic() - began

    async def run(self, identity: RunId) -> Run:
        return (await self.database.read(lambda tx: self.store.runs.get(tx, [identity])))[0]

    async def cut_listeners(self) -> int:
        """End every connection that listens; how many."""
        cut = await self.database.write(
            lambda tx: tx.fetch(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE application_name LIKE '% listens' AND datname = current_database()"""
            )
        )
        return len(cut)


@asynccontextmanager
async def face(url: str) -> AsyncIterator[Face]:
    one = Face(await PostgresDatabase.open(url, name="face"))
    following = asyncio.create_task(follow(one.database, one.signals))
    try:
        yield one
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        await one.database.close()


@pytest.mark.parametrize("grounds", ["postgresql"], indirect=True)
def test_a_run_asked_for_here_is_launched_there_and_seen_here_at_once(
    postgresql: Server, grounds: Grounds
) -> None:
    async def scene() -> None:
        async with grounds.furnished() as database:
            gate = Gate(database, Store.of("postgresql"), GateSettings())
            await gate.ask(Apply([make_spec("plain")], "local", "ann", NOW))
        cloud_url = await asyncio.to_thread(postgresql.database)
        await furnish(cloud_url)
        url = grounds.urls["furnished"]
        several = Engines(url, cloud_url, 1, JOBS, region_runs_max=1000, poll_seconds=HOUR_SECONDS)
        try:
            await several.start("there", skew_seconds=0.0, requests=0)
            await several.until(1, "up")
            async with face(url) as here:
                for _ in range(20):
                    assert await here.launched() < PATIENCE_SECONDS
                assert await here.cut_listeners() == 2
                for _ in range(20):
                    assert await here.launched() < PATIENCE_SECONDS
        finally:
            await several.stop()

    asyncio.run(scene())
