"""A yard whose logs are read, for tests."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from runyard.database.port import Database
from runyard.engine.log_finding import BEGUN
from runyard.engine.log_reading import LogReading
from runyard.engine.subjects import Subjects, Watched
from runyard.flow.rule_subject import Subject
from runyard.model.alert_rules import named
from runyard.model.errors import ProviderUnavailable, StoreUnavailable
from runyard.model.event import Ended, Launched
from runyard.model.ids import AttemptKey
from runyard.model.job import JobSpec
from runyard.model.metric import Series
from runyard.model.run import Run
from runyard.provider.port import LogEntry, LogPlace, LogSifted, LogWanted
from runyard.telemetry.log_places import LogPlaces, Place
from runyard.telemetry.recorder import Recorder
from runyard.telemetry.series import Question, TimeSeries
from tests.support.databases import Grounds
from tests.support.fake_viewer import FakeViewer
from tests.support.gates import Yard, yard_on
from tests.support.runs import make_outcome

MONTH = timedelta(days=30)
RULE = {"log": {"text": "lost", "within": "1h", "count": 2}}


def matches(entry: LogEntry, wanted: LogWanted) -> bool:
    """As far as these tests ask."""
    fields = entry.fields or {}
    if wanted.has:
        return wanted.has in fields
    found = wanted.text in entry.text and re.search(wanted.pattern, entry.text) is not None
    return found and (not wanted.severities or entry.severity in wanted.severities)


@dataclass
class Logs(FakeViewer):
    """Logs of which a part is read at a time. `answers`: whether the next looks are answered."""

    at: datetime
    entries: dict[str, list[LogEntry]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    page: int = 100
    sifted: int = 0
    answers: list[bool] = field(default_factory=list)

    def own(self, key: str, fields: Mapping[str, Any]) -> None:
        """Add a structured line."""
        lines = self.entries.setdefault(key, [])
        lines.append(
            LogEntry(10 * (len(lines) + 1), self.at, 0, 0, "stdout", "INFO", "", dict(fields))
        )

    async def sift(self, places: Any) -> list[LogSifted]:
        """See `Viewer.sift`."""
        if self.answers and not self.answers.pop(0):
            raise ProviderUnavailable("it is away", operation="sift")
        self.sifted += len(places)
        return [self._sifted(place) for place in places]

    def _sifted(self, place: LogPlace) -> LogSifted:
        rest = [one for one in self.entries.get(place.key, []) if one.position > place.after]
        part, complete = rest[: self.page], len(rest) <= self.page
        found = tuple(
            (one, wanted)
            for one in part
            if (wanted := tuple(n for n, w in enumerate(place.wanted) if matches(one, w)))
        )
        after = part[-1].position if part else place.after
        return LogSifted(found, after, complete, place.key in self.ended and complete)


class Away:
    """A database that is away now and then: `writes` and `reads` say of the next ones whether they
    are answered."""

    def __init__(self, inner: Database) -> None:
        self.inner, self.dialect = inner, inner.dialect
        self.listen, self.close = inner.listen, inner.close
        self.writes: list[bool] = []
        self.reads: list[bool] = []

    async def write(self, work: Any) -> Any:
        """See `Database.write`."""
        self._answer(self.writes)
        return await self.inner.write(work)

    async def read(self, work: Any) -> Any:
        """See `Database.read`."""
        self._answer(self.reads)
        return await self.inner.read(work)

    def _answer(self, said: list[bool]) -> None:
        if said and not said.pop(0):
            raise StoreUnavailable("it is away")


@dataclass
class Scene:
    """A yard whose logs are read."""

    yard: Yard
    logs: Logs
    recorder: Recorder
    reading: LogReading
    away: Away
    seen: list[tuple[Series, float]] = field(default_factory=list)

    def again(self) -> None:
        """Another process takes over."""
        recorder = Recorder(self.away, f"{self.recorder._writer}'", MONTH)
        self.recorder = recorder
        rows = (self.yard.database, self.yard.store)
        self.reading = LogReading(*rows, self.logs, recorder, self._hear)

    def _hear(self, series: Series, value: float) -> None:
        self.seen.append((series, value))

    async def launched(self, spec: JobSpec) -> tuple[Run, AttemptKey]:
        """A run that is out, and its attempt."""
        await self.yard.apply(spec)
        run = await self.yard.request()
        run = await self.yard.tell(run, Launched(1, "a"))
        self.tell()
        return run, run.attempt_key

    async def ended(self, run: Run, number: int = 1, **changes: Any) -> Run:
        """An attempt ends, and its log with it."""
        after = await self.yard.tell(run, Ended(number, make_outcome(**changes)))
        self.logs.ended.add(run.attempt_key)
        self.tell()
        return after

    def tell(self) -> None:
        """What was committed is heard of."""
        for done in self.yard.committed:
            self.reading.observe(done.facts)
        self.yard.committed.clear()

    async def tick(self) -> datetime | None:
        self.yard.later(1)
        return await self.reading.tick(self.yard.now)

    async def counts(self, *metrics: str) -> dict[tuple[str, str], float]:
        """What was seen in all: by metric and the first label."""
        now = self.yard.now
        question = Question(
            "local", "shop", "report", now - MONTH, now + timedelta(hours=1), metrics
        )
        found: dict[tuple[str, str], float] = {}
        for point in await self.recorder.read(question, now):
            label = point.series.labels[0][1] if point.series.labels else ""
            key = (point.series.metric, label)
            found[key] = found.get(key, 0) + point.sketch.total
        return found

    async def subject(self) -> Subject:
        """What rules of the job are asked about."""
        subjects = Subjects(self.yard.database, self.yard.store, _utc, self.recorder)
        rows = await self.yard.database.read(self.yard.store.jobs.every)
        spec = JobSpec.from_document(rows[0].document)
        watched = Watched(rows[0], spec, named(spec.alerts))
        (subject,) = await subjects.of([watched], self.yard.now)
        return subject

    async def places(self) -> dict[AttemptKey, Place]:
        """Where logs are read on, but for the mark that nobody had read before."""
        port = LogPlaces(self.yard.database.dialect)
        found = await self.yard.database.read(port.every)
        return {key: one for key, one in found.items() if key != BEGUN}


@asynccontextmanager
async def scene(grounds: Grounds) -> AsyncIterator[Scene]:
    async with grounds.furnished() as database:
        yard = yard_on(database)
        await TimeSeries.migrate(database, yard.now)
        logs, away = Logs(yard.now), Away(database)
        recorder = Recorder(away, "a", MONTH)
        reading = LogReading(database, yard.store, logs, recorder)
        made = Scene(yard, logs, recorder, reading, away)
        made.again()
        yield made


def _utc(name: str) -> Any:
    raise AssertionError(name)
