"""Durable runs a second through the in-process API: from the request to final, charged, released.

Everything but the work itself: whole history, outbox, charge, every step durable
(`synchronous=FULL`; PostgreSQL with fsync and synchronous commits).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from time import perf_counter, process_time

import uvloop

from benchmarks.parts.answering import JOB, Finished, answering_engine, clock
from runyard.cloud_wiring import Ids
from runyard.database.port import Database
from runyard.database.postgresql import PostgresDatabase
from runyard.database.signals import Signals
from runyard.database.sqlite import SqliteDatabase
from runyard.engine.engine import Engine
from runyard.gate.asking import Request
from runyard.model.ids import RunId
from runyard.model.plan import RunRequest
from runyard.process import settle_memory

CALLERS = 256  #: who ask at the same time, each for one run after the other

Opened = Callable[[], Awaitable[Database]]


def on_sqlite(folder: Path) -> Opened:
    """A new database file in `folder`."""

    async def opened() -> Database:
        return SqliteDatabase(folder / "runyard.db")

    return opened


def on_postgresql(url: str) -> Opened:
    """The database at `url`."""

    async def opened() -> Database:
        return await PostgresDatabase.open(url)

    return opened


def rate(opened: Opened, runs: int) -> tuple[float, float]:
    """Runs a second, and CPU milliseconds of this process for each."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_play(opened, runs))


async def _play(opened: Opened, runs: int) -> tuple[float, float]:
    database = await opened()
    try:
        finished = Finished(runs)
        async with answering_engine(database, Signals(), finished.observe) as engine:
            settle_memory()
            began, worked = perf_counter(), process_time()
            asked, ids = iter(range(runs)), Ids("run")
            await asyncio.gather(*(_ask(engine, asked, ids) for _ in range(CALLERS)))
            await finished.reached.wait()
            seconds, work = perf_counter() - began, process_time() - worked
        return runs / seconds, 1000 * work / runs
    finally:
        await database.close()


async def _ask(engine: Engine, asked: Iterator[int], ids: Ids) -> None:
    for _ in asked:
        request = RunRequest("local", JOB, "bench")
        await engine.gate.ask(Request(request, clock(), lambda: RunId(ids())))
