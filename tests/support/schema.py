"""The store's schema, applied once in a test process: databases of tests begin with a copy of it.
That migrations lead to it is proved where they are the question, in `tests/migration`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from runyard.database.migrations import migrate
from runyard.database.sqlite import InlineSqlite, run_inline
from runyard.store.memory import MIGRATIONS
from tests.support.runs import NOW


@cache
def image() -> bytes:
    """A SQLite database with the schema and no rows, as a file holds it."""
    database = InlineSqlite()
    run_inline(migrate(database, MIGRATIONS, NOW))
    made = database.image()
    run_inline(database.close())
    return made


def furnish(file: Path) -> None:
    """Begin a database file with the schema, unless it is there."""
    if not file.exists():
        file.write_bytes(image())
