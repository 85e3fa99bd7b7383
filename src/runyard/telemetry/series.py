"""The time series in their database: points put, read, and merged as they grow old.

A point belongs to who wrote it (`writer`): each process puts its own, again and again while its
step lasts, so that nothing is counted twice after a crash or a commit that was in doubt. Who reads
adds up those of all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from importlib.resources import files
from itertools import groupby
from typing import NamedTuple

from runyard.database import queries
from runyard.database.migrations import migrate
from runyard.database.port import Database, Row, Tx
from runyard.model.instants import from_micros, to_micros
from runyard.model.metric import Labels, Point, Series
from runyard.model.sketch import Sketch, merged

STEP_SECONDS = 60
HOUR_SECONDS = 3600
VERSIONS = "telemetry_versions"  #: where the schema's version stands: PostgreSQL holds the runs too
LOCK = "telemetry"
MERGED_AT_ONCE = 200  #: series merged in one transaction: some megabytes of points
MERGED = ""  #: the writer of points that were merged
_HOUR_MICROS = HOUR_SECONDS * 1_000_000
_ROOM = files("runyard.telemetry")


class Put(NamedTuple):
    """A point to put: what its writer saw of a series in the step that begins at `at_micros`."""

    series: Series
    at_micros: int
    sketch: Sketch


@dataclass(frozen=True, slots=True)
class Question:
    """Which points. `metrics` and `regions`: of these; empty: of all. Points that only touch the
    time from `since` to before `until` are among them, whole."""

    environment: str
    project: str
    job: str
    since: datetime
    until: datetime
    metrics: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


@lru_cache(maxsize=10_000)
def series_id(series: Series) -> int:
    """The number of a series: 63 bits of a digest of what it is."""
    text = json.dumps(series, separators=(",", ":")).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest()) >> 1


def packed(buckets: Mapping[int, int]) -> str:
    """Buckets as a row keeps them: `-3:1 40:12`."""
    return " ".join(f"{bucket}:{count}" for bucket, count in sorted(buckets.items()))


def unpacked(text: str) -> dict[int, int]:
    """What `packed` packed."""
    pairs = (one.split(":") for one in text.split())
    return {int(bucket): int(count) for bucket, count in pairs}


class TimeSeries:
    """The port to the points; every method works inside a transaction."""

    def __init__(self, dialect: str) -> None:
        self._q = queries.load(_ROOM / "queries", dialect)

    @staticmethod
    async def migrate(database: Database, now: datetime) -> None:
        """Bring the schema up to this program's. Raises SchemaMismatch if it is newer."""
        await migrate(database, _ROOM / "migrations", now, table=VERSIONS)

    async def put(self, tx: Tx, writer: str, points: Sequence[Put]) -> None:
        """What `writer` has seen so far of each step."""
        await tx.lock(LOCK)
        rows = {series_id(one.series): one.series for one in points}
        await tx.execute_many(
            self._q["series_put"],
            [(number, *rows[number][:5], json.dumps(rows[number].labels)) for number in rows],
        )
        await tx.execute_many(
            self._q["points_put"],
            [
                _point_row(series_id(one.series), STEP_SECONDS, one.at_micros, writer, one.sketch)
                for one in points
            ],
        )

    async def read(self, tx: Tx, question: Question) -> list[Point]:
        """The points asked for, oldest first."""
        rows = await tx.fetch(
            self._q["points_of_job"],
            (
                question.environment,
                question.project,
                question.job,
                to_micros(question.since),
                to_micros(question.until),
                json.dumps(question.metrics),
                json.dumps(question.regions),
            ),
        )
        found: dict[tuple[Series, int, int], Sketch] = {}
        for region, metric, labels, step, at, *rest in rows:
            pairs = tuple((key, value) for key, value in json.loads(labels))
            series = Series(
                question.environment, question.project, question.job, region, metric, pairs
            )
            found.setdefault((series, at, step), Sketch()).merge(_sketch(rest))
        return [
            Point(series, from_micros(at), step, sketch)
            for (series, at, step), sketch in found.items()
        ]

    async def own_of(self, tx: Tx, key: tuple[str, str, str]) -> set[tuple[str, Labels]]:
        """What a job (project, environment, name) measures itself: metrics with labels."""
        project, environment, job = key
        rows = await tx.fetch(self._q["series_own_of_job"], (environment, project, job))
        return {(metric, tuple((k, v) for k, v in json.loads(labels))) for metric, labels in rows}

    async def merge_next(self, tx: Tx, before: datetime) -> bool:
        """Make points of an hour of those of its minutes, of the oldest hour that ended before
        `before`, of some series; False when there was nothing to do."""
        await tx.lock(LOCK)
        ((oldest,),) = await tx.fetch(self._q["points_oldest"], (STEP_SECONDS,))
        if oldest is None:
            return False
        hour = oldest - oldest % _HOUR_MICROS
        end = hour + _HOUR_MICROS
        if end > to_micros(before):
            return False
        rows = await tx.fetch(self._q["points_to_merge"], (STEP_SECONDS, hour, end, MERGED_AT_ONCE))
        whole = _by_series(rows)
        await tx.execute_many(
            self._q["points_put"],
            [
                _point_row(number, HOUR_SECONDS, hour, MERGED, sketch)
                for number, sketch in whole.items()
            ],
        )
        gone = (STEP_SECONDS, hour, end, max(whole))
        await tx.execute(self._q["points_merged"], gone)
        return True

    async def forget(self, tx: Tx, before: datetime) -> None:
        """Points from before an instant, and series that have none left."""
        await tx.lock(LOCK)
        for step in (STEP_SECONDS, HOUR_SECONDS):
            await tx.execute(self._q["points_delete"], (step, to_micros(before)))
        await tx.execute(self._q["series_delete"])


def _point_row(
    number: int, step: int, at: int, writer: str, sketch: Sketch
) -> tuple[int | str | float, ...]:
    return (
        number,
        step,
        at,
        writer,
        sketch.count,
        sketch.total,
        sketch.low,
        sketch.high,
        packed(sketch.buckets),
    )


def _sketch(columns: Sequence[object]) -> Sketch:
    count, total, low, high, buckets = columns
    return Sketch(
        int(str(count)), float(str(total)), float(str(low)), float(str(high)),
        unpacked(str(buckets)),
    )  # fmt: skip


def _by_series(rows: Iterable[Row]) -> dict[int, Sketch]:
    """Rows in the order of their series, each series as one sketch."""
    return {
        number: merged(_sketch(row[3:]) for row in several)
        for number, several in groupby(rows, key=lambda row: int(row[0]))
    }


def fine_since(now: datetime, fine: timedelta) -> datetime:
    """From when on points are kept for each minute: whole hours."""
    micros = to_micros(now - fine)
    return from_micros(micros - micros % _HOUR_MICROS)
