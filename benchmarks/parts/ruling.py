"""What it costs to look at rules: jobs with a history, and one look at all of them."""

from __future__ import annotations

import asyncio
import statistics
from datetime import datetime, timedelta
from pathlib import Path
from time import process_time
from zoneinfo import ZoneInfo

from benchmarks.parts.answering import clock
from runyard.cloud_wiring import Ids
from runyard.database.migrations import migrate
from runyard.database.port import Tx
from runyard.database.sqlite import SqliteDatabase
from runyard.engine.alerts import EVERY, AlertsLoop
from runyard.gate.asking import Apply
from runyard.gate.door import Gate, GateSettings
from runyard.model.ids import RunId
from runyard.model.job import JobSpec
from runyard.model.metric import Metric, Series
from runyard.model.run import Run, RunPolicy, State, TriggerKind
from runyard.store.memory import MIGRATIONS, Store
from runyard.telemetry.recorder import Recorder
from runyard.telemetry.series import TimeSeries

#: Of each job, besides those that every job has. All of them look at time passing.
RULES = (
    {"failed": {"percent": 20, "within": "24h"}},
    {"notFinished": {"within": "2h"}},
    {"noSuccess": {"within": "26h"}},
    {"queueWait": {"over": "5m", "within": "1h"}},
    {"metric": {"name": "own.rows", "take": "sum", "over": 1_000_000, "within": "6h"}},
)
RUNS = 50  #: of each job in the days that rules look back
LOOKS = 3
JOBS_AT_ONCE = 500


def alert_cpu_percent(folder: Path, rules: int) -> float:
    """How much of a core it takes to look at so many rules as often as an engine does."""
    return asyncio.run(_measured(folder, rules // len(RULES)))


async def _measured(folder: Path, jobs: int) -> float:
    rows = SqliteDatabase(folder / "rules.db")
    series = SqliteDatabase(folder / "rules-series.db", synchronous="NORMAL", readers=1)
    try:
        now = clock()
        await migrate(rows, MIGRATIONS, now)
        await TimeSeries.migrate(series, now)
        store = Store.of(rows.dialect)
        gate = Gate(rows, store, GateSettings("bench"), lambda _: None)
        for first in range(0, jobs, JOBS_AT_ONCE):
            specs = [_spec(n) for n in range(first, min(jobs, first + JOBS_AT_ONCE))]
            await gate.ask(Apply(specs, "local", "bench", now))

        new_id = Ids("run")

        async def insert(tx: Tx) -> None:
            for number in range(jobs):
                runs = [_run(RunId(new_id()), number, now, place) for place in range(RUNS)]
                await store.runs.insert(tx, runs)

        await rows.write(insert)
        recorder = Recorder(series, "bench", timedelta(days=30))
        for number in range(jobs):
            for metric in (Metric.QUEUE_WAIT, "own.rows"):
                line = Series("local", "bench", f"job-{number}", "us-central1", metric)
                for minute in range(0, 50, 5):
                    recorder.add(now - timedelta(minutes=minute), line, 1.0)
            if number % JOBS_AT_ONCE == 0:
                await recorder.flush(now)
        loop = AlertsLoop(gate, rows, store, ZoneInfo, recorder)
        return 100 * await _looks(loop, now) / EVERY.total_seconds()
    finally:
        await series.close()
        await rows.close()


async def _looks(loop: AlertsLoop, now: datetime) -> float:
    """The seconds of CPU that a look takes, after the first one."""
    await loop.tick(now)
    seconds = []
    for look in range(1, LOOKS + 1):
        began = process_time()
        await loop.tick(now + look * EVERY)
        seconds.append(process_time() - began)
    return statistics.median(seconds)


def _spec(number: int) -> JobSpec:
    task = {"containers": [{"image": "busybox", "command": ["true"]}]}
    return JobSpec.from_document(
        {
            "project": "bench",
            "name": f"job-{number}",
            "alerts": list(RULES),
            "template": {"template": task},
        }
    )


def _run(identity: RunId, number: int, now: datetime, place: int) -> Run:
    at = now - timedelta(hours=3 * place + 1)
    return Run(
        id=identity,
        project="bench",
        environment="local",
        job=f"job-{number}",
        revision=1,
        region="us-central1",
        state=State.DEAD if place % 10 == 9 else State.SUCCEEDED,
        trigger=TriggerKind.MANUAL,
        requested_by="bench",
        requested_at=at,
        rank_at=at,
        policy=RunPolicy(),
        task_count=1,
        started_at=at,
        ended_at=at + timedelta(minutes=1),
        attempt=1,
        version=1,
    )
