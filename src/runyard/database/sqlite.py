"""SQLite: one writer thread with group commit, a few reader threads, WAL, synchronous=FULL.

All works that wait when the writer becomes free share one transaction and so one fsync. When one
of them fails, the transaction is undone and each is run again in a transaction of its own: no
savepoints on the way that nearly always succeeds.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self, TypeVar, cast

from runyard.database.port import Row, Tx, Value, Work
from runyard.model.errors import StoreError, StoreFull, StoreUnavailable

T = TypeVar("T")

GROUP_MAX = 512  #: works that share one transaction, so that nobody waits for an endless group
BUSY_MILLISECONDS = 5_000  #: how long SQLite waits for another process's lock


@lru_cache(maxsize=1024)
def _numbered(sql: str) -> str:
    """`$1` as SQLite numbers parameters: `?1`."""
    return re.sub(r"\$(\d+)", r"?\1", sql)


def relabelled(error: sqlite3.Error, path: str) -> StoreError:
    """SQLite's error as one of ours, with what to do about it."""
    words = str(error)
    # No room for the file of the shared index is an I/O error by another name (sqlite.org/rescode).
    if "full" in words or getattr(error, "sqlite_errorname", "") == "SQLITE_IOERR_SHMSIZE":
        return StoreFull(
            f"there is no room left for the database {path}: {words}",
            hint="free some disk space; nothing was written, and waiting work goes on by itself",
        )
    if "readonly" in words or "read-only" in words:
        return StoreUnavailable(
            f"the database {path} cannot be written: {words}",
            hint="make the state folder and the files in it writable for this user",
        )
    if "malformed" in words or "not a database" in words:
        return StoreError(
            f"the database {path} is damaged: {words}",
            hint="nothing was changed; restore it from a backup, or move it away to begin without "
            "what it held",
        )
    if isinstance(error, sqlite3.OperationalError):
        return StoreUnavailable(
            f"the database {path} does not answer: {words}",
            hint="check that the state folder exists, is writable and on a local disk",
        )
    return StoreError(f"the database {path} refused a statement: {words}")


class SqliteTx:
    """A transaction on one connection. Its coroutines never suspend."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def fetch(self, sql: str, params: Sequence[Value] = ()) -> list[Row]:
        return self._connection.execute(_numbered(sql), params).fetchall()

    async def execute(self, sql: str, params: Sequence[Value] = ()) -> int:
        return self._connection.execute(_numbered(sql), params).rowcount

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        if rows:
            self._connection.executemany(_numbered(sql), rows)

    async def lock(self, name: str) -> None:
        """Nothing to do: who may write is alone until the transaction ends (BEGIN IMMEDIATE)."""

    async def notify(self, text: str) -> None:
        """Nothing to do: there is no other process."""


def run_inline(awaitable: Awaitable[T]) -> T:
    """Drive a coroutine that never suspends to its end."""
    coroutine = cast(Coroutine[Any, Any, T], awaitable)
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    coroutine.close()
    raise RuntimeError("a work awaited something other than its transaction")


def open_connection(path: str, *, synchronous: str, read_only: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode (we say BEGIN ourselves) with our settings."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    else:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")
    return connection


def transact(connection: sqlite3.Connection, works: Sequence[Work[Any]], begin: str) -> list[Any]:
    """Run `works` in one transaction; all of it happens or none."""
    connection.execute(begin)
    try:
        tx = SqliteTx(connection)
        results = [run_inline(work(tx)) for work in works]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return results


@dataclass(slots=True)
class _Waiting:
    work: Work[Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class SqliteDatabase:
    """A database file. Made by `open`; the folder must exist."""

    dialect = "sqlite"

    def __init__(self, path: Path | str, *, synchronous: str = "FULL", readers: int = 2) -> None:
        self._path = str(path)
        try:
            self._connection = open_connection(self._path, synchronous=synchronous)
        except sqlite3.Error as error:
            raise relabelled(error, self._path) from error
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._writer = threading.Thread(target=self._write_loop, name="sqlite-writer", daemon=True)
        self._writer.start()
        self._local = threading.local()
        self._reader_connections: list[sqlite3.Connection] = []
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="sqlite-reader")

    async def write(self, work: Work[T]) -> T:
        """See `Database.write`."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put(_Waiting(work, future))
        return await future

    async def read(self, work: Work[T]) -> T:
        """See `Database.read`."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def listen(self, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        """See `Database.listen`: there is nobody else to hear."""

    async def close(self) -> None:
        """See `Database.close`."""
        self._queue.put(None)
        await asyncio.to_thread(self._writer.join)
        self._readers.shutdown()
        for connection in self._reader_connections:
            connection.close()
        self._connection.close()

    def _read(self, work: Work[T]) -> T:
        connection = getattr(self._local, "connection", None)
        try:
            if connection is None:
                connection = open_connection(self._path, synchronous="FULL", read_only=True)
                self._local.connection = connection
                self._reader_connections.append(connection)
            return cast(T, transact(connection, [work], "BEGIN")[0])
        except sqlite3.Error as error:
            raise relabelled(error, self._path) from error

    def _write_loop(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            group = [first]
            closing = self._gather(group)
            self._commit(group)
            _resolve(group)
            if closing:
                return

    def _gather(self, group: list[_Waiting]) -> bool:
        """Add what waits already; True when the order to close was among it."""
        while len(group) < GROUP_MAX and not self._queue.empty():
            item = self._queue.get()
            if item is None:
                return True
            group.append(item)
        return False

    def _commit(self, group: list[_Waiting]) -> None:
        try:
            results = transact(self._connection, [one.work for one in group], "BEGIN IMMEDIATE")
        except BaseException as error:
            if len(group) == 1:
                group[0].error = self._ours(error)
                return
            for one in group:
                self._commit([one])
            return
        for one, result in zip(group, results, strict=True):
            one.result = result

    def _ours(self, error: BaseException) -> BaseException:
        return relabelled(error, self._path) if isinstance(error, sqlite3.Error) else error


def _resolve(group: list[_Waiting]) -> None:
    """Answer every waiter, with one call into each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
    for one in group:
        by_loop.setdefault(one.future.get_loop(), []).append(one)
    for loop, waiting in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_answer, waiting)


def _answer(waiting: list[_Waiting]) -> None:
    for one in waiting:
        if one.future.done():
            continue
        if one.error is not None:
            one.future.set_exception(one.error)
        else:
            one.future.set_result(one.result)


class InlineSqlite:
    """SQLite without threads: every work runs at once, in the caller. For simulation and tools."""

    dialect = "sqlite"

    def __init__(self, path: Path | str = ":memory:", *, synchronous: str = "OFF") -> None:
        self._path = str(path)
        self._connection = open_connection(self._path, synchronous=synchronous)

    @classmethod
    def copy_of(cls, image: bytes) -> Self:
        """A database in memory that holds what another held when its `image` was taken."""
        copy = cls()
        with closing(sqlite3.connect(":memory:")) as source:
            source.deserialize(image)
            source.backup(copy._connection)
        return copy

    def image(self) -> bytes:
        """All that it holds, for `copy_of`."""
        return self._connection.serialize()

    async def write(self, work: Work[T]) -> T:
        """See `Database.write`."""
        return self._run(work, "BEGIN IMMEDIATE")

    async def read(self, work: Work[T]) -> T:
        """See `Database.read`."""
        return self._run(work, "BEGIN")

    async def listen(self, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        """See `Database.listen`: there is nobody else to hear."""

    async def close(self) -> None:
        """See `Database.close`."""
        self._connection.close()

    def _run(self, work: Work[T], begin: str) -> T:
        try:
            return cast(T, transact(self._connection, [work], begin)[0])
        except sqlite3.Error as error:
            raise relabelled(error, self._path) from error


_CHECKED: type[Tx] = SqliteTx  # the type checker holds SqliteTx to the port here
