"""PostgreSQL's errors as ours, with what to do about them and never with a password."""

from __future__ import annotations

from urllib.parse import urlsplit

import asyncpg

from runyard.model.errors import StoreError, StoreFull, StoreUnavailable

#: The transaction was undone and may simply be run again (40001, 40P01).
UNDONE = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
#: The connection is gone: the server stopped it, is stopping or starting, or the network failed.
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalClientError,
    ConnectionError,
)
_FULL = (asyncpg.DiskFullError, asyncpg.OutOfMemoryError)
_BUSY = (asyncpg.TooManyConnectionsError, asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError)
_STRANGER = (
    asyncpg.InvalidPasswordError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InsufficientPrivilegeError,
)
_REACHED = "check that the server runs and that RUNYARD_DATABASE_URL names it"


def place_of(url: str) -> str:
    """The database of a URL in words, without user and password."""
    try:
        parts = urlsplit(url)
        port = f" port {parts.port}" if parts.port else ""
        host = parts.hostname or "its usual host"
        return f"the PostgreSQL database {parts.path.lstrip('/') or '(usual)'} at {host}{port}"
    except ValueError:
        return "the PostgreSQL database"


def relabelled(error: BaseException, place: str) -> StoreError:
    """An error of the server, of its client or of the network as one of ours."""
    words = _first_line(error)
    if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
        return StoreUnavailable(
            f"{place} cannot be written: {words}",
            hint="connect to the primary: add target_session_attrs=read-write to the URL",
        )
    if isinstance(error, _STRANGER):
        return StoreError(
            f"{place} refuses this user: {words}",
            hint="give the password in RUNYARD_DATABASE_URL, PGPASSWORD or ~/.pgpass, and let the "
            "user create tables in its schema",
        )
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return StoreError(f"{place} is not there: {words}", hint="create it with createdb")
    if isinstance(error, _FULL):
        return StoreFull(
            f"there is no room left for {place}: {words}",
            hint="free some room on the server; nothing was written, and waiting work goes on",
        )
    if isinstance(error, _BUSY):
        return StoreUnavailable(f"{place} is too busy: {words}", hint="it is tried again by itself")
    if isinstance(error, (*LOST, *UNDONE, OSError)):
        return StoreUnavailable(f"{place} does not answer: {words}", hint=_REACHED)
    if isinstance(error, asyncpg.InterfaceError | ValueError):
        return StoreUnavailable(f"{place} cannot be used: {words}", hint=_REACHED)
    return StoreError(f"{place} refused a statement: {words}")


def _first_line(error: BaseException) -> str:
    """What an error says, without the query, its values or details that could hold them."""
    return (str(error).splitlines() or [""])[0] or type(error).__name__
