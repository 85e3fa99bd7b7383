"""Fresh databases of each kind, for tests that hold all of them to the same words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from runyard.database.migrations import migrate
from runyard.database.port import Database
from runyard.database.postgresql import PostgresDatabase
from runyard.database.sqlite import InlineSqlite, SqliteDatabase
from runyard.store.memory import MIGRATIONS
from tests.support.postgresql import Server
from tests.support.runs import NOW
from tests.support.schema import furnish, image

KINDS = ("threaded", "inline", "postgresql")


@dataclass(slots=True)
class Grounds:
    """Where databases of one kind are opened."""

    kind: str
    folder: Path
    server: Server | None = None
    urls: dict[str, str] = field(default_factory=dict)

    @asynccontextmanager
    async def opened(self, name: str = "rows") -> AsyncIterator[Database]:
        """The database of this name, empty at first; opened again it is the same one, unless it
        is kept in memory."""
        database = await self._open(name)
        try:
            yield database
        finally:
            await database.close()

    @asynccontextmanager
    async def furnished(self) -> AsyncIterator[Database]:
        """A database with the store's schema and no rows."""
        if self.server is not None:
            self.urls["furnished"] = await asyncio.to_thread(_furnished_copy, self.server)
        elif self.kind == "threaded":
            furnish(self.folder / "furnished.db")
        async with self.opened("furnished") as database:
            yield database

    async def _open(self, name: str) -> Database:
        if self.server is not None:
            if name not in self.urls:
                self.urls[name] = await asyncio.to_thread(self.server.database)
            return await PostgresDatabase.open(self.urls[name])
        if self.kind == "threaded":
            return SqliteDatabase(self.folder / f"{name}.db", synchronous="OFF")
        return InlineSqlite.copy_of(image()) if name == "furnished" else InlineSqlite()


IN_MEMORY = Grounds("inline", Path())


def _furnished_copy(server: Server) -> str:
    return server.database(_template(server))


@cache
def _template(server: Server) -> str:
    """The name of a database of `server` with the schema, to be copied."""

    async def furnish() -> None:
        database = await PostgresDatabase.open(server.url("furnished"))
        try:
            await migrate(database, MIGRATIONS, NOW)
        finally:
            await database.close()

    server.say("CREATE DATABASE furnished")
    asyncio.run(furnish())
    return "furnished"
