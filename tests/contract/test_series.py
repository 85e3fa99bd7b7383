"""The time series, on every kind of database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from runyard.database.port import Database, Row, Tx
from runyard.model.errors import StoreError, StoreUnavailable
from runyard.model.metric import Metric, Series
from runyard.telemetry import recorder as recording
from runyard.telemetry.recorder import Recorder
from runyard.telemetry.series import Question, TimeSeries
from tests.support.databases import Grounds
from tests.support.runs import NOW

MONTH = timedelta(days=30)
WAIT = Series("local", "shop", "report", "r1", Metric.QUEUE_WAIT)
RUNS = WAIT._replace(metric=Metric.RUNS, labels=(("state", "dead"),))
ELSEWHERE = WAIT._replace(region="r2")
DAY = timedelta(days=1)


@asynccontextmanager
async def series(grounds: Grounds) -> AsyncIterator[Database]:
    async with grounds.furnished() as database:  # beside the store's tables, as on PostgreSQL
        await TimeSeries.migrate(database, NOW)
        await TimeSeries.migrate(database, NOW)
        yield database


def question(since: datetime, until: datetime, **only: tuple[str, ...]) -> Question:
    return Question("local", "shop", "report", since, until, **only)


def test_two_processes_write_and_one_reads_all_of_it(grounds: Grounds) -> None:
    async def scene() -> None:
        async with series(grounds) as database:
            first, second = (Recorder(database, name, MONTH) for name in ("a", "b"))
            for number in range(10):
                first.add(NOW, WAIT, float(number))
                second.add(NOW, WAIT, 100.0)
            first.add(NOW, RUNS, 1.0)
            second.add(NOW + timedelta(minutes=1), ELSEWHERE, 7.0)
            second.add(NOW, WAIT._replace(job="other"), 7.0)
            await second.flush(NOW)
            found = await first.read(question(NOW, NOW + DAY), NOW)
            sketches = {(one.series, one.at): one.sketch for one in found}
            assert set(sketches) == {
                (WAIT, NOW), (RUNS, NOW), (ELSEWHERE, NOW + timedelta(minutes=1))
            }  # fmt: skip
            both = sketches[WAIT, NOW]
            assert (both.count, both.total, both.low, both.high) == (20, 1045.0, 0.0, 100.0)
            assert both.quantile(0.25) == pytest.approx(4, rel=0.1)
            assert sketches[RUNS, NOW].buckets == {}
            only = question(NOW, NOW + DAY, metrics=(Metric.QUEUE_WAIT,), regions=("r2",))
            assert [one.series for one in await first.read(only, NOW)] == [ELSEWHERE]

    asyncio.run(scene())


def test_a_step_is_written_again_while_it_grows_and_counted_once(grounds: Grounds) -> None:
    async def scene() -> None:
        async with series(grounds) as database:
            recorder = Recorder(database, "a", MONTH)
            for seconds in (1, 20, 40):
                at = NOW + timedelta(seconds=seconds)
                recorder.add(at, WAIT, 1.0)
                assert await recorder.tick(at) == at + timedelta(seconds=5)
            later = NOW + timedelta(minutes=10)
            await recorder.flush(later)
            recorder.add(NOW, WAIT, 1.0)  # the clock was set back, or it came late: not lost
            found = await recorder.read(question(NOW, later + DAY), later)
            assert [(one.at, one.sketch.count) for one in found] == [
                (NOW, 3), (NOW + timedelta(minutes=9), 1)
            ]  # fmt: skip
            assert len(recorder._cells) == 1

    asyncio.run(scene())


def test_what_is_killed_loses_only_what_was_not_flushed(grounds: Grounds) -> None:
    async def scene() -> None:
        async with series(grounds) as database:
            killed = Recorder(database, "a", MONTH)
            killed.add(NOW, WAIT, 1.0)
            await killed.flush(NOW)
            killed.add(NOW, WAIT, 1.0)
            after = Recorder(database, "b", MONTH)
            after.add(NOW, WAIT, 1.0)
            (found,) = await after.read(question(NOW, NOW + DAY), NOW)
            assert found.sketch.count == 2

    asyncio.run(scene())


def test_what_goes_along_is_written_with_all_of_it_or_not_at_all(grounds: Grounds) -> None:
    async def kept(tx: Tx) -> None:
        await tx.execute("INSERT INTO log_places (attempt_key, position) VALUES ('a/1', 7)")

    async def refused(tx: Tx) -> None:
        await tx.execute("INSERT INTO log_places (attempt_key) VALUES ('b/1')")

    async def look(tx: Tx) -> tuple[list[Row], list[Row]]:
        return (
            await tx.fetch("SELECT attempt_key FROM log_places"),
            await tx.fetch("SELECT count(*) FROM points"),
        )

    async def scene() -> None:
        async with series(grounds) as database:
            recorder = Recorder(database, "a", MONTH)
            recorder.along(refused)
            recorder.add(NOW, WAIT, 1.0)
            with pytest.raises(StoreError):
                await recorder.flush(NOW)
            behind = [recorder.is_behind]
            assert await database.read(look) == ([], [(0,)])
            recorder._along.clear()
            for number in range(recording.ROWS_MAX):
                recorder.add(NOW, WAIT._replace(job=f"job-{number}"), 1.0)
            recorder.along(kept)
            await recorder.flush(NOW)
            assert [*behind, recorder.is_behind] == [True, False]
            assert await database.read(look) == ([("a/1",)], [(recording.ROWS_MAX + 1,)])

    asyncio.run(scene())


def test_minutes_become_hours_and_hours_are_forgotten(grounds: Grounds) -> None:
    async def scene() -> None:
        async with series(grounds) as database:
            recorder = Recorder(database, "a", MONTH)
            names = [WAIT._replace(job=f"job-{number}") for number in range(250)]
            for minute in (0, 1, 59, 60):
                at = NOW + timedelta(minutes=minute)
                for one in (WAIT, *names):
                    recorder.add(at, one, float(minute))
                await recorder.flush(at)
            much_later = NOW + timedelta(days=2, hours=1, minutes=30)
            await recorder.tick(much_later)
            found = await recorder.read(question(NOW, much_later), much_later)
            assert [(one.at, one.step_seconds, one.sketch.count) for one in found] == [
                (NOW, 3600, 3), (NOW + timedelta(hours=1), 60, 1)
            ]  # fmt: skip
            assert (found[0].sketch.total, found[0].sketch.high) == (60.0, 59.0)
            assert found[0].sketch.quantile(0.99) == pytest.approx(59, rel=0.1)
            in_the_middle = question(NOW + timedelta(minutes=30), NOW + timedelta(minutes=40))
            assert len(await recorder.read(in_the_middle, much_later)) == 1
            await recorder.tick(much_later + timedelta(minutes=1))  # tended a minute ago
            await recorder.tick(NOW + MONTH + DAY)
            assert await recorder.read(question(NOW, much_later), much_later) == []
            rows = await database.read(lambda tx: tx.fetch("SELECT count(*) FROM series"))
            assert rows == [(0,)]

    asyncio.run(scene())


class Away:
    """A database that does not answer."""

    dialect = "sqlite"

    def __init__(self, inner: Database) -> None:
        self.inner, self.is_away = inner, True
        self.read, self.listen, self.close = inner.read, inner.listen, inner.close

    async def write(self, work: object) -> object:
        if self.is_away:
            raise StoreUnavailable("it is away")
        return await self.inner.write(work)  # type: ignore[arg-type]


@pytest.mark.parametrize("grounds", ["inline"], indirect=True)
def test_a_database_that_is_away_costs_nothing_but_memory_and_that_is_bounded(
    grounds: Grounds,
) -> None:
    async def scene() -> None:
        async with series(grounds) as database:
            away = Away(database)
            recorder = Recorder(away, "a", MONTH)  # type: ignore[arg-type]
            for number in range(recording.CELLS_MAX + 10):
                recorder.add(NOW, WAIT._replace(job=f"job-{number}"), 1.0)
            assert recorder.dropped == 10
            recorder.add(NOW, WAIT._replace(job="job-0"), 1.0)
            with pytest.raises(StoreUnavailable):
                await recorder.flush(NOW)
            away.is_away = False
            job = Question("local", "shop", "job-0", NOW, NOW + DAY)
            (found,) = await recorder.read(job, NOW)
            assert (found.sketch.count, recorder.dropped) == (2, 10)

    asyncio.run(scene())
