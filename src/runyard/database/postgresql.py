"""PostgreSQL: a small pool of connections, works that are run again when they had to be undone.

Transactions are READ COMMITTED: what must not be decided twice at once takes a named lock
(`Tx.lock`), after which each statement sees all that earlier holders committed. A process that
hangs inside a transaction is cut off after `HANG_SECONDS`, by the server or, in the middle of a
query, by who waits for it: its locks are free, and when it comes back its commit fails. That is the
fence between engines.

Passwords come from the URL, from PGPASSWORD or from ~/.pgpass; none is in any message.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from runyard.database.port import Row, Tx, Value, Work
from runyard.database.postgresql_errors import LOST, UNDONE, place_of, relabelled
from runyard.database.postgresql_hung import HungSessions
from runyard.database.postgresql_listener import Listener, committing
from runyard.model.errors import StoreError, StoreUnavailable

T = TypeVar("T")

CONNECTIONS_MAX = 8  #: more only wait for each other: batches make one do the work of many
TRIES_MAX = 5  #: of a work that was undone for no fault of its own
CONNECT_SECONDS = 5.0
STATEMENT_SECONDS = 60.0  #: how long one statement may take, waiting for locks included
HANG_SECONDS = 10  #: a transaction in which nothing is said for so long is undone
IDLE_SECONDS = 300.0  #: a connection nobody needs for so long is given back
STATEMENTS_KEPT = 256  #: prepared statements of a connection

_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
#: Names are a schema's own; the hash need only be the same for all sessions of one server.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/runyard/' || $1, 0))"
#: What was written must outlast the server, whatever its defaults; stronger settings stay.
_DURABLE = """SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off'"""

Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"


class PostgresTx:
    """A transaction on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.notice: str | None = None  #: what is said with the commit

    async def fetch(self, sql: str, params: Sequence[Value] = ()) -> list[Row]:
        return [tuple(row) for row in await self._connection.fetch(sql, *params)]

    async def execute(self, sql: str, params: Sequence[Value] = ()) -> int:
        status = await self._connection.execute(sql, *params)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        if rows and "unnest(" in sql:
            await self._connection.execute(sql, *zip(*rows, strict=True))
        elif rows:
            await self._connection.executemany(sql, rows)

    async def lock(self, name: str) -> None:
        await self._connection.execute(_LOCK, name)

    async def notify(self, text: str) -> None:
        """Costs nothing here: it travels with the commit."""
        self.notice = text


class PostgresDatabase:
    """A database on a server. Made by `open`, in the event loop that uses it."""

    dialect = "postgresql"

    def __init__(
        self, pool: asyncpg.Pool, place: str, listener: Listener, hung: HungSessions
    ) -> None:
        self._pool = pool
        self._place = place
        self._listener = listener
        self._hung = hung

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        connections_max: int = CONNECTIONS_MAX,
        hang_seconds: float = HANG_SECONDS,
        name: str = "runyard",
    ) -> PostgresDatabase:
        """The database at `url`; what the URL leaves out comes from PG* variables and ~/.pgpass,
        as libpq reads them. Connects when first used. `name` is shown in pg_stat_activity.
        """
        pool = await asyncpg.create_pool(
            url,
            min_size=0,
            max_size=connections_max,
            max_inactive_connection_lifetime=IDLE_SECONDS,
            max_cached_statement_lifetime=0,
            statement_cache_size=STATEMENTS_KEPT,
            timeout=CONNECT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            server_settings={
                "application_name": name,
                "idle_in_transaction_session_timeout": f"{1000 * hang_seconds:.0f}ms",
            },
            init=_make_durable,
            reset=_keep,
        )
        place = place_of(url)
        hung = HungSessions(url, place, hang_seconds)
        return cls(pool, place, Listener(url, place, name), hung)

    async def write(self, work: Work[T]) -> T:
        """See `Database.write`."""
        with self._hung.ended_meanwhile():
            return await self._tried(_WRITE, work)

    async def read(self, work: Work[T]) -> T:
        """See `Database.read`."""
        return await self._tried(_READ, work)

    async def listen(self, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        """See `Database.listen`. It has a connection of its own beside the pool."""
        await self._listener.run(hear, missed)

    async def close(self) -> None:
        """See `Database.close`."""
        await self._hung.close()
        await self._pool.close()

    async def _tried(self, begin: str, work: Work[T]) -> T:
        """Run `work`, again when the server undid it or the connection went before the commit."""
        for _ in range(TRIES_MAX - 1):
            try:
                return await self._transact(begin, work)
            except (*UNDONE, *LOST):
                continue
        try:
            return await self._transact(begin, work)
        except (*UNDONE, *LOST) as error:
            raise relabelled(error, self._place) from error

    async def _transact(self, begin: str, work: Work[T]) -> T:
        async with self._connected() as connection:
            try:
                await connection.execute(begin)
                tx = PostgresTx(connection)
                result = await work(tx)
            except BaseException:
                await _undo(connection)
                raise
            await self._commit(connection, tx.notice)
        return result

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        try:
            connection = await self._pool.acquire(timeout=CONNECT_SECONDS)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
            raise relabelled(error, self._place) from error  # ValueError: what the URL says
        try:
            yield connection
        except (*UNDONE, *LOST):
            raise
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            if _is_gone(connection):  # found out before anything more was said to the server
                raise asyncpg.ConnectionDoesNotExistError(str(error)) from error
            raise relabelled(error, self._place) from error
        finally:
            await self._pool.release(connection)

    async def _commit(self, connection: Connection, notice: str | None) -> None:
        try:
            done = await connection.execute(committing(notice))
        except (*LOST, TimeoutError) as error:
            raise StoreUnavailable(
                f"{self._place} went away during a commit; it is not known whether it was kept",
                hint="ask again: the same idempotency key gets the same run",
            ) from error
        except asyncpg.PostgresError:  # the notice was refused, so the commit was never begun
            await _undo(connection)
            raise
        if done != "COMMIT":
            raise StoreError(f"{self._place} undid a transaction in which a statement had failed")


async def _undo(connection: Connection) -> None:
    try:
        await connection.execute("ROLLBACK")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        if not _is_gone(connection):
            connection.terminate()  # whatever it was in is undone with it


def _is_gone(connection: Connection) -> bool:
    """True when the connection was closed; its pool has taken it back then."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True


async def _make_durable(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    await connection.execute(_DURABLE)


async def _keep(connection: Any) -> None:
    """A connection goes back to the pool as it is: transactions leave nothing behind."""


_CHECKED: type[Tx] = PostgresTx  # the type checker holds PostgresTx to the port here
