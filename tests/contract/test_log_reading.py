"""What tasks print is measured as it comes, once, on every kind of database."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from runyard.engine.log_reading import BEHIND, EVERY, LogReading
from runyard.engine.subjects import Subjects, Watched
from runyard.flow.patterns import PATTERNS_MAX
from runyard.flow.rule_subject import Subject
from runyard.flow.rules import judge
from runyard.model.alert_rules import named
from runyard.model.event import Ended, Launched
from runyard.model.ids import AttemptKey
from runyard.model.job import JobSpec
from runyard.model.log_metrics import SERIES_MAX
from runyard.model.metric import Series
from runyard.model.run import Run
from runyard.provider.port import LogEntry, LogPlace, LogSifted, LogWanted
from runyard.telemetry.log_places import LogPlaces
from runyard.telemetry.recorder import Recorder
from runyard.telemetry.series import Question, TimeSeries
from tests.support.databases import Grounds
from tests.support.fake_viewer import FakeViewer
from tests.support.gates import Yard, yard_on
from tests.support.runs import make_outcome, make_spec

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
    """Logs of which a part is read at a time."""

    at: datetime
    entries: dict[str, list[LogEntry]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    page: int = 100

    def own(self, key: str, fields: Mapping[str, Any]) -> None:
        """Add a structured line."""
        lines = self.entries.setdefault(key, [])
        lines.append(
            LogEntry(10 * (len(lines) + 1), self.at, 0, 0, "stdout", "INFO", "", dict(fields))
        )

    async def sift(self, places: Any) -> list[LogSifted]:
        """See `Viewer.sift`."""
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


@dataclass
class Scene:
    """A yard whose logs are read."""

    yard: Yard
    logs: Logs
    recorder: Recorder
    reading: LogReading
    seen: list[tuple[Series, float]] = field(default_factory=list)
    woken: int = 0

    def again(self) -> None:
        """Another process takes over."""
        recorder = Recorder(self.yard.database, f"{self.recorder._writer}'", MONTH)
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
        self.tell(run)
        return run, run.attempt_key

    def tell(self, run: Run) -> None:
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

    async def places(self) -> dict[AttemptKey, int]:
        port = LogPlaces(self.yard.database.dialect)
        return await self.yard.database.read(port.every)


@asynccontextmanager
async def scene(grounds: Grounds) -> AsyncIterator[Scene]:
    async with grounds.furnished() as database:
        yard = yard_on(database)
        await TimeSeries.migrate(database, yard.now)
        logs, recorder = Logs(yard.now), Recorder(database, "a", MONTH)
        made = Scene(yard, logs, recorder, LogReading(database, yard.store, logs, recorder))
        made.again()
        yield made


def test_own_measures_and_rules_are_read_while_it_runs_and_to_the_end(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            assert await made.tick() is None
            run, key = await made.launched(make_spec(alerts=[RULE]))
            made.logs.own(key, {"metric": "rows", "value": 3, "labels": {"table": "orders"}})
            made.logs.write(key, "fine", "order lost")
            assert await made.tick() == made.yard.now + EVERY
            assert await made.places() == {key: 30}
            made.logs.own(key, {"metric": "rows", "value": 4, "labels": {"table": "orders"}})
            made.logs.own(key, {"metric": "rows", "value": -4})
            made.logs.write(key, "another order lost")
            await made.yard.tell(run, Ended(1, make_outcome()))
            made.logs.ended.add(key)
            assert await made.tick() is None
            assert await made.counts() == {
                ("own.rows", "orders"): 7,
                ("own_refused", "form"): 1,
                ("log_matches", "log"): 2,
            }
            assert [(one.metric, value) for one, value in made.seen] == [
                ("own.rows", 3.0), ("own.rows", 4.0),
            ]  # fmt: skip
            assert await made.places() == {}
            (said,) = judge(await made.subject(), {}, made.yard.now)
            assert said.title == "report: 2 lines have 'lost' within 1h"

    asyncio.run(work())


def _utc(name: str) -> Any:
    raise AssertionError(name)


def test_another_process_reads_on_where_the_last_one_was(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            _, key = await made.launched(make_spec(alerts=[RULE]))
            made.logs.write(key, "lost", "lost")
            await made.tick()
            made.again()
            made.logs.write(key, "lost")
            assert await made.tick() == made.yard.now + EVERY
            assert (await made.counts())["log_matches", "log"] == 3
            made.again()
            made.logs.ended.add(key)
            assert await made.tick() is None
            assert (await made.counts())["log_matches", "log"] == 3

    asyncio.run(work())


def test_what_was_never_read_is_found_while_it_is_out(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            _, key = await made.launched(make_spec(alerts=[RULE]))
            made.logs.write(key, "lost")
            made.again()  # it has heard of nothing
            await made.tick()
            assert (await made.counts())["log_matches", "log"] == 1
            port = LogPlaces(made.yard.database.dialect)
            gone = AttemptKey("run_0000000000000000000000000z/1")
            await made.yard.database.write(lambda tx: port.put(tx, {gone: 7}))
            made.again()
            await made.tick()
            assert await made.places() == {key: 10}

    asyncio.run(work())


def test_error_lines_become_patterns_that_are_kept(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            rule = {"errorPattern": {"new": True, "within": "1h"}}
            run, key = await made.launched(make_spec(alerts=[rule]))
            job = (run.project, run.environment, run.job)
            made.logs.write(key, "connection to 10.0.0.1 refused: error 7", "done, 0 errors", "   ")
            made.logs.write(key, "\0an \ud800 error\0")
            await made.tick()
            made.again()
            made.logs.write(key, "connection to 10.0.0.2 refused: error 9", "disk error")
            await made.tick()
            (found,) = await made.recorder.patterns_of([job])
            assert {one.template: one.count for one in found} == {
                "connection to <ip> refused: error <number>": 2, "disk error": 1, "an ? error": 1,
            }  # fmt: skip
            refused = max(found, key=lambda one: one.count)
            assert [each.attempt_key for each in refused.examples] == [key, key]
            counts = await made.counts("error_lines")
            assert counts["error_lines", refused.id] == 2
            subject = await made.subject()
            (said,) = judge(subject, {}, made.yard.now)
            assert "new kind of error: connection to <ip> refused" in said.title
            await made.recorder.tend(made.yard.now + 2 * MONTH)
            assert await made.recorder.patterns_of([job]) == [[]]

    asyncio.run(work())


def test_patterns_of_a_job_are_bounded(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            run, key = await made.launched(make_spec())
            names = ["".join(chr(97 + int(digit)) for digit in str(n)) for n in range(102)]
            for first in (0, 51):
                made.logs.write(key, *[f"{name} error" for name in names[first : first + 51]])
                await made.tick()
            (found,) = await made.recorder.patterns_of([(run.project, "local", run.job)])
            assert len(found) == PATTERNS_MAX

    asyncio.run(work())


def test_what_is_behind_is_caught_up_with_soon(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            made.logs.page = 2
            _, key = await made.launched(make_spec(alerts=[RULE]))
            made.logs.write(key, *["lost"] * 3)
            assert await made.tick() == made.yard.now + BEHIND
            assert await made.tick() == made.yard.now + EVERY
            assert (await made.counts())["log_matches", "log"] == 3

    asyncio.run(work())


def test_series_of_a_job_are_bounded_also_after_a_restart(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            _, key = await made.launched(make_spec())
            made.logs.page = 1000
            for number in range(SERIES_MAX + 3):
                made.logs.own(key, {"metric": "rows", "labels": {"user": number}})
            await made.tick()
            counts = await made.counts()
            assert counts["own_refused", "too many series"] == 3
            assert len(counts) == SERIES_MAX + 1
            made.again()
            made.logs.own(key, {"metric": "rows", "labels": {"user": 0}})
            made.logs.own(key, {"metric": "rows", "labels": {"user": 9999}})
            await made.tick()
            again = await made.counts()
            assert again["own_refused", "too many series"] == 4
            assert again["own.rows", "0"] == 2

    asyncio.run(work())


@pytest.mark.parametrize("keep", [True, False])
def test_a_job_whose_revision_is_gone_is_left_alone(grounds: Grounds, *, keep: bool) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            _, key = await made.launched(make_spec())
            if not keep:
                await made.yard.database.write(lambda tx: tx.execute("DELETE FROM revisions"))
            made.logs.own(key, {"metric": "rows"})
            await made.tick()
            assert await made.counts() == ({("own.rows", ""): 1} if keep else {})

    asyncio.run(work())
