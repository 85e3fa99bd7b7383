"""Durable runs a second: accepted through the in-process API, carried to their final state.

Everything but the work itself: full history, outbox, charge, release, every step durable
(`synchronous=FULL`; PostgreSQL with fsync and synchronous commits). The provider answers at once
that the attempt has ended. The databases are measured by turns, so that what disturbs one
disturbs the other; the figures are medians.

`python -m benchmarks.engine [--json PATH] [--runs N] [--rounds N]`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter, process_time

import uvloop

from runyard.channel.port import Notice
from runyard.database.migrations import migrate
from runyard.database.port import Database
from runyard.database.postgresql import PostgresDatabase
from runyard.database.signals import Signals
from runyard.database.sqlite import SqliteDatabase
from runyard.engine.engine import Engine, EngineSettings
from runyard.gate.asking import Apply, Request
from runyard.gate.door import Committed
from runyard.model.event import Released as ReleasedFact
from runyard.model.ids import AttemptKey, RunId, stamped
from runyard.model.job import JobSpec
from runyard.model.outcome import Ending, Outcome, Usage
from runyard.model.plan import RunRequest
from runyard.provider.port import LaunchOrder, Phase, Released, Report
from runyard.provider.port_access import Access
from runyard.provider.port_jobs import Deployer
from runyard.store.memory import MIGRATIONS, Store
from tests.support.fake_jobs import FakeAccess, FakeJobs
from tests.support.postgresql import Server, running

NAME = "durable runs, submitted to final, SQLite"
UNIT = "a second"
ROUNDS = 5
RUNS = 4_000
CALLERS = 256  #: who ask at the same time, each for one run after the other
SERVED = ("fsync=on", "synchronous_commit=on")
TASK = {"containers": [{"image": "busybox", "command": ["true"]}]}
SPEC = {"project": "bench", "name": "nothing", "template": {"template": TASK}}


def measure() -> float:
    """Durable runs a second on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        return _rate(lambda: _sqlite(Path(folder)), RUNS)[0]


class Answering:
    """A provider whose attempts have ended when it answers, and a channel that says nothing."""

    name = "answering"

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.jobs: Deployer = FakeJobs()
        self.access: Access = FakeAccess()
        self._clock = clock

    async def start(self) -> None:
        """Nothing to come up."""

    async def close(self) -> None:
        """Nothing to let go of."""

    async def launch(self, order: LaunchOrder) -> Report:
        """The attempt, begun and ended."""
        return self._ended(order.key)

    async def stop(self, key: AttemptKey) -> None:
        """Nothing runs."""

    async def look(self, keys: Sequence[AttemptKey]) -> list[Report]:
        """They have ended."""
        return [self._ended(key) for key in keys]

    async def changed(self) -> list[Report]:
        """Everything was said when it was launched."""
        return []

    async def release(self, key: AttemptKey) -> Released:
        """Nothing was held."""
        return Released()

    async def forget(self, key: AttemptKey) -> None:
        """Nothing is kept."""

    async def send(self, notice: Notice) -> None:
        """Nobody is told."""

    def _ended(self, key: AttemptKey) -> Report:
        now = self._clock()
        usage = Usage(task_attempts=1, wall_milliseconds=5, billed_milliseconds=60_000)
        outcome = Outcome(Ending.SUCCEEDED, "it ended", started_at=now, ended_at=now, usage=usage)
        return Report(key, Phase.ENDED, "exec-1", outcome=outcome)


class Finished:
    """Counts the runs of which nothing is left to do: final, charged, released."""

    def __init__(self, wanted: int) -> None:
        self._left = wanted
        self.reached = asyncio.Event()

    def observe(self, done: Committed) -> None:
        """A batch became durable."""
        self._left -= sum(isinstance(fact, ReleasedFact) for _, fact, _ in done.facts)
        if self._left <= 0:
            self.reached.set()


async def _sqlite(folder: Path) -> Database:
    return SqliteDatabase(folder / "runyard.db")


async def _postgresql(server: Server) -> Database:
    return await PostgresDatabase.open(await asyncio.to_thread(server.database))


def _rate(database: Callable[[], Awaitable[Database]], runs: int) -> tuple[float, float]:
    """Runs a second, and CPU milliseconds of this process for each."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_play(database, runs))


async def _play(opened: Callable[[], Awaitable[Database]], runs: int) -> tuple[float, float]:
    database = await opened()
    try:
        await migrate(database, MIGRATIONS, _clock())
        finished, provider = Finished(runs), Answering(_clock)
        engine = Engine(
            database,
            Store.of(database.dialect),
            provider,
            provider,
            Signals(),
            _clock,
            EngineSettings("bench", region_runs_max=100_000, poll=timedelta(seconds=60)),
            finished.observe,
        )
        await engine.gate.ask(Apply([JobSpec.from_document(SPEC)], "local", "bench", _clock()))
        await engine.start()
        began, worked = perf_counter(), process_time()
        numbers = iter(range(1, runs + 1))
        await asyncio.gather(*(_ask(engine, numbers) for _ in range(CALLERS)))
        await finished.reached.wait()
        rate = runs / (perf_counter() - began)
        work_milliseconds = 1000 * (process_time() - worked) / runs
        await engine.stop()
        return rate, work_milliseconds
    finally:
        await database.close()


async def _ask(engine: Engine, numbers: Iterator[int]) -> None:
    for number in numbers:
        now = _clock()
        asked = RunRequest("local", "nothing", "bench")
        await engine.gate.ask(Request(asked, now, partial(_id, now, number)))


def _id(now: datetime, number: int) -> RunId:
    return RunId(stamped("run", now, number))


def _clock() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the clock that everybody here is handed


def _rounds(rounds: int, runs: int) -> dict[str, list[tuple[float, float]]]:
    """What each database did in each round."""
    found: dict[str, list[tuple[float, float]]] = {"sqlite": [], "postgresql": []}
    with tempfile.TemporaryDirectory() as folder, running(SERVED) as server:
        for number in range(rounds):
            place = Path(folder) / str(number)
            place.mkdir()
            found["sqlite"].append(_rate(partial(_sqlite, place), runs))
            found["postgresql"].append(_rate(partial(_postgresql, server), runs))
    return found


def main() -> int:
    """Print the medians, and write them where asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    figures: dict[str, dict[str, float]] = {"durable_runs_per_second": {}, "cpu_ms_per_run": {}}
    for database, rounds in _rounds(asked.rounds, asked.runs).items():
        rates, work = zip(*rounds, strict=True)
        figures["durable_runs_per_second"][database] = round(statistics.median(rates), 1)
        figures["cpu_ms_per_run"][database] = round(statistics.median(work), 3)
        print(f"{database:12} {statistics.median(rates):8,.0f} runs/s {sorted(map(round, rates))}")
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
