"""The rows of a table as a world looks at them: all of them at each look, and what they say made
anew only where one differs from the last look. So a look costs what has changed, not what there
is, and misses nothing: every column is compared, whoever changed it and by whatever way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

from runyard.database.port import Row, Tx

K = TypeVar("K", bound=str)
T = TypeVar("T")
Groups = Mapping[K, list[Row]]


class Rows(Generic[K, T]):
    """What the rows of a query say, by their first column."""

    def __init__(self, query: str) -> None:
        self._query = query
        self._groups: dict[K, list[Row]] = {}
        self._found: dict[K, T] = {}

    async def look(
        self, tx: Tx, make: Callable[[Groups[K]], Awaitable[Mapping[K, T]]]
    ) -> dict[K, T]:
        """All that there is now. `make` says what rows mean that are new, or not as they were;
        what did not change is the same object as before."""
        groups: dict[K, list[Row]] = {}
        for row in await tx.fetch(self._query):
            groups.setdefault(row[0], []).append(row)
        changed = {key: rows for key, rows in groups.items() if self._groups.get(key) != rows}
        made = await make(changed) if changed else {}
        self._groups = groups
        self._found = {key: made[key] if key in changed else self._found[key] for key in groups}
        return self._found

    def forget(self) -> None:
        """The next look makes everything anew."""
        self._groups, self._found = {}, {}
