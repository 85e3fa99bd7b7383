"""`runyard migrate` by the command line, and the version before beside today's schema."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from runyard.database.migrations import migrations
from runyard.database.port import Database, Tx
from runyard.database.postgresql import PostgresDatabase
from runyard.database.queries import parse
from runyard.database.sqlite import SqliteDatabase
from runyard.store.memory import MIGRATIONS
from tests.migration.test_schema import YESTERDAY, everything, fill
from tests.support.command_line import CommandLine
from tests.support.databases import Grounds
from tests.support.postgresql import Server

#: The queries of the last version: one of its engines may still be at work.
OLD_QUERIES = Path(__file__).with_name("queries_version_3.sql")
STEPS = len(migrations(MIGRATIONS, "sqlite"))


@pytest.fixture(params=["sqlite", "postgresql"])
def runyard(request: pytest.FixtureRequest, tmp_path: Path) -> CommandLine:
    """The command line of an empty state folder, with its runs on either database."""
    if request.param == "sqlite":
        return CommandLine(tmp_path / "state")
    server: Server = request.getfixturevalue("postgresql")
    return CommandLine(tmp_path / "state", {"RUNYARD_DATABASE_URL": server.database()})


def told(runyard: CommandLine, *words: str) -> list[dict[str, Any]]:
    done = runyard("migrate", *words, "--json")
    assert done.status == 0, done.err
    found: list[dict[str, Any]] = done.document()["databases"]
    return found


def test_it_says_what_it_would_do_does_it_and_has_nothing_left_to_do(runyard: CommandLine) -> None:
    for _ in range(2):  # looking changes nothing
        runs, cloud = told(runyard, "--dry-run")
        assert (runs["applied"], runs["known"], len(runs["missing"])) == (0, STEPS, STEPS)
        assert cloud["applied"] == 0
        assert not runyard.folder.exists()
    runs, cloud = told(runyard)
    assert runs["missing"][0] == "0001_runs"
    runs, cloud = told(runyard, "--dry-run")
    assert (runs["applied"], runs["missing"], cloud["missing"]) == (STEPS, [], [])
    shown = runyard("migrate").out
    assert shown.count("nothing") == 2


def test_what_a_newer_version_wrote_is_refused_in_one_sentence(runyard: CommandLine) -> None:
    told(runyard)
    asyncio.run(pretend_newer(runyard))
    asked = (runyard("migrate", "--dry-run"), runyard("migrate"), runyard.process("up", "-d"))
    for refused in asked:
        assert refused.status != 0
        said = f"the database has schema version {STEPS + 1}, this program knows {STEPS}"
        assert said in refused.err
        assert "start the newer runyard that wrote it, or restore a backup" in refused.err
        assert "Traceback" not in refused.err


async def pretend_newer(runyard: CommandLine) -> None:
    url = runyard.environ.get("RUNYARD_DATABASE_URL", "")
    database: Database = (
        await PostgresDatabase.open(url) if url else SqliteDatabase(runyard.folder / "runyard.db")
    )
    newer = "INSERT INTO schema_versions (version, name, applied_at) VALUES ($1, 'later', 0)"
    await database.write(lambda tx: tx.execute(newer, (STEPS + 1,)))
    await database.close()


def test_every_statement_of_the_last_version_is_understood_by_todays_schema(
    grounds: Grounds,
) -> None:
    async def scene() -> None:
        async with grounds.furnished() as database:
            queries = parse(OLD_QUERIES.read_text(), database.dialect)
            assert len(queries) > 40
            for name, sql in queries.items():
                await database.write(lambda tx, name=name, sql=sql: understood(tx, name, sql))  # type: ignore[misc]

    async def understood(tx: Tx, name: str, sql: str) -> None:
        if database_is_sqlite:
            numbers = max([0, *(n for n in range(1, 30) if f"${n}" in sql)])
            await tx.fetch(f"EXPLAIN {sql}", (None,) * numbers)
        else:
            await tx.execute(f"PREPARE {name} AS {sql}")

    database_is_sqlite = grounds.server is None
    asyncio.run(scene())


def test_the_last_versions_rows_are_taken_by_todays_schema(grounds: Grounds) -> None:
    """It goes on writing while today's steps are there: a column that it does not know may not be
    asked of it."""

    async def scene() -> None:
        kept = json.loads(YESTERDAY.read_text())
        async with grounds.furnished() as database:
            await fill(database, kept)
            for table, rows in kept.items():
                assert await everything(database, table, rows["columns"]) == sorted(rows["rows"])

    asyncio.run(scene())
