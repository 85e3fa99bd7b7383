"""Who stops in the middle of a query, holding what others wait for."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest

from runyard.database.port import Row, Tx
from runyard.database.postgresql import PostgresDatabase
from runyard.database.postgresql_hung import HungSessions
from tests.support.postgresql import Server

HANG_SECONDS = 0.1


@dataclass(frozen=True)
class Place:
    """Where a database is."""

    name: str
    folder: str

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/{self.name}?host={self.folder}"


@asynccontextmanager
async def opened(server: Server) -> AsyncIterator[tuple[Place, PostgresDatabase]]:
    """A database with a count of 0, by one who waits for nobody that hangs."""
    url = await asyncio.to_thread(server.database)
    database = await PostgresDatabase.open(url, hang_seconds=HANG_SECONDS)
    try:
        await database.write(make_table)
        ((name, folder),) = await database.read(where)
        yield Place(name, folder), database
    finally:
        await database.close()


async def make_table(tx: Tx) -> None:
    await tx.execute("CREATE TABLE counts (count BIGINT NOT NULL)")
    await tx.execute("INSERT INTO counts VALUES (0)")


async def where(tx: Tx) -> list[Row]:
    return await tx.fetch("SELECT current_database(), current_setting('unix_socket_directories')")


async def add(tx: Tx) -> None:
    await tx.execute("UPDATE counts SET count = count + 1")


async def count(tx: Tx) -> object:
    ((number,),) = await tx.fetch("SELECT count FROM counts")
    return number


async def prepare(place: Place) -> Callable[[], None]:
    """A client that stops between having a statement prepared and having it executed."""
    connection = await asyncpg.connect(place.url)
    await connection.execute("BEGIN; UPDATE counts SET count = 5")
    await connection.prepare("SELECT 42")
    return connection.terminate


async def take_no_answer(place: Place) -> Callable[[], None]:
    """A client that stops while an answer is sent to it."""
    _, writer = await asyncio.open_unix_connection(f"{place.folder}/.s.PGSQL.5432", limit=1)
    words = b"user\0postgres\0database\0" + place.name.encode() + b"\0\0"
    writer.write(struct.pack("!ii", 8 + len(words), 0x30000) + words)
    query = b"UPDATE counts SET count = 5; SELECT repeat('x', 9999999)\0"
    writer.write(b"Q" + struct.pack("!i", 4 + len(query)) + query)
    return writer.close


@pytest.mark.parametrize("begin", [prepare, take_no_answer])
def test_who_hangs_in_a_query_is_cut_off_by_who_waits(
    postgresql: Server,
    begin: Callable[[Place], Awaitable[Callable[[], None]]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The server has no timeout for it: such a session is active, and not idle."""

    async def scene() -> object:
        async with opened(postgresql) as (place, database):
            end = await begin(place)
            while not await database.read(waits_for_its_client):
                pass
            await database.write(add)
            end()
            return await database.read(count)

    assert asyncio.run(scene()) == 1
    assert "it hung" in caplog.text


async def waits_for_its_client(tx: Tx) -> bool:
    return bool(
        await tx.fetch(
            """SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
            AND state = 'active' AND wait_event_type = 'Client'"""
        )
    )


def test_who_hangs_and_is_in_nobody_s_way_is_left_alone(postgresql: Server) -> None:
    async def scene() -> object:
        async with opened(postgresql) as (place, database):
            connection = await asyncpg.connect(place.url)
            await connection.execute("BEGIN; UPDATE counts SET count = 5")
            await connection.prepare("COMMIT")
            await database.write(lambda tx: tx.execute(f"SELECT pg_sleep({5 * HANG_SECONDS})"))
            await connection.execute("COMMIT")
            await connection.close()
            return await database.read(count)

    assert asyncio.run(scene()) == 5


def test_where_nobody_can_look_who_hangs_one_waits_on(
    postgresql: Server, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with opened(postgresql) as (place, database):
            lost = HungSessions(Place("nowhere", place.folder).url, "nowhere", HANG_SECONDS)
            with lost.ended_meanwhile():
                while not caplog.records:
                    await database.read(count)
            await lost.close()

    caplog.set_level("DEBUG", "runyard.database")
    asyncio.run(scene())
    assert "nobody who hangs was looked for at nowhere" in caplog.text
