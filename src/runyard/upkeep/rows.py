"""Backups of runs that are kept in PostgreSQL: every table as COPY says it, in one snapshot.

The snapshot is taken before the cloud's database is copied, as in a state folder: whatever the
first says was launched, the second has heard of. A restore is one transaction into a database that
holds no rows of ours, at the version of the schema that the backup has; servers and engines bring
it up to theirs when they start.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeAlias, TypeVar

import asyncpg

from runyard.database.migrations import TABLE, migrations, statements
from runyard.database.port import Tx
from runyard.database.postgresql_errors import place_of, relabelled
from runyard.database.sqlite import InlineSqlite
from runyard.model.errors import AlreadyExists, InvalidSpec, NotFound, SchemaMismatch
from runyard.premises import state_folder
from runyard.upkeep.archive import (
    CLOUD,
    Backup,
    Part,
    check_target,
    check_version,
    damaged,
    digest,
    move_away,
    new_backup,
    opened,
    pack,
    sync,
    workshop,
)
from runyard.upkeep.backups import copy_database, put_database
from runyard.upkeep.schema import CLOUD_STEPS, RUN_STEPS

T = TypeVar("T")
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Say = Callable[[str], None]

VERSIONS = "schema_versions"
PASSING = ("processes",)  #: signs of life of those who work now: no part of what is kept
_COLUMNS = """SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position"""
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/runyard/' || $1, 0))"
_PLACE = re.compile(r"rows/(.+)\.copy")


async def back_up_rows(url: str, folder: Path, target: Path, now: datetime, say: Say) -> Backup:
    """Write a backup of the database at `url` and of the cloud in the state folder to `target`,
    whole or not at all. Servers and engines go on. `say` hears of each table.

    Raises NotFound (there is nothing to back up), AlreadyExists (`target`), SchemaMismatch (of a
    newer Runyard), StoreError.
    """
    check_target(target)
    if not (folder / CLOUD).exists():
        raise NotFound(f"there is no cloud in {folder}", hint="a first `runyard up` makes it")
    with workshop(target.parent) as shop:
        parts = await _connected(url, lambda one: _copied(one, shop, url, say))
        parts.append(await asyncio.to_thread(copy_database, folder, CLOUD, shop))
        backup = new_backup(parts, now, "postgresql")
        await asyncio.to_thread(pack, backup, shop, target)
    return backup


async def restore_rows(
    archive: Path, url: str, folder: Path, now: datetime, say: Say
) -> tuple[Backup, Path | None]:
    """Put a backup into the empty database at `url`, and its cloud into the state folder; what
    was there of that is moved into a folder beside, which is returned.

    Raises NotFound, InvalidSpec (no backup, or a damaged one), SchemaMismatch, AlreadyExists (the
    database is not empty), StoreUnavailable (a process works in the folder).
    """
    with state_folder(folder), workshop(folder) as shop:
        backup = await asyncio.to_thread(opened, archive, shop, "postgresql")
        (cloud,) = [part for part in backup.parts if part.name == CLOUD]
        tables = [part for part in backup.parts if part.name != CLOUD]
        check_version(cloud, len(migrations(CLOUD_STEPS, "sqlite")))
        for part in tables:
            check_version(part, len(migrations(RUN_STEPS, "postgresql")))

        async def put(connection: Connection) -> Path | None:
            async with connection.transaction():
                await _put_rows(connection, tables, shop, archive, say)
                before = move_away(folder, [CLOUD], now)  # the last thing that can fail
                put_database(folder, cloud, shop)
                sync(folder)
            return before

        return backup, await _connected(url, put)


async def _connected(url: str, work: Callable[[Connection], Awaitable[T]]) -> T:
    """`work` with a connection of its own; its errors as ours."""
    place = place_of(url)
    try:
        connection = await asyncpg.connect(url, server_settings={"application_name": "runyard"})
        try:
            return await work(connection)
        finally:
            await connection.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
        raise relabelled(error, place) from error


async def _copied(connection: Connection, shop: Path, url: str, say: Say) -> list[Part]:
    """Every table of ours in the workshop, as it was at one moment."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        columns = await _columns(connection)
        if VERSIONS not in columns:
            raise NotFound(
                f"{place_of(url)} holds nothing of ours", hint="a first `runyard up` makes it"
            )
        version = int(await connection.fetchval("SELECT max(version) FROM schema_versions"))
        known = len(migrations(RUN_STEPS, "postgresql"))
        if version > known:
            raise SchemaMismatch(
                f"the database has schema version {version}, this program knows {known}",
                hint="back it up with the newer Runyard that wrote it",
            )
        tables = await _tables(version)
        return [
            await _copy_table(connection, name, columns[name], version, shop, say)
            for name in tables
        ]


async def _copy_table(
    connection: Connection, table: str, columns: Sequence[str], version: int, shop: Path, say: Say
) -> Part:
    name = f"rows/{table}.copy"
    path = shop / name
    done = await connection.copy_from_table(table, output=path, columns=list(columns))
    count = int(done.rpartition(" ")[2])
    say(f"{table}: {count:,} rows")
    size_bytes = path.stat().st_size
    sha256 = await asyncio.to_thread(digest, path)
    return Part(name, size_bytes, sha256, version, tuple(columns), count)


async def _put_rows(
    connection: Connection, parts: Sequence[Part], shop: Path, archive: Path, say: Say
) -> None:
    await connection.execute(_LOCK, "migrations")
    version = parts[0].schema_version if parts else 0
    tables = await _tables(version)
    if sorted(_table(part) for part in parts) != tables:
        raise damaged(archive, "its tables are not those of its schema")
    await _make_room(connection)
    await connection.execute(TABLE)
    for step in migrations(RUN_STEPS, "postgresql")[:version]:
        for statement in statements(step.sql):
            await connection.execute(statement)
    for part in parts:
        table = _table(part)
        done = await connection.copy_to_table(
            table, source=shop / part.name, columns=list(part.columns)
        )
        count = int(done.rpartition(" ")[2])
        if count != part.rows:
            raise damaged(archive, f"{part.name} has {count} rows instead of {part.rows}")
        say(f"{table}: {count:,} rows")
    await connection.execute("DELETE FROM home")  # it moves in where it is restored to
    await connection.execute("ANALYZE")


async def _make_room(connection: Connection) -> None:
    """Remove tables of ours that hold no rows. Raises AlreadyExists when one does."""
    there = await _columns(connection)
    every = [name for name in await _tables(None, passing=True) if name in there]
    for name in every:
        if name in (VERSIONS, "home", *PASSING):
            continue
        if await connection.fetchval(f"SELECT EXISTS (SELECT 1 FROM {name})"):  # noqa: S608  # a name of our own
            raise AlreadyExists(
                f"the database keeps rows of ours already, in {name}; nothing was changed",
                hint="restore into an empty one: createdb another, and name it in "
                "RUNYARD_DATABASE_URL",
            )
    for name in every:
        await connection.execute(f"DROP TABLE {name}")


async def _columns(connection: Connection) -> Mapping[str, list[str]]:
    """Every table of the schema and its columns in their order."""
    found: dict[str, list[str]] = {}
    for table, column in await connection.fetch(_COLUMNS):
        found.setdefault(str(table), []).append(str(column))
    return found


async def _tables(version: int | None, *, passing: bool = False) -> list[str]:
    """The names of our tables at a version of the schema (None: today's), found by making them."""
    database = InlineSqlite()
    try:
        steps = migrations(RUN_STEPS, "sqlite")[:version]

        async def make(tx: Tx) -> None:
            for step in steps:
                for statement in statements(step.sql):
                    await tx.execute(statement)

        await database.write(make)
        rows = await database.read(
            lambda tx: tx.fetch("SELECT name FROM sqlite_master WHERE type = 'table'")
        )
    finally:
        await database.close()
    names = {str(row[0]) for row in rows if not str(row[0]).startswith("sqlite")} | {VERSIONS}
    return sorted(names if passing else names - set(PASSING))


def _table(part: Part) -> str:
    match = _PLACE.fullmatch(part.name)
    if match is None:
        raise InvalidSpec(f"{part.name} is no table")
    return match[1]
