"""What transactions notify is heard by other processes, once it is durable, and again after the
listening connection was cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from runyard.database.port import Tx
from runyard.database.postgresql import PostgresDatabase
from runyard.database.postgresql_listener import committing
from runyard.model.errors import StoreError
from tests.support.databases import Grounds
from tests.support.postgresql import Server

PATIENCE_SECONDS = 30
AWKWARD = 'it\'s a \\ "text" of {1} $2 \N{SNOWMAN}\n'


@dataclass
class Ear:
    """What one process hears."""

    heard: list[str] = field(default_factory=list)
    begun: int = 0
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    told: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, text: str) -> None:
        self.heard.append(text)
        self.told.set()

    def missed(self) -> None:
        self.begun += 1
        self.told.set()

    async def until(self, *, heard: int = 0, begun: int = 0) -> None:
        """Wait until so much was heard."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.heard) < heard or self.begun < begun:
                await self.told.wait()
                self.told.clear()


@asynccontextmanager
async def listening(database: PostgresDatabase) -> AsyncIterator[Ear]:
    ear = Ear()
    task = asyncio.create_task(database.listen(ear.hear, ear.missed))
    try:
        await ear.until(begun=1)
        yield ear
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def two(server: Server) -> AsyncIterator[tuple[PostgresDatabase, PostgresDatabase]]:
    """Two processes on one database."""
    url = await asyncio.to_thread(server.database)
    one = await PostgresDatabase.open(url, name="one")
    other = await PostgresDatabase.open(url, name="other")
    try:
        yield one, other
    finally:
        await one.close()
        await other.close()


def test_what_is_durable_is_heard_and_what_was_undone_is_not(postgresql: Server) -> None:
    async def undone(tx: Tx) -> None:
        await tx.notify("undone")
        raise StoreError("no")

    async def scene() -> None:
        async with two(postgresql) as (one, other), listening(other) as ear:
            with pytest.raises(StoreError):
                await one.write(undone)
            await one.write(lambda tx: tx.notify(AWKWARD))
            await one.write(lambda tx: tx.notify("last"))
            await ear.until(heard=2)
            assert ear.heard == [AWKWARD, "last"]

    asyncio.run(scene())


def test_who_was_cut_off_is_told_and_hears_again(postgresql: Server) -> None:
    async def scene() -> None:
        async with two(postgresql) as (one, other), listening(other) as ear:
            for times in (2, 3):
                cut = await one.write(
                    lambda tx: tx.fetch(
                        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE application_name = 'other listens' AND datname = current_database()"""
                    )
                )
                assert cut == [(True,)]
                await ear.until(begun=times)
                await one.write(lambda tx: tx.notify("again"))
                await ear.until(heard=times - 1)
            assert ear.heard == ["again", "again"]

    asyncio.run(scene())


def test_a_notice_that_is_refused_leaves_nothing_and_harms_nobody(postgresql: Server) -> None:
    async def too_long(tx: Tx) -> None:
        await tx.execute("CREATE TABLE gone (id BIGINT)")
        await tx.notify("x" * 9_000)

    async def scene() -> None:
        async with two(postgresql) as (one, _):
            for _ in range(10):  # more than the pool has connections
                with pytest.raises(
                    StoreError, match="refused a statement: payload string too long"
                ):
                    await one.write(too_long)
            found = await one.read(lambda tx: tx.fetch("SELECT to_regclass('gone') IS NULL"))
            assert found == [(True,)]

    asyncio.run(scene())


def test_a_server_that_is_away_is_waited_for(postgresql: Server) -> None:
    async def scene() -> None:
        nobody = await PostgresDatabase.open("postgresql://x@/x?host=/nowhere/at/all")
        task = asyncio.create_task(nobody.listen(lambda _: None, lambda: None))
        done, _ = await asyncio.wait([task], timeout=0.3)
        assert not done, "it gave up"
        task.cancel()
        await asyncio.wait([task])
        await nobody.close()

    asyncio.run(scene())


@pytest.mark.parametrize("grounds", ["threaded", "inline"], indirect=True)
def test_who_has_a_database_alone_has_nobody_to_listen_to(grounds: Grounds) -> None:
    async def scene() -> None:
        ear = Ear()
        async with grounds.opened() as database:
            await database.write(lambda tx: tx.notify("nobody hears it"))
            await database.listen(ear.hear, ear.missed)
        assert (ear.heard, ear.begun) == ([], 0)

    asyncio.run(scene())


def test_a_commit_without_a_notice_is_a_commit() -> None:
    assert committing(None) == "COMMIT"
