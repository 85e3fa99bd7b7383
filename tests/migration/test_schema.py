"""Migrations on every kind of database: the same schema in the end, rows of yesterday kept and
worked on, and processes that start at the same moment."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file
from pathlib import Path
from typing import Any

import pytest

from runyard.database.migrations import migrate, migrations
from runyard.database.port import Database, Tx, Value
from runyard.engine.carrier import Carrier
from runyard.engine.launching import Orders
from runyard.engine.outbox import OutboxLoop
from runyard.gate.door import LEASE
from runyard.gate.telling import StartDue
from runyard.model.event import Ended
from runyard.model.run import State
from runyard.store.memory import MIGRATIONS, Store
from tests.support.databases import Grounds
from tests.support.fake_provider import KeptNotices, ScriptedProvider
from tests.support.gates import yard_on
from tests.support.notifying import RunHands, make_notifier
from tests.support.postgresql import Server
from tests.support.runs import NOW, make_outcome

#: Rows that version 1 of the schema wrote: runs in every stage, with all that belongs to them.
YESTERDAY = Path(__file__).with_name("version_1.json")


@dataclass(frozen=True, order=True)
class Column:
    """A column, whatever the database calls it. `key`: its place in the primary key, from 1."""

    table: str
    name: str
    kind: str
    optional: bool
    key: int


@dataclass(frozen=True, order=True)
class Index:
    """An index, whatever the database calls it; how it is said differs too much to compare."""

    table: str
    name: str
    partial: bool


async def sqlite_schema(tx: Tx) -> tuple[list[Column], list[Index]]:
    columns = await tx.fetch(
        """SELECT m.name, c.name, c.type, c."notnull" = 0 AND c.pk = 0, c.pk
        FROM sqlite_master m, pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'"""
    )
    indexes = await tx.fetch(
        """SELECT tbl_name, name, sql LIKE '% WHERE %' FROM sqlite_master
        WHERE type = 'index' AND sql IS NOT NULL"""
    )
    return (
        sorted(
            Column(table, name, kind, bool(free), key) for table, name, kind, free, key in columns
        ),
        sorted(Index(table, name, bool(partial)) for table, name, partial in indexes),
    )


async def postgresql_schema(tx: Tx) -> tuple[list[Column], list[Index]]:
    columns = await tx.fetch(
        """SELECT c.table_name, c.column_name, upper(c.data_type), c.is_nullable = 'YES',
               coalesce(k.ordinal_position, 0)::bigint
        FROM information_schema.columns c
        LEFT JOIN information_schema.key_column_usage k
            USING (table_schema, table_name, column_name)
        WHERE c.table_schema = current_schema()"""
    )
    indexes = await tx.fetch(
        """SELECT tablename, indexname, indexdef LIKE '% WHERE %' FROM pg_indexes
        WHERE schemaname = current_schema() AND indexname NOT LIKE '%\\_pkey'"""
    )
    return (
        sorted(Column(str(t), str(n), str(k), f, key) for t, n, k, f, key in columns),
        sorted(Index(str(t), str(n), p) for t, n, p in indexes),
    )


@pytest.mark.parametrize("grounds", ["postgresql"], indirect=True)
def test_the_sum_of_the_migrations_is_the_same_schema_on_both(grounds: Grounds) -> None:
    async def scene() -> None:
        async with Grounds("inline", grounds.folder).furnished() as database:
            columns, indexes = await database.read(sqlite_schema)
        async with grounds.furnished() as database:
            assert await database.read(postgresql_schema) == (columns, indexes)
            texts = await database.read(
                lambda tx: tx.fetch(
                    """SELECT table_name, column_name FROM information_schema.columns
                    WHERE table_schema = current_schema() AND data_type = 'text'
                    AND table_name <> 'schema_versions' AND collation_name IS DISTINCT FROM 'C'"""
                )
            )
        assert {column.table for column in columns} >= {"runs", "history", "outbox", "slots"}
        assert texts == [], "these are compared by a language's rules and not by their bytes"

    asyncio.run(scene())


def test_both_databases_have_the_same_steps() -> None:
    names = [
        [(step.version, step.name) for step in migrations(MIGRATIONS, dialect)]
        for dialect in ("sqlite", "postgresql")
    ]
    assert names[0] == names[1]


def test_rows_of_yesterday_are_kept_and_worked_on(grounds: Grounds, tmp_path: Path) -> None:
    async def scene() -> None:
        kept = json.loads(YESTERDAY.read_text())
        async with grounds.opened() as database:
            await migrate(database, first_step(tmp_path), NOW)
            await fill(database, kept)
            done = await migrate(database, MIGRATIONS, NOW)
            assert [step.version for step in done] == list(range(2, 2 + len(done)))
            for table, rows in kept.items():
                assert await everything(database, table, rows["columns"]) == sorted(rows["rows"])
            await go_on(database)

    asyncio.run(scene())


async def everything(database: Database, table: str, columns: list[str]) -> list[list[Value]]:
    rows = await database.read(lambda tx: tx.fetch(f"SELECT {', '.join(columns)} FROM {table}"))
    return sorted(list(row) for row in rows)


def first_step(folder: Path) -> Path:
    """The migrations as they were when there was one."""
    first = folder / "first"
    first.mkdir()
    with as_file(MIGRATIONS) as today:
        for path in Path(today).glob("0001_*.sql"):
            shutil.copy(path, first)
    return first


async def fill(database: Database, kept: Mapping[str, Any]) -> None:
    async def work(tx: Tx) -> None:
        for table, rows in kept.items():
            places = ", ".join(f"${number}" for number in range(1, len(rows["columns"]) + 1))
            into = f"{table} ({', '.join(rows['columns'])})"
            await tx.execute_many(f"INSERT INTO {into} VALUES ({places})", rows["rows"])

    await database.write(work)


async def go_on(database: Database) -> None:
    """Today's engine takes everything up that yesterday's left in the middle."""
    yard = yard_on(database, engine="")  # what it decides on, the outbox loop claims
    yard.now = NOW + 2 * LEASE
    store, provider = Store.of(database.dialect), ScriptedProvider()
    carrier = Carrier(
        yard.gate, Orders(database, store), provider, KeptNotices(), lambda: yard.now, yard.new_id
    )
    notifier = make_notifier(yard.gate, database, store, lambda: yard.now)
    hands = RunHands(carrier, notifier)
    outbox = OutboxLoop(database, store, hands, "today", lambda: None)
    ids = [row[0] for row in await database.read(lambda tx: tx.fetch("SELECT id FROM runs"))]
    found = await database.read(lambda tx: store.runs.get(tx, ids))
    assert {run.state for run in found} == {
        State.SUCCEEDED,
        State.BACKING_OFF,
        State.RUNNING,
        State.LAUNCHING,
        State.QUEUED,
        State.STOPPING,
    }
    for _ in range(20):
        yard.now += LEASE
        await yard.gate.ask(StartDue(yard.now))
        await outbox.tick(yard.now)
        await asyncio.gather(*outbox.tasks())
        for run in await database.read(lambda tx: store.runs.get(tx, ids)):
            if run.is_out:
                await yard.gate.tell(run.id, Ended(run.attempt, make_outcome()), yard.now)
    assert await yard.outbox() == 0
    ended = await database.read(lambda tx: store.runs.get(tx, ids))
    assert all(run.is_final for run in ended)
    assert {used for used, _ in (await yard.slots()).values()} == {0}
    for run in ended:
        assert [fact.sequence for fact in await yard.history(run)] == list(
            range(1, run.version + 1)
        )


@pytest.mark.parametrize("grounds", ["threaded", "postgresql"], indirect=True)
def test_processes_that_start_at_once_migrate_once(grounds: Grounds) -> None:
    async def one() -> int:
        async with grounds.opened() as database:
            return len(await migrate(database, MIGRATIONS, NOW))

    async def scene() -> None:
        async with grounds.opened():
            done = await asyncio.gather(*(one() for _ in range(4)))
        steps = len(migrations(MIGRATIONS, "sqlite"))
        assert sorted(done) == [0, 0, 0, steps]

    asyncio.run(scene())


def test_the_server_is_a_real_one(postgresql: Server) -> None:
    """So that none of this passes against something that only looks like PostgreSQL."""
    assert (postgresql.folder / "data" / "PG_VERSION").read_text().strip().isdigit()
