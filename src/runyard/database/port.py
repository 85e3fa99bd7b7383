"""What every database promises, and nothing about what is kept in it.

SQL is written once with `$1, $2 ...` parameters; values are int, float, str, bytes or None.
A `work` is a coroutine function over a transaction. It awaits nothing but its transaction, and
may be run again from the start when the transaction it shared with others had to be undone, so
it must build what it returns anew each time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Row = tuple[Any, ...]
Value = int | float | str | bytes | None


class Tx(Protocol):
    """One open transaction."""

    async def fetch(self, sql: str, params: Sequence[Value] = ()) -> list[Row]:
        """All rows of a query."""

    async def execute(self, sql: str, params: Sequence[Value] = ()) -> int:
        """Run a statement; the number of rows it changed."""

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        """Run a statement once for each of `rows`; at once for all of them, where it takes them
        from `unnest($1, $2 ...)`, one array for each column (PostgreSQL)."""

    async def lock(self, name: str) -> None:
        """Wait until no other transaction holds the lock of this name; hold it until the end.

        What is read after this was not changed by another holder since, and will not be.
        """

    async def notify(self, text: str) -> None:
        """Let every process that listens to this database hear `text` (some kilobytes at most)
        once this transaction is durable. The last text of a transaction counts."""


Work = Callable[[Tx], Awaitable[T]]


class Database(Protocol):
    """A place for rows.

    Raises StoreUnavailable when it does not answer, StoreFull when there is no room; in both
    cases nothing of the work was written. The one exception is a connection that is lost during
    the commit itself: then it is not known, and the message says so.
    """

    dialect: str  #: "sqlite" or "postgresql": which override of a named query is used

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction that is durable when this returns."""

    async def read(self, work: Work[T]) -> T:
        """Run `work` on a consistent view; it must not write."""

    async def listen(self, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        """Call `hear` with what transactions of any process notify, and `missed` whenever some
        may have gone by unheard: when it begins, and after each time that it was cut off. Goes on
        until it is cancelled. Returns at once where one process has the database alone."""

    async def close(self) -> None:
        """Finish what is under way and let go."""
