"""Simulated worlds of logs: tasks that print, one engine at its post that reads them, measures and
watches what they say; it dies, or stops in order, between any two steps, and another takes over.

The promises stand in `log_promises.py`. Beside them: what processes measure of facts is counted
once, and lost only with a process; an alert about lines, measures or kinds of errors opens once and
is over in the end; old points are merged without a change, and forgotten.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from runyard.database.port import Database, Work
from runyard.database.sqlite import InlineSqlite, run_inline
from runyard.engine.alerts import AlertsLoop
from runyard.engine.log_finding import KEPT
from runyard.engine.log_reading import LogReading
from runyard.engine.prune import PruneLoop, Retention
from runyard.gate.asking import Apply
from runyard.gate.door import Committed, Gate, GateSettings
from runyard.model.alert import Alert
from runyard.model.errors import PlatformError, StoreUnavailable
from runyard.model.event import AttemptEnded
from runyard.model.ids import split_attempt_key
from runyard.model.job import JobSpec
from runyard.telemetry.recorder import Recorder
from runyard.telemetry.series import TimeSeries
from tests.simulation.chance import one_of
from tests.simulation.cloud import FlakyProvider
from tests.simulation.log_promises import LogPromises
from tests.simulation.loop import run
from tests.simulation.process import PausingDatabase, Process
from tests.simulation.world import REGION_RUNS_MAX, START, World
from tests.simulation.written import FlakyViewer, Written

T = TypeVar("T")
STEPS = 150
AT_REST = ("rescue", "due", "outbox", "watch", "logs", "telemetry", "alerts")
MONTH = timedelta(days=30)
RULES = [
    {"name": "lost", "log": {"text": "was lost", "count": 3, "within": "3h"}},
    {"name": "kinds", "errorPattern": {"new": True, "within": "3h"}},
    {"name": "many", "errorPattern": {"times": 2, "atLeast": 5, "within": "5m"}},
    {
        "name": "rows",
        "metric": {"name": "own.rows", "take": "sum", "over": 20, "within": "3h"},
    },
]
JOBS: dict[str, dict[str, Any]] = {
    "watched": {
        "retry": {"attempts": 2, "backoff": {"initial": "2s", "max": "20s"}},
        "alerts": RULES,
        "metrics": {
            "slow": {"text": "slow query"},
            "loaded": {
                "pattern": "loaded ([0-9]+) rows of ([a-z]+)", "value": 1, "labels": {"table": 2}
            },
        },
    },
    "plain": {"retry": {"attempts": 3, "backoff": {"initial": "2s", "max": "20s"}}},
}  # fmt: skip


@cache
def empty_series() -> bytes:
    """A database with the schema of time series."""
    database = InlineSqlite()
    run_inline(TimeSeries.migrate(database, START))
    made = database.image()
    run_inline(database.close())
    return made


class FlakySeries:
    """Time series as one engine meets them: now and then away, before it has written or after."""

    def __init__(self, world: LogWorld, pause: Callable[[str], Any]) -> None:
        self.dialect = world.series.dialect
        self._world = world
        self._pause = pause

    async def write(self, work: Work[T]) -> T:
        """See `Database.write`."""
        await self._pause("series: write begins")
        self._fail(0.04)
        result = await self._world.series.write(work)
        await self._world.look()
        await self._pause("series: write is durable")
        self._fail(0.04)
        return result

    async def read(self, work: Work[T]) -> T:
        """See `Database.read`."""
        self._fail(0.04)
        result = await self._world.series.read(work)
        await self._pause("series: read")
        return result

    async def listen(self, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        """See `Database.listen`."""

    async def close(self) -> None:
        """See `Database.close`."""

    def _fail(self, chance: float) -> None:
        if self._world.cloud.faults and self._world.random.random() < chance:
            raise StoreUnavailable("the series are away")


class Reader(Process):
    """An engine that reads logs and measures. `attempts`: the ends of attempts that it heard of;
    `counted` are those that it had written when it stopped in order."""

    def __init__(self, world: LogWorld, name: str, skew: timedelta) -> None:
        super().__init__(
            name, world.database, world.store, world.cloud, world.pause, skew, world.ears,
            REGION_RUNS_MAX, world.promises.committed, world._new_id,
        )  # fmt: skip
        rows = PausingDatabase(world.database, self.pause), world.store
        self.attempts, self.counted = 0, 0
        self.stopping, self.is_over = False, False
        self.recorder = Recorder(FlakySeries(world, self.pause), name, 3 * MONTH)
        viewer = FlakyViewer(world.written, world.cloud, self.pause)
        self.reading = LogReading(*rows, viewer, self.recorder)  # type: ignore[arg-type]
        self.recorder.followers.append(self.reading.observe)
        self._alerts = AlertsLoop(self.gate, *rows, ZoneInfo, self.recorder)
        provider = FlakyProvider(world.cloud, self.pause)
        kept = Retention(MONTH, timedelta(minutes=6), incidents=MONTH)
        self.ticks |= {
            "logs": self.reading.tick,
            "telemetry": self.recorder.tick,
            "alerts": self._alerts.tick,
            "prune": PruneLoop(self.gate, *rows, provider, kept).tick,
        }

    def _on_committed(self, done: Committed) -> None:
        super()._on_committed(done)
        self.attempts += sum(isinstance(fact, AttemptEnded) for _, fact, _ in done.facts)
        self.recorder.observe(done.facts)

    def stop(self) -> None:
        """SIGTERM: loops end where they are, then all that was seen is written."""
        self.stopping = True
        for task in [*self._tasks, *self._outbox.tasks()]:
            task.cancel()
        self.spawn(self._finish(), "finish")

    async def _finish(self) -> None:
        with suppress(PlatformError):
            await self.reading.tick(self.clock())
        with suppress(PlatformError):
            heard = self.attempts
            await self.recorder.flush(self.clock())
            self.counted = heard
        self.is_over = True


class LogWorld(World):
    """A world of its own, made whole from `seed`. One engine is at its post; when it ends, the next
    one takes its place at once."""

    processes: list[Reader]  # type: ignore[assignment]

    def __init__(self, seed: int, folder: Path, database: Database | None = None) -> None:
        super().__init__(seed, database)
        self.jobs = list(JOBS)
        self.series = database or InlineSqlite.copy_of(empty_series())
        self.written = Written(self.cloud, self.random, folder)
        self.logs = LogPromises(self.written)
        self.broken: list[str] = []
        self.ended: list[Reader] = []

    async def live(self) -> None:
        """The whole life of the world. Raises AssertionError when a promise is broken."""
        asyncio.get_running_loop().set_exception_handler(self._unhandled)
        await self._migrate()
        if not self._is_migrated:
            await TimeSeries.migrate(self.series, START)
        gate = Gate(self.database, self.store, GateSettings("", REGION_RUNS_MAX))
        await gate.ask(Apply([spec(name) for name in JOBS], "local", "world", self.now))
        await self._begin()
        for _ in range(STEPS):
            await self._step()
        await self._come_to_rest()
        await self._check_rest()
        await self._outlast()
        await self.database.close()
        if self._is_migrated:
            await self.series.close()

    async def _begin(self) -> None:
        """Somebody has begun to read logs before there is any, by whatever clock: until then
        nothing is promised."""
        self._boot()
        self.calm, self.cloud.faults = True, False
        await self.engine.reading.tick(self.now - KEPT)
        self.calm, self.cloud.faults = False, True

    def _boot(self) -> None:
        self._numbers += 1
        skew = timedelta(seconds=self.random.uniform(-3, 3))
        self.processes.append(Reader(self, f"engine-{self._numbers}", skew))

    async def _step(self) -> None:
        what: list[tuple[Callable[[], None], int]] = [
            (self._advance, 6), (self._request, 4), (self._cancel, 1), (self._tick, 24),
            (self._kill, 1), (self._stop, 1), (self._jump, 1), (self._lose, 1),
        ]  # fmt: skip
        one_of(self.random, what)()
        self.cloud.end_what_is_over()
        if self.random.random() < 0.3:
            self.written.write()
        await self._settle(self.random.randrange(1, 12))
        if self.engine.is_over:
            self._kill()
        await self._check()

    async def _check(self) -> None:
        self._check_faults()
        assert not self.broken, "; ".join(self.broken)

    async def look(self) -> None:
        """Something was written, this moment. What is wrong is kept for the next check: who wrote
        would take an assertion for a failed write."""
        try:
            await self.logs.check(self.series)
        except AssertionError as error:
            self.broken.append(str(error))

    def _tick(self) -> None:
        if not self.engine.stopping:
            loops = [*AT_REST, "outbox", "outbox", "logs", "logs", "prune"]
            self.engine.tick(self.random.choice(loops))

    def _cancel(self) -> None:
        known = list(self.written.logs)
        if known:
            which, _ = split_attempt_key(self.random.choice(known))
            self.engine.spawn(self._cancel_one(self.engine, which), "cancel")

    @property
    def engine(self) -> Reader:
        """Who is at the post."""
        return self.processes[0]

    def _kill(self) -> None:
        self.engine.kill()
        self._faults += self.engine.faults
        self.ended.append(self.engine)
        self.processes.clear()
        self._boot()

    def _stop(self) -> None:
        if not self.engine.stopping:
            self.engine.stop()

    # -- the end ---------------------------------------------------------------------------------
    async def _come_to_rest(self) -> None:
        """No more faults, no more requests: what runs ends, and all of it is read."""
        self.cloud.faults = False
        for _ in range(60):
            await self._round()
            if self.calm and self.logs.is_read() and await self._all_over():
                break
        for _ in range(10):  # what was seen is past, by every clock
            await self._round()

    async def _round(self) -> None:
        self.calm = not self._paused
        self.now += timedelta(seconds=31)
        self.cloud.end_what_is_over()
        self.written.write()
        if self.engine.is_over:
            self._kill()
        if not self.engine.stopping:
            for loop in AT_REST:
                self.engine.tick(loop)
        await self._settle(10_000)
        await self._check()

    async def _all_over(self) -> bool:
        query = "SELECT count(*) FROM runs WHERE ended_at IS NULL"
        return await self.database.read(lambda tx: tx.fetch(query)) == [(0,)]

    async def _check_rest(self) -> None:
        self.logs.check_rest()
        await self._check_attempts()
        alerts = await self._alerts()
        fired = Counter(one.rule for one in alerts)
        for rule in ("lost", "kinds", "rows"):
            wanted = 1 if self.logs.is_wrong(rule) else 0
            assert fired[rule] == wanted, f"{rule} opened {fired[rule]} times, not {wanted}"

    async def _check_attempts(self) -> None:
        """What each process measured of facts is what it heard, but for what was lost with it."""
        query = """SELECT p.writer, sum(p.count) FROM points p JOIN series s ON s.id = p.series
                   WHERE s.metric = 'attempts' GROUP BY p.writer"""
        rows = await self.series.read(lambda tx: tx.fetch(query))
        found: dict[str, int] = dict(rows)
        self.engine.counted = self.engine.attempts
        for one in (*self.ended, self.engine):
            seen = found.pop(one.name, 0)
            assert one.counted <= seen <= one.attempts, f"{one.name} counted {seen} attempts"
        assert not found, f"nobody is {found}"

    async def _alerts(self) -> list[Alert]:
        await self.alerts.check(self.database)
        return list(self.alerts.alerts.values())

    async def _outlast(self) -> None:
        """Alerts are over after their windows; minutes become hours, and are forgotten."""
        for days in (1, 3):
            self.now += timedelta(days=days)
            for loop in ("telemetry", "alerts", "outbox", "alerts"):
                self.engine.tick(loop)
                await self._settle(10_000)
            await self._check()
        open_ones = [one.rule for one in await self._alerts() if one.resolved_at is None]
        mine = [one["name"] for one in RULES if one["name"] in open_ones]
        assert not mine, f"{mine} are not over"
        steps = await self.series.read(lambda tx: tx.fetch("SELECT DISTINCT step FROM points"))
        assert steps in ([], [(3600,)]), f"points of {steps} seconds are left"
        await self.logs.check(self.series)
        self.now += 4 * MONTH
        self.engine.tick("telemetry")
        await self._settle(10_000)
        await self.logs.check_outlasted(self.series)


def spec(name: str) -> JobSpec:
    """The job of this name."""
    template = {"template": {"containers": [{"image": "busybox", "command": ["true"]}]}}
    return JobSpec.from_document(
        {"project": "sim", "name": name, "template": template} | JOBS[name]
    )


def live(seed: int, database: Database | None = None) -> None:
    """Live through the world of logs of `seed`; runs and series are in memory, each in a database
    of its own, unless one is given for both."""
    with TemporaryDirectory(prefix="runyard-logs-") as folder:
        world = LogWorld(seed, Path(folder), database)
        with world.heard():
            run(world.live())
