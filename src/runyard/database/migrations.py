"""Migrations: numbered SQL files, each applied once, in order, in one transaction.

A file is `NNNN_words.sql`; where the databases need different words, `NNNN_words.DIALECT.sql`
stands beside it or instead of it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.resources.abc import Traversable

from runyard.database.port import Database, Tx
from runyard.model.errors import SchemaMismatch
from runyard.model.instants import to_micros

_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)(?:\.([a-z]+))?\.sql")
VERSIONS = "schema_versions"
_TABLE = """CREATE TABLE IF NOT EXISTS {}
    (version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)"""
TABLE = _TABLE.format(VERSIONS)

_IS_THERE = {
    "sqlite": "SELECT count(*) FROM sqlite_master WHERE name = 'schema_versions'",
    "postgresql": """SELECT count(*) FROM information_schema.tables
        WHERE table_schema = current_schema() AND table_name = 'schema_versions'""",
}


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    version: int
    name: str
    sql: str


def migrations(folder: Traversable, dialect: str) -> list[Migration]:
    """The migrations in `folder` for `dialect`, in order, without gaps.

    Raises ValueError for a file name that does not fit or a version that is missing.
    """
    found: dict[int, Migration] = {}
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        match = _NAME.fullmatch(file.name)
        if match is None:
            if file.name.endswith(".sql"):
                raise ValueError(f"{file.name} is no migration's name (NNNN_words.sql)")
            continue
        version, words, only = int(match[1]), match[2], match[3]
        if only in (None, dialect) and (only or version not in found):
            found[version] = Migration(version, words, file.read_text("utf-8"))
    steps = [found[version] for version in sorted(found)]
    if [step.version for step in steps] != list(range(1, len(steps) + 1)):
        raise ValueError(f"versions in {folder} have gaps: {sorted(found)}")
    return steps


def statements(sql: str) -> Iterator[str]:
    """The single statements of a script."""
    gathered = ""
    for line in sql.splitlines(keepends=True):
        gathered += line
        if sqlite3.complete_statement(gathered):
            if _meaningful(gathered):
                yield gathered.strip()
            gathered = ""
    if _meaningful(gathered):
        yield gathered.strip()


def _meaningful(sql: str) -> bool:
    lines = (line.split("--", 1)[0].strip(" ;\n") for line in sql.splitlines())
    return any(lines)


async def migrate(
    database: Database, folder: Traversable, now: datetime, *, table: str = VERSIONS
) -> list[Migration]:
    """Apply what is missing; say what was applied. `table` keeps the version: where two schemas
    share a database, each has one of its own.

    Raises SchemaMismatch when the database is newer than this program.
    """
    steps = migrations(folder, database.dialect)

    async def work(tx: Tx) -> list[Migration]:
        await tx.lock("migrations")  # two processes that start at once
        await tx.execute(_TABLE.format(table))
        applied = await _applied(tx, table)
        _refuse_newer(applied, steps)
        missing = [step for step in steps if step.version > applied]
        for step in missing:
            for statement in statements(step.sql):
                await tx.execute(statement)
            await tx.execute(
                f"INSERT INTO {table} (version, name, applied_at) VALUES ($1, $2, $3)",  # noqa: S608  # a name of our own
                (step.version, step.name, to_micros(now)),
            )
        return missing

    return await database.write(work)


@dataclass(frozen=True, slots=True)
class SchemaState:
    """How far a database is: the version it has, the one this program knows, what is missing."""

    applied: int
    known: int
    missing: tuple[Migration, ...]


async def schema_state(database: Database, folder: Traversable) -> SchemaState:
    """How far `database` is; nothing is written. Raises SchemaMismatch when it is newer."""
    steps = migrations(folder, database.dialect)

    async def work(tx: Tx) -> int:
        ((there,),) = await tx.fetch(_IS_THERE[database.dialect])
        return await _applied(tx, VERSIONS) if there else 0

    applied = await database.read(work)
    _refuse_newer(applied, steps)
    missing = tuple(step for step in steps if step.version > applied)
    return SchemaState(applied, len(steps), missing)


async def _applied(tx: Tx, table: str) -> int:
    rows = await tx.fetch(f"SELECT coalesce(max(version), 0) FROM {table}")  # noqa: S608  # a name of our own
    return int(rows[0][0])


def _refuse_newer(applied: int, steps: list[Migration]) -> None:
    if applied > len(steps):
        raise SchemaMismatch(
            f"the database has schema version {applied}, this program knows {len(steps)}",
            hint="start the newer runyard that wrote it, or restore a backup",
        )
