"""The cloud's own database: its schema and its queries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files

from runyard.database import migrations, queries
from runyard.database.port import Database

_FOLDER = files("runyard.localcloud")


async def migrate(database: Database, now: datetime) -> None:
    """Bring the cloud's database up to this program's schema. Raises SchemaMismatch if newer."""
    await migrations.migrate(database, _FOLDER / "migrations", now)


def load_queries(dialect: str) -> Mapping[str, str]:
    """The cloud's queries, by name."""
    return queries.load(_FOLDER / "queries", dialect)
