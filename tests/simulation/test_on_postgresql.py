"""A few simulated worlds on PostgreSQL: the same life, the same promises, its own queries.

Transactions come one after the other here, as in every simulated world; how they get on with each
other at the same moment is proved by real processes in `tests/integration`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from runyard.database.port import Work
from runyard.database.postgresql import PostgresDatabase
from tests.simulation.events import live as live_events
from tests.simulation.logs import live as live_logs
from tests.simulation.world import live
from tests.support.postgresql import Server

T = TypeVar("T")


class AtOnce:
    """A database whose answers are waited for where they are asked for, on a loop elsewhere."""

    dialect = "postgresql"

    def __init__(self, loop: asyncio.AbstractEventLoop, url: str) -> None:
        self._loop = loop
        self._inner: PostgresDatabase = self._wait(PostgresDatabase.open(url, connections_max=1))

    async def write(self, work: Work[T]) -> T:
        """See `Database.write`."""
        return self._wait(self._inner.write(work))

    async def read(self, work: Work[T]) -> T:
        """See `Database.read`."""
        return self._wait(self._inner.read(work))

    async def listen(self, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        """Nobody: worlds tick by themselves."""

    async def close(self) -> None:
        """See `Database.close`."""
        self._wait(self._inner.close())

    def _wait(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(60)


@contextmanager
def loop_elsewhere() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="elsewhere", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_world_keeps_its_promises_on_postgresql(postgresql: Server, seed: int) -> None:
    with loop_elsewhere() as loop:
        live(seed, AtOnce(loop, postgresql.database()))


def test_a_world_of_logs_keeps_its_promises_on_postgresql(postgresql: Server) -> None:
    with loop_elsewhere() as loop:
        live_logs(1, AtOnce(loop, postgresql.database()))


def test_a_world_of_events_keeps_its_promises_on_postgresql(postgresql: Server) -> None:
    with loop_elsewhere() as loop:
        live_events(1, AtOnce(loop, postgresql.database()))
