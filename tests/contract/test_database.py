"""What every database promises (the port's words), on each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runyard.database.migrations import migrate, migrations, statements
from runyard.database.port import Database, Tx
from runyard.database.queries import parse
from runyard.database.sqlite import InlineSqlite, SqliteDatabase
from runyard.model.errors import SchemaMismatch, StoreUnavailable

KINDS = ["threaded", "inline"]
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@asynccontextmanager
async def opened(kind: str, folder: Path) -> AsyncIterator[Database]:
    database: Database = (
        SqliteDatabase(folder / "rows.db") if kind == "threaded" else InlineSqlite()
    )
    try:
        await database.write(make_table)
        yield database
    finally:
        await database.close()


async def make_table(tx: Tx) -> None:
    await tx.execute("CREATE TABLE words (id BIGINT PRIMARY KEY, word TEXT NOT NULL)")


async def words(tx: Tx) -> list[str]:
    return [row[0] for row in await tx.fetch("SELECT word FROM words ORDER BY id")]


@pytest.mark.parametrize("kind", KINDS)
def test_writes_are_read_back(kind: str, tmp_path: Path) -> None:
    async def scene() -> list[str]:
        async with opened(kind, tmp_path) as database:

            async def work(tx: Tx) -> int:
                await tx.execute_many(
                    "INSERT INTO words (id, word) VALUES ($2, $1)", [("b", 2), ("a", 1)]
                )
                return await tx.execute("UPDATE words SET word = word || $1", ("!",))

            assert await database.write(work) == 2
            return await database.read(words)

    assert asyncio.run(scene()) == ["a!", "b!"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_failing_work_leaves_nothing_and_harms_nobody(kind: str, tmp_path: Path) -> None:
    async def scene() -> list[str]:
        async with opened(kind, tmp_path) as database:

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


def test_what_was_written_outlives_the_connection(tmp_path: Path) -> None:
    async def first() -> None:
        async with opened("threaded", tmp_path) as database:

            async def work(tx: Tx) -> None:
                await tx.execute("INSERT INTO words VALUES (1, 'kept')")

            await database.write(work)

    async def second() -> list[str]:
        database = SqliteDatabase(tmp_path / "rows.db")
        try:
            return await database.read(words)
        finally:
            await database.close()

    asyncio.run(first())
    assert asyncio.run(second()) == ["kept"]


def test_readers_cannot_write(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened("threaded", tmp_path) as database:

            async def work(tx: Tx) -> None:
                await tx.execute("INSERT INTO words VALUES (1, 'no')")

            await database.read(work)

    with pytest.raises(StoreUnavailable, match="cannot be written"):
        asyncio.run(scene())


def test_a_missing_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="does not answer") as caught:
        SqliteDatabase(tmp_path / "missing" / "rows.db")
    assert "state folder" in caught.value.hint


def test_a_work_may_await_nothing_else(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened("threaded", tmp_path) as database:

            async def work(_: Tx) -> None:
                await asyncio.sleep(0)

            await database.write(work)

    with pytest.raises(RuntimeError, match="other than its transaction"):
        asyncio.run(scene())


@pytest.mark.parametrize("kind", KINDS)
def test_migrations_apply_once_and_refuse_a_newer_database(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "steps"
    folder.mkdir()
    (folder / "0001_start.sql").write_text("CREATE TABLE a (x BIGINT);\nCREATE TABLE b (y BIGINT);")
    (folder / "0002_more.sql").write_text("-- why\nCREATE TABLE c (z BIGINT);")
    (folder / "0002_more.postgresql.sql").write_text("never on sqlite;")

    async def scene() -> None:
        async with opened(kind, tmp_path) as database:
            assert [step.version for step in await migrate(database, folder, NOW)] == [1, 2]
            assert await migrate(database, folder, NOW) == []
            (folder / "0002_more.sql").unlink()
            (folder / "0002_more.postgresql.sql").unlink()
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
