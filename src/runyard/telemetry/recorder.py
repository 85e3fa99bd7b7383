"""Records what was committed, a step at a time, and keeps the time series in bounds.

It stands beside the gate: who commits only hands over facts, and waits for nothing here. What was
seen since the last flush (`FLUSH_SECONDS`) is lost when the process is killed; what a flush wrote
is not. Who can see it again has its place written along with it, and counts all of it once. Memory
is bounded: by `CELLS_MAX` when the database is away, else by the series that were touched within a
step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from runyard.database.port import Database, Tx, Work
from runyard.model.event import Fact
from runyard.model.instants import to_micros
from runyard.model.log_pattern import LogPattern
from runyard.model.metric import COUNTED, Labels, Point, Series
from runyard.model.run import Run
from runyard.model.sketch import Sketch
from runyard.telemetry.log_patterns import LogPatterns
from runyard.telemetry.measuring import Measuring
from runyard.telemetry.series import (
    STEP_SECONDS,
    Put,
    Question,
    TimeSeries,
    fine_since,
)

FLUSH_SECONDS = 5.0
TEND = timedelta(minutes=5)  #: how often old points are merged and forgotten
FINE = timedelta(days=2)  #: how long points are kept for each minute; then for each hour
CELLS_MAX = 50_000  #: points held here; beyond it what is new is not measured, and that is counted
ROWS_MAX = 2_000  #: points put in one transaction
_STEP_MICROS = STEP_SECONDS * 1_000_000

Cell = tuple[int, Series]
Facts = Sequence[tuple[Run, Fact, datetime]]
Observe = Callable[[Facts], None]


def _nobody(at_micros: int, series: Series, sketch: Sketch) -> None:
    """Nobody wants to hear of it."""


class Recorder:
    """One per process; `writer` is a name that no other process has. `retention`: how long points
    are kept."""

    def __init__(self, database: Database, writer: str, retention: timedelta) -> None:
        self.database = database
        self._port = TimeSeries(database.dialect)
        self._patterns = LogPatterns(database.dialect)
        self._writer = writer
        self._retention = retention
        self._measuring = Measuring()
        self._cells: dict[Cell, Sketch] = {}
        self._dirty: set[Cell] = set()
        self._along: list[Work[None]] = []
        self._open_since = 0  # what is seen of before it counts as seen then: that step is over
        self._flushing = asyncio.Lock()  # in order: a later one has seen more
        self._tended_at: datetime | None = None
        self.dropped = 0  #: samples for which there was no room
        self.followers: list[Observe] = []  #: hear of the same facts
        self.closed: Callable[[int, Series, Sketch], None] = _nobody  #: hears of each step's end

    def observe(self, facts: Facts) -> None:
        """What was committed: each run as it was after the fact, the fact, its instant."""
        for follow in self.followers:
            follow(facts)
        for at, sample in ((fact[2], one) for fact in facts for one in self._samples(fact)):
            self.add(at, *sample)

    def _samples(self, fact: tuple[Run, Fact, datetime]) -> Iterable[tuple[Series, float]]:
        for run, metric, labels, value in self._measuring.samples([fact]):
            yield (
                Series(run.environment, run.project, run.job, run.region, metric, labels),
                value,
            )

    def add(self, at: datetime, series: Series, value: float) -> None:
        """A value of a series, seen at an instant."""
        cell = (max(_step_of(at), self._open_since), series)
        sketch = self._cells.get(cell)
        if sketch is None:
            if len(self._cells) >= CELLS_MAX:
                self.dropped += 1
                return
            sketch = self._cells[cell] = Sketch()
        if series.metric in COUNTED:
            sketch.tally(value)
        else:
            sketch.add(value)
        self._dirty.add(cell)

    def along(self, work: Work[None]) -> None:
        """Have rows written in the one transaction that writes what was added up to now (in the
        last one, where more than ROWS_MAX points are new)."""
        self._along.append(work)

    @property
    def is_behind(self) -> bool:
        """True while something is not written that goes along."""
        return bool(self._along)

    async def tick(self, now: datetime) -> datetime:
        """Flush; now and then tend what is old. When it wants to be called again."""
        await self.flush(now)
        if self._tended_at is None or now - self._tended_at >= TEND:
            self._tended_at = now
            await self.tend(now)
        return now + timedelta(seconds=FLUSH_SECONDS)

    async def flush(self, now: datetime) -> None:
        """Write what is new. Raises StoreError; then it is written with the next flush."""
        async with self._flushing:
            while self._dirty or self._along:
                await self._write(sorted(self._dirty)[:ROWS_MAX])
            self._open_since = max(self._open_since, _step_of(now) - _STEP_MICROS)
            for cell in [one for one in self._cells if one[0] < self._open_since]:
                self.closed(*cell, self._cells.pop(cell))

    async def _write(self, cells: Sequence[Cell]) -> None:
        points = [Put(series, at, _copy(self._cells[at, series])) for at, series in cells]
        self._dirty.difference_update(cells)
        along: list[Work[None]] = []
        if not self._dirty:
            along, self._along = self._along, []

        async def work(tx: Tx) -> None:
            if points:
                await self._port.put(tx, self._writer, points)
            for each in along:
                await each(tx)

        try:
            await self.database.write(work)
        except BaseException:
            self._dirty.update(cells)
            self._along[:0] = along
            raise

    async def tend(self, now: datetime) -> None:
        """Merge what is older than `FINE`, forget what is older than the retention."""
        before = now - self._retention
        await self.database.write(lambda tx: self._port.forget(tx, before))
        await self.database.write(lambda tx: self._patterns.forget(tx, before))
        before = fine_since(now, min(FINE, self._retention))
        while await self.database.write(lambda tx: self._port.merge_next(tx, before)):
            pass

    async def read(self, question: Question, now: datetime) -> list[Point]:
        """The points asked for, with what this process saw up to now."""
        (found,) = await self.read_each([question], now)
        return found

    async def own_of(self, key: tuple[str, str, str]) -> set[tuple[str, Labels]]:
        """What a job (project, environment, name) measures itself, as far as it is written."""
        return await self.database.read(lambda tx: self._port.own_of(tx, key))

    async def patterns_of(self, keys: Sequence[tuple[str, str, str]]) -> list[list[LogPattern]]:
        """What error lines of jobs (project, environment, name) have in common."""

        async def work(tx: Tx) -> list[list[LogPattern]]:
            return [await self._patterns.of(tx, key) for key in keys]

        return await self.database.read(work)

    async def read_each(self, questions: Sequence[Question], now: datetime) -> list[list[Point]]:
        """The points that each question asks for, all read at once."""
        await self.flush(now)

        async def work(tx: Tx) -> list[list[Point]]:
            return [await self._port.read(tx, question) for question in questions]

        return await self.database.read(work)


def _step_of(at: datetime) -> int:
    micros = to_micros(at)
    return micros - micros % _STEP_MICROS


def _copy(sketch: Sketch) -> Sketch:
    """As it is now: it may grow while it is written."""
    return Sketch(sketch.count, sketch.total, sketch.low, sketch.high, dict(sketch.buckets))
