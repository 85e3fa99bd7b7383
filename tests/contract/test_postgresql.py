"""What only a server can do to us: go away, come back, undo what we did, refuse us, cut us off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from runyard.database import postgresql as adapter
from runyard.database.port import Tx, Work
from runyard.database.postgresql import PostgresDatabase
from runyard.model.errors import StoreError, StoreUnavailable
from tests.support.postgresql import Server

SECRET = "correct-horse"


@asynccontextmanager
async def opened(server: Server) -> AsyncIterator[PostgresDatabase]:
    url = await asyncio.to_thread(server.database)
    database = await PostgresDatabase.open(url)
    try:
        await database.write(make_table)
        yield database
    finally:
        await database.close()


async def make_table(tx: Tx) -> None:
    await tx.execute("CREATE TABLE counts (id BIGINT PRIMARY KEY, count BIGINT NOT NULL)")
    await tx.execute("INSERT INTO counts VALUES (1, 0), (2, 0)")


async def counts(tx: Tx) -> list[int]:
    return [row[0] for row in await tx.fetch("SELECT count FROM counts ORDER BY id")]


def adding(first: int, second: int, met: Callable[[], Awaitable[None]]) -> Work[None]:
    """Adds one to two rows, and meets somebody in between."""

    async def work(tx: Tx) -> None:
        await tx.execute("UPDATE counts SET count = count + 1 WHERE id = $1", (first,))
        await met()
        await tx.execute("UPDATE counts SET count = count + 1 WHERE id = $1", (second,))

    return work


def test_two_works_that_wait_for_each_other_are_both_done(postgresql: Server) -> None:
    async def scene() -> list[int]:
        async with opened(postgresql) as database:
            barrier, tries = asyncio.Barrier(2), 0

            async def met() -> None:
                nonlocal tries
                tries += 1
                if tries <= 2:
                    await barrier.wait()

            await asyncio.gather(
                database.write(adding(1, 2, met)), database.write(adding(2, 1, met))
            )
            assert tries >= 3  # the server may undo both
            return await database.read(counts)

    assert asyncio.run(scene()) == [2, 2]


def test_a_work_that_is_undone_again_and_again_is_given_up(postgresql: Server) -> None:
    tries = 0

    async def work(tx: Tx) -> None:
        nonlocal tries
        tries += 1
        await tx.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")

    async def scene() -> None:
        async with opened(postgresql) as database:
            await database.write(work)

    with pytest.raises(StoreUnavailable):
        asyncio.run(scene())
    assert tries == adapter.TRIES_MAX


@pytest.mark.parametrize("mode", ["immediate", "fast"])
def test_a_server_that_was_away_is_found_again(postgresql: Server, mode: str) -> None:
    async def scene() -> list[int]:
        async with opened(postgresql) as database:

            async def nobody() -> None:
                return None

            await asyncio.gather(*(database.write(adding(1, 2, nobody)) for _ in range(4)))
            await asyncio.to_thread(postgresql.stop, mode)
            with pytest.raises(StoreUnavailable, match="does not answer") as caught:
                await database.write(adding(1, 2, nobody))
            assert caught.value.transient
            await asyncio.to_thread(postgresql.start)
            await asyncio.gather(*(database.write(adding(1, 2, nobody)) for _ in range(4)))
            return await database.read(counts)

    assert asyncio.run(scene()) == [8, 8]


def test_a_connection_lost_inside_a_work_runs_it_again(postgresql: Server) -> None:
    async def scene() -> list[int]:
        async with opened(postgresql) as database:
            cut = 0

            async def work(tx: Tx) -> None:
                nonlocal cut
                await tx.execute("UPDATE counts SET count = count + 1")
                ((backend,),) = await tx.fetch("SELECT pg_backend_pid()")
                if not cut:
                    cut = backend
                    await asyncio.to_thread(postgresql.say, f"SELECT pg_terminate_backend({cut})")
                    await tx.fetch("SELECT 1")

            await database.write(work)
            return await database.read(counts)

    assert asyncio.run(scene()) == [1, 1]


def test_who_hangs_in_a_transaction_is_cut_off_and_does_no_harm(postgresql: Server) -> None:
    """An engine that is stopped inside a batch and comes back when another has gone on."""

    async def scene() -> list[int]:
        async with opened(postgresql) as hung, opened_again(hung) as other:
            inside, go = asyncio.Event(), asyncio.Event()
            tries = 0

            async def hang() -> None:
                nonlocal tries
                tries += 1
                if tries == 1:
                    inside.set()
                    await go.wait()

            async def stuck(tx: Tx) -> None:
                await tx.lock("gate")
                if tries == 0:
                    await tx.execute("SET LOCAL idle_in_transaction_session_timeout = '100ms'")
                seen = await counts(tx)
                await hang()
                await tx.execute("UPDATE counts SET count = $1", (seen[0] + 1,))

            async def quick(tx: Tx) -> None:
                await tx.lock("gate")
                await tx.execute("UPDATE counts SET count = count + 10")

            waiting = asyncio.create_task(hung.write(stuck))
            await inside.wait()
            await other.write(quick)  # waits for the lock until the server cuts the other off
            go.set()
            await waiting
            assert tries == 2
            return await other.read(counts)

    assert asyncio.run(scene()) == [11, 11]


@asynccontextmanager
async def opened_again(database: PostgresDatabase) -> AsyncIterator[PostgresDatabase]:
    ((name, folder),) = await database.read(
        lambda tx: tx.fetch("SELECT current_database(), current_setting('unix_socket_directories')")
    )
    other = await PostgresDatabase.open(f"postgresql://postgres@/{name}?host={folder}")
    try:
        yield other
    finally:
        await other.close()


def test_a_connection_lost_in_a_commit_is_said_to_be_uncertain(postgresql: Server) -> None:
    """A trigger that runs in the commit cuts the connection: the work must not be run twice."""

    async def scene() -> int:
        async with opened(postgresql) as database:
            await database.write(cut_in_commit)
            runs = 0

            async def work(tx: Tx) -> None:
                nonlocal runs
                runs += 1
                await tx.execute("UPDATE counts SET count = count + 1 WHERE id = 1")

            with pytest.raises(StoreUnavailable, match="it is not known"):
                await database.write(work)
            return runs

    assert asyncio.run(scene()) == 1


async def cut_in_commit(tx: Tx) -> None:
    await tx.execute(
        """CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$"""
    )
    await tx.execute(
        """CREATE CONSTRAINT TRIGGER cut AFTER UPDATE ON counts DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION cut()"""
    )


def test_a_fault_that_a_work_swallows_is_not_taken_for_a_commit(postgresql: Server) -> None:
    async def scene() -> None:
        async with opened(postgresql) as database:

            async def work(tx: Tx) -> None:
                await tx.execute("UPDATE counts SET count = 5")
                with pytest.raises(asyncpg.UndefinedTableError):
                    await tx.fetch("SELECT * FROM nowhere")

            with pytest.raises(StoreError, match="a statement had failed"):
                await database.write(work)
            assert await database.read(counts) == [0, 0]

    asyncio.run(scene())


def test_a_commit_is_durable_whatever_the_database_s_default(postgresql: Server) -> None:
    async def scene() -> list[str]:
        async with opened(postgresql) as database:
            ((name,),) = await database.read(lambda tx: tx.fetch("SELECT current_database()"))
            await asyncio.to_thread(
                postgresql.say, f"ALTER DATABASE {name} SET synchronous_commit = off"
            )
            async with opened_again(database) as other:
                rows = await other.read(lambda tx: tx.fetch("SHOW synchronous_commit"))
            return [row[0] for row in rows]

    assert asyncio.run(scene()) == ["on"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"postgresql://ann:{SECRET}@127.0.0.1:1/rows", "rows at 127.0.0.1 port 1 does not answer"),
        (f"postgresql://ann:{SECRET}@[::1/rows", "cannot be used"),
        (f"mysql://ann:{SECRET}@127.0.0.1/rows", "cannot be used"),
        (f"postgresql://ann:{SECRET}@127.0.0.1:port/rows", "cannot be used"),
    ],
)
def test_what_cannot_be_reached_is_said_without_the_password(url: str, words: str) -> None:
    async def scene() -> None:
        database = await PostgresDatabase.open(url)
        try:
            await database.read(counts)
        finally:
            await database.close()

    with pytest.raises(StoreUnavailable) as caught:
        asyncio.run(scene())
    assert words in caught.value.message
    assert SECRET not in repr(caught.value) + caught.value.hint + str(caught.value.__cause__)


def test_a_database_or_a_user_that_is_not_there_is_said(postgresql: Server) -> None:
    async def scene(url: str) -> None:
        database = await PostgresDatabase.open(url)
        try:
            await database.read(counts)
        finally:
            await database.close()

    with pytest.raises(StoreError, match="is not there") as caught:
        asyncio.run(scene(postgresql.url("nowhere")))
    assert "createdb" in caught.value.hint
    with pytest.raises(StoreError, match="refuses this user"):
        asyncio.run(scene(postgresql.url().replace("postgres@", f"ann:{SECRET}@")))
