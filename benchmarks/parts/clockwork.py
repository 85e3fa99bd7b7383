"""Schedules at work: how late they are, a herd of them, and a hundred thousand that rest.

The engine is the one of `answering`: its provider answers at once, everything else is real and
every batch is durable. An instant is done when the batch that records it and its run is committed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from math import ceil
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, TypeVar

import uvloop

from benchmarks.parts.answering import TASK, answering_engine, clock
from benchmarks.parts.figures import Round
from benchmarks.parts.processes import resident_mib
from runyard.cloud_wiring import Ids
from runyard.database.signals import Signals
from runyard.database.sqlite import SqliteDatabase
from runyard.engine.engine import Engine
from runyard.gate.asking import Apply, Request
from runyard.gate.door import Committed
from runyard.model.event import Requested
from runyard.model.ids import RunId
from runyard.model.job import JobSpec
from runyard.model.plan import RunRequest
from runyard.model.run import TriggerKind
from runyard.process import settle_memory
from runyard.store.memory import Store

T = TypeVar("T")
A_JOB = 100  #: triggers that a manifest may give one job
APPLIED = 50  #: jobs put in force by one batch
LOADED = 16  #: callers who ask for runs all the time, in the loaded part
PAGE = 1_000
MANY = 10_000  #: schedules whose rest is worth measuring
FIRST_LOOK_SECONDS = 45.0  #: every job is looked at twice a minute, at first whole
REST_SECONDS = 60.0  #: two of those looks


def job(number: int, triggers: list[dict[str, Any]]) -> JobSpec:
    """A no-op job with triggers."""
    return JobSpec.from_document(
        {
            "project": "bench",
            "name": f"job-{number}",
            "template": {"template": TASK},
            "triggers": [{"name": f"t{place}"} | one for place, one in enumerate(triggers)],
        }
    )


@dataclass(slots=True)
class Fired:
    """Counts the runs that schedules asked for, as their batches become durable."""

    wanted: int
    lateness_ms: list[float] = field(default_factory=list)
    last_at: datetime | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def observe(self, done: Committed) -> None:
        """A batch became durable."""
        now = clock()
        for run, fact, _ in done.facts:
            by = run.triggered_by
            if isinstance(fact, Requested) and by is not None and by.instant is not None:
                self.lateness_ms.append((now - by.instant) / timedelta(milliseconds=1))
                self.last_at = now
        if len(self.lateness_ms) >= self.wanted:
            self.reached.set()


def lateness(folder: Path, instants: int, *, loaded: bool) -> list[float]:
    """Milliseconds from each instant of a schedule of one a second to its durable run."""
    return _run(_late(folder, instants, loaded=loaded))


async def _late(folder: Path, instants: int, *, loaded: bool) -> list[float]:
    fired = Fired(instants)
    async with _engine(folder, fired.observe) as engine:
        spec = job(0, [{"schedule": "every 1s", "overlap": "allow", "catchUp": "none"}])
        await engine.gate.ask(Apply([spec], "local", "bench", clock()))
        load = [asyncio.create_task(_ask(engine)) for _ in range(LOADED if loaded else 0)]
        await fired.reached.wait()
        for task in load:
            task.cancel()
        await asyncio.gather(*load, return_exceptions=True)
    return fired.lateness_ms[:instants]


async def _ask(engine: Engine) -> None:
    ids = Ids("run")
    while True:
        request = RunRequest("local", "job-0", "bench", trigger=TriggerKind.MANUAL)
        await engine.gate.ask(Request(request, clock(), lambda: RunId(ids())))


def herd(folder: Path, schedules: int) -> float:
    """Seconds from the one instant of so many schedules to the last durable run."""
    return _run(_herd(folder, schedules))


async def _herd(folder: Path, schedules: int) -> float:
    fired = Fired(schedules)
    async with _engine(folder, fired.observe) as engine:
        ahead = timedelta(seconds=ceil(3 + schedules / 1_500))
        at = (clock() + ahead).replace(microsecond=0)
        hourly = {"schedule": "every 1h", "startAt": at.isoformat()}
        await _apply(engine, schedules, hourly)
        settle_memory()
        if clock() >= at:
            raise RuntimeError("the herd was not in force in time: give it longer")
        await fired.reached.wait()
    assert fired.last_at is not None
    return (fired.last_at - at).total_seconds()


async def _apply(engine: Engine, schedules: int, one: dict[str, Any]) -> None:
    """Put so many schedules in force, and wait until each has its next instant."""
    jobs = (
        job(number, [one] * min(A_JOB, schedules - first))
        for number, first in enumerate(range(0, schedules, A_JOB))
    )
    while batch := list(islice(jobs, APPLIED)):
        await engine.gate.ask(Apply(batch, "local", "bench", clock()))


def resting(folder: Path, schedules: int) -> Round:
    """So many daily schedules: to create them, to list them, and what they cost when none is
    due."""
    return _run(_resting(folder, schedules))


async def _resting(folder: Path, schedules: int) -> Round:
    share = 1.0 if schedules >= MANY else 0.02  # of the waits, where only the way is tried
    async with _engine(folder, lambda _: None) as engine:
        yesterday = clock() - timedelta(hours=1)
        daily = {"schedule": f"{yesterday.minute} {yesterday.hour} * * *"}
        before, began = resident_mib(os.getpid()), perf_counter()
        await _apply(engine, schedules, daily)
        await _armed(folder)
        created = perf_counter() - began
        pages = [milliseconds async for milliseconds in _pages(folder)]
        with suppress(TimeoutError):  # the first look at every job
            await asyncio.wait_for(asyncio.Event().wait(), FIRST_LOOK_SECONDS * share)
        settle_memory()
        began, worked = perf_counter(), process_time()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), REST_SECONDS * share)
        seconds, work = perf_counter() - began, process_time() - worked
        return {
            "create_100k_s": created,
            "list_100k_page_ms": max(pages),
            "idle_cpu_percent_100k": 100 * work / seconds,
            "memory_100k_mib": resident_mib(os.getpid()) - before,
        }


@asynccontextmanager
async def _engine(folder: Path, observe: Callable[[Committed], None]) -> AsyncIterator[Engine]:
    database = SqliteDatabase(folder / "runyard.db")
    try:
        async with answering_engine(database, Signals(), observe) as engine:
            yield engine
    finally:
        await database.close()


@asynccontextmanager
async def _looking(folder: Path) -> AsyncIterator[tuple[SqliteDatabase, Store]]:
    """The database as another process would look at it."""
    database = SqliteDatabase(folder / "runyard.db")
    try:
        yield database, Store.of(database.dialect)
    finally:
        await database.close()


async def _armed(folder: Path) -> None:
    """Wait until every trigger has its next instant."""
    async with _looking(folder) as (database, store):
        while (due := await database.read(store.triggers.next_at)) and due <= clock():
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 0.05)


async def _pages(folder: Path) -> AsyncIterator[float]:
    """Milliseconds of each page of all triggers."""
    async with _looking(folder) as (database, store):
        after = ("", "", "")
        while True:
            began = perf_counter()
            found = await database.read(
                lambda tx, place=after: store.triggers.page(tx, "local", place, PAGE)  # type: ignore[misc]
            )
            yield 1000 * (perf_counter() - began)
            if len(found) < PAGE:
                return
            after = (found[-1].job, found[-1].project, found[-1].name)


def _run(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
