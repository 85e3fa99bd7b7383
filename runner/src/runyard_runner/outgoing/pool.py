"""Connections: dialled at a checked address, kept while they are fresh, bounded per host."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from weakref import WeakValueDictionary

from runyard_runner.model.target import Target
from runyard_runner.outgoing.connection import Connection
from runyard_runner.outgoing.failures import CallFailed, Failure
from runyard_runner.outgoing.names import Names

#: Shorter than what any usual server waits (gunicorn closes after 2 s): a connection that the
#: other side is about to close is not used for a request that may not be sent twice.
IDLE_SECONDS = 1.5
#: One address that does not answer must not use up the time of the others.
DIAL_SECONDS = 5.0

Origin = tuple[str, str, int]


class Pool:
    """Open connections by origin, and how many there may be of each host."""

    def __init__(
        self,
        names: Names,
        tls: Callable[[], ssl.SSLContext],
        host_connections_max: int,
        idle_seconds: float = IDLE_SECONDS,
        dial_seconds: float = DIAL_SECONDS,
    ) -> None:
        self._idle_seconds = idle_seconds
        self._dial_seconds = dial_seconds
        self._names = names
        self._tls = tls
        self._most = host_connections_max
        self._idle: dict[Origin, list[Connection]] = {}
        self._slots: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._sweep: asyncio.TimerHandle | None = None

    def slots(self, host: str) -> asyncio.Semaphore:
        """The connections that a host may have; it is forgotten when nobody calls the host."""
        slots = self._slots.get(host)
        if slots is None:
            slots = self._slots[host] = asyncio.Semaphore(self._most)
        return slots

    def take(self, origin: Origin) -> Connection | None:
        """A fresh idle connection, if there is one."""
        idle = self._idle.get(origin)
        freshest = asyncio.get_running_loop().time() - self._idle_seconds
        while idle:
            connection = idle.pop()
            if connection.is_open and connection.idle_since >= freshest:
                return connection
            connection.close()
        return None

    def give(self, origin: Origin, connection: Connection) -> None:
        """Take back a connection after an exchange."""
        if not connection.is_open:
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.setdefault(origin, []).append(connection)
        if self._sweep is None:
            self._sweep = loop.call_later(self._idle_seconds, self._close_stale)

    def close(self) -> None:
        """Close what is idle."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for idle in self._idle.values():
            for connection in idle:
                connection.close()
        self._idle.clear()

    async def dial(self, target: Target, deadline: float) -> Connection:
        """A new connection for `target`, to an address that was checked. Raises CallFailed."""
        try:
            async with asyncio.timeout_at(deadline):
                addresses = await self._names.addresses(target.host)
                return await self._dial_one_of(target, list(addresses))
        except TimeoutError:
            raise CallFailed(
                Failure.TIMEOUT, "its time was up before there was a connection"
            ) from None

    async def _dial_one_of(self, target: Target, addresses: list[str]) -> Connection:
        each_seconds = None if len(addresses) == 1 else self._dial_seconds
        failed = CallFailed(Failure.CONNECT, "")
        for address in addresses:
            try:
                async with asyncio.timeout(each_seconds):
                    return await self._dial_at(target, address)
            except TimeoutError:
                failed = CallFailed(Failure.CONNECT, f"{address} does not answer")
            except ssl.SSLError as error:
                raise CallFailed(Failure.TLS, _tls_words(target.host, error)) from None
            except OSError as error:
                reason = error.strerror or str(error)
                failed = CallFailed(Failure.CONNECT, f"{address}, port {target.port}: {reason}")
        raise failed

    async def _dial_at(self, target: Target, address: str) -> Connection:
        secure = target.scheme == "https"
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: Connection(loop),
            address,
            target.port,
            ssl=self._tls() if secure else None,
            server_hostname=target.host if secure else None,
        )
        return connection

    def _close_stale(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweep = None
        freshest = loop.time() - self._idle_seconds
        for origin, idle in list(self._idle.items()):
            for connection in idle:
                if connection.idle_since < freshest:
                    connection.close()
            idle[:] = [each for each in idle if each.idle_since >= freshest]
            if not idle:
                del self._idle[origin]
        if self._idle:
            self._sweep = loop.call_later(self._idle_seconds, self._close_stale)


def _tls_words(host: str, error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {host} does not hold: {error.verify_message}"
    return f"TLS with {host} failed: {error.reason or error}"
