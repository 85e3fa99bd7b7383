"""What every database promises (the port's words), on each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runyard.database.migrations import migrate, migrations, statements
from runyard.database.port import Database, Row, Tx
from runyard.database.queries import parse
from runyard.database.sqlite import SqliteDatabase
from runyard.model.errors import SchemaMismatch, StoreError, StoreUnavailable
from tests.support.databases import Grounds

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@asynccontextmanager
async def opened(grounds: Grounds) -> AsyncIterator[Database]:
    async with grounds.opened() as database:
        await database.write(make_table)
        yield database


async def make_table(tx: Tx) -> None:
    await tx.execute("CREATE TABLE words (id BIGINT PRIMARY KEY, word TEXT NOT NULL)")


async def words(tx: Tx) -> list[str]:
    return [row[0] for row in await tx.fetch("SELECT word FROM words ORDER BY id")]


def test_writes_are_read_back(grounds: Grounds) -> None:
    async def scene() -> list[str]:
        async with opened(grounds) as database:

            async def work(tx: Tx) -> int:
                await tx.execute_many(
                    "INSERT INTO words (id, word) VALUES ($2, $1)", [("b", 2), ("a", 1)]
                )
                return await tx.execute("UPDATE words SET word = word || $1", ("!",))

            assert await database.write(work) == 2
            return await database.read(words)

    assert asyncio.run(scene()) == ["a!", "b!"]


def test_a_failing_work_leaves_nothing_and_harms_nobody(grounds: Grounds) -> None:
    async def scene() -> list[str]:
        async with opened(grounds) as database:

            def insert(number: int, *, fail: bool) -> Awaitable[None]:
                async def work(tx: Tx) -> None:
                    await tx.execute("INSERT INTO words VALUES ($1, $2)", (number, str(number)))
                    if fail:
                        raise ValueError(number)

                return database.write(work)

            results = await asyncio.gather(
                *(insert(number, fail=number % 3 == 0) for number in range(30)),
                return_exceptions=True,
            )
            failed = [number for number, one in enumerate(results) if isinstance(one, ValueError)]
            assert failed == list(range(0, 30, 3))
            return await database.read(words)

    assert asyncio.run(scene()) == [str(n) for n in range(30) if n % 3]


def test_what_was_written_outlives_the_connection(grounds: Grounds) -> None:
    if grounds.kind == "inline":
        return  # kept in memory: nothing is promised

    async def first() -> None:
        async with opened(grounds) as database:

            async def work(tx: Tx) -> None:
                await tx.execute("INSERT INTO words VALUES (1, 'kept')")

            await database.write(work)

    async def second() -> list[str]:
        async with grounds.opened() as database:
            return await database.read(words)

    asyncio.run(first())
    assert asyncio.run(second()) == ["kept"]


def test_readers_cannot_write(grounds: Grounds) -> None:
    if grounds.kind == "inline":
        return  # for simulation and tools: one connection for both

    async def scene() -> None:
        async with opened(grounds) as database:

            async def work(tx: Tx) -> None:
                await tx.execute("INSERT INTO words VALUES (1, 'no')")

            await database.read(work)

    with pytest.raises(StoreUnavailable, match="cannot be written"):
        asyncio.run(scene())


def test_a_lock_makes_who_reads_and_writes_wait_for_each_other(grounds: Grounds) -> None:
    async def scene() -> list[str]:
        async with opened(grounds) as database:

            async def work(tx: Tx) -> None:
                await tx.lock("words")
                ((most,),) = await tx.fetch("SELECT coalesce(max(id), 0) FROM words")
                await tx.execute("INSERT INTO words VALUES ($1, $2)", (most + 1, str(most + 1)))

            await asyncio.gather(*(database.write(work) for _ in range(30)))
            return await database.read(words)

    assert asyncio.run(scene()) == [str(number) for number in range(1, 31)]


def test_a_work_sees_what_it_wrote_and_when_it_fails_nobody_else_does(grounds: Grounds) -> None:
    async def scene() -> None:
        async with opened(grounds) as database:

            async def work(tx: Tx) -> None:
                await tx.execute("INSERT INTO words VALUES (1, 'half')")
                assert await words(tx) == ["half"]
                raise ZeroDivisionError

            with pytest.raises(ZeroDivisionError):
                await database.write(work)
            assert await database.read(words) == []

    asyncio.run(scene())


@pytest.mark.parametrize("value", [0, -(2**62), "", "ünder \u2028 \U0001f600", None])
def test_values_come_back_as_they_were(grounds: Grounds, value: int | str | None) -> None:
    async def scene() -> None:
        async with grounds.opened() as database:

            async def work(tx: Tx) -> list[Row]:
                kind = "TEXT" if isinstance(value, str) else "BIGINT"
                await tx.execute(f"CREATE TABLE kept (value {kind})")
                await tx.execute_many("INSERT INTO kept VALUES ($1)", [])
                await tx.execute_many("INSERT INTO kept VALUES ($1)", [(value,), (value,)])
                return await tx.fetch("SELECT value FROM kept")

            assert await database.write(work) == [(value,), (value,)]

    asyncio.run(scene())


def test_a_statement_that_is_wrong_is_an_error_of_the_store(grounds: Grounds) -> None:
    async def scene() -> None:
        async with grounds.opened() as database:

            async def work(tx: Tx) -> None:
                await tx.fetch("SELECT * FROM nowhere")

            await database.read(work)

    with pytest.raises(StoreError, match="nowhere"):
        asyncio.run(scene())


def test_a_missing_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="does not answer") as caught:
        SqliteDatabase(tmp_path / "missing" / "rows.db")
    assert "state folder" in caught.value.hint


def test_a_work_may_await_nothing_else(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Grounds("threaded", tmp_path).opened() as database:

            async def work(_: Tx) -> None:
                await asyncio.sleep(0)

            await database.write(work)

    with pytest.raises(RuntimeError, match="other than its transaction"):
        asyncio.run(scene())


def test_migrations_apply_once_and_refuse_a_newer_database(
    grounds: Grounds, tmp_path: Path
) -> None:
    folder = tmp_path / "steps"
    folder.mkdir()
    (folder / "0001_start.sql").write_text("CREATE TABLE a (x BIGINT);\nCREATE TABLE b (y BIGINT);")
    (folder / "0002_more.sql").write_text("-- why\nCREATE TABLE c (z BIGINT);")
    other = "sqlite" if grounds.kind == "postgresql" else "postgresql"
    (folder / f"0002_more.{other}.sql").write_text("never on this one;")

    async def scene() -> None:
        async with opened(grounds) as database:
            assert [step.version for step in await migrate(database, folder, NOW)] == [1, 2]
            assert await migrate(database, folder, NOW) == []
            (folder / "0002_more.sql").unlink()
            (folder / f"0002_more.{other}.sql").unlink()
            with pytest.raises(SchemaMismatch):
                await migrate(database, folder, NOW)

    asyncio.run(scene())


@pytest.mark.parametrize("name", ["1_start.sql", "0001-start.sql", "start.sql"])
def test_a_migration_is_named_properly(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(ValueError, match="no migration's name"):
        migrations(tmp_path, "sqlite")


def test_migrations_have_no_gaps(tmp_path: Path) -> None:
    (tmp_path / "0002_late.sql").write_text("SELECT 1;")
    (tmp_path / "README.md").write_text("not one")
    with pytest.raises(ValueError, match="gaps"):
        migrations(tmp_path, "sqlite")


def test_a_script_falls_into_statements() -> None:
    script = "-- a; b\nCREATE TABLE a (x TEXT DEFAULT ';');\n\n-- end\nSELECT 1"
    assert list(statements(script)) == [
        "-- a; b\nCREATE TABLE a (x TEXT DEFAULT ';');",
        "-- end\nSELECT 1",
    ]


def test_queries_are_overridden_by_dialect() -> None:
    text = "-- name: one\n-- Words.\nSELECT 1;\n-- name: one (postgresql)\nSELECT 2\n"
    assert parse(text, "sqlite") == {"one": "SELECT 1"}
    assert parse(text, "postgresql") == {"one": "SELECT 2"}
    with pytest.raises(ValueError, match="twice"):
        parse(text + text, "sqlite")
