"""The schemas of what is kept: how far they are, and brought up to date.

A server does the same when it starts. To do it before, once, is for fleets: the steps only add, so
servers and engines of the version before go on working beside it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from runyard.database.migrations import SchemaState, migrate, schema_state
from runyard.database.port import Database
from runyard.database.postgresql import PostgresDatabase
from runyard.database.postgresql_errors import place_of
from runyard.database.sqlite import SqliteDatabase
from runyard.premises import make_folder

RUN_STEPS = files("runyard.store.migrations")
CLOUD_STEPS = files("runyard.localcloud") / "migrations"


@dataclass(frozen=True, slots=True)
class Kept:
    """A database of ours, in words, and how far it is."""

    database: str
    state: SchemaState


async def look(folder: Path, url: str) -> list[Kept]:
    """How far each database is. Nothing is written, nothing is made.

    Raises SchemaMismatch when one is newer than this program, StoreError.
    """
    found = []
    for place, steps in _places(folder, url):
        if isinstance(place, Path) and not place.exists():
            everything = await _of_nothing(steps)
            found.append(Kept(str(place), everything))
            continue
        async with _opened(place) as database:
            found.append(Kept(_words(place), await schema_state(database, steps)))
    return found


async def bring_up(folder: Path, url: str, now: datetime) -> list[Kept]:
    """Apply what is missing; how far each was before. Raises as `look`, before anything is done."""
    before = await look(folder, url)
    make_folder(folder)
    make_folder(folder / "cloud")
    for place, steps in _places(folder, url):
        async with _opened(place) as database:
            await migrate(database, steps, now)
    return before


def _places(folder: Path, url: str) -> list[tuple[Path | str, Traversable]]:
    return [(url or folder / "runyard.db", RUN_STEPS), (folder / "cloud" / "cloud.db", CLOUD_STEPS)]


def _words(place: Path | str) -> str:
    return place_of(place) if isinstance(place, str) else str(place)


@asynccontextmanager
async def _opened(place: Path | str) -> AsyncIterator[Database]:
    database: Database
    if isinstance(place, str):
        database = await PostgresDatabase.open(place, name="runyard migrate")
    else:
        database = SqliteDatabase(place)
    try:
        yield database
    finally:
        await database.close()


async def _of_nothing(steps: Traversable) -> SchemaState:
    """How far a database is that is not there."""
    async with _opened(Path(":memory:")) as database:
        return await schema_state(database, steps)
