"""How long a page of runs takes when there are a million: the worst of eight questions.

`python -m benchmarks.list_page [--json PATH] [--runs N] [--pages N]`. The database is made anew in
a temporary folder; each question is asked many times, through the store that the API uses. The
p95 of each is reported in milliseconds, over every time it was asked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import quantiles
from time import perf_counter

from runyard.database.migrations import migrate
from runyard.database.port import Tx
from runyard.database.sqlite import SqliteDatabase
from runyard.model.ids import RunId, stamped
from runyard.model.instants import to_micros
from runyard.model.run import Run, RunPolicy, State, TriggerKind
from runyard.store.memory import MIGRATIONS, Store
from runyard.store.run_list import SORTS, After, RunQuestion, page

NAME = "the worst of eight pages of 100,000 runs"
UNIT = "a second"
START = datetime(2026, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=300)
RARE = ("shard", "one-in-ten-thousand")
PAGE = 51
STATES = [State.SUCCEEDED] * 90 + [State.DEAD] * 5 + [State.CANCELLED] * 4 + [State.SKIPPED]
REGIONS = ("us-central1", "europe-west1", "asia-southeast1")

QUESTIONS = {
    "newest": RunQuestion(),
    "by_state": RunQuestion(states=(State.DEAD,)),
    "by_job": RunQuestion(job="job-37"),
    "by_rare_label": RunQuestion(labels=(RARE,)),
    "by_time": RunQuestion(since=START + SPAN / 2, until=START + SPAN / 2 + timedelta(hours=6)),
    "two_filters": RunQuestion(job="job-37", states=(State.CANCELLED,)),
    "by_duration": RunQuestion(sort="duration"),
    "deep": RunQuestion(),  # asked from the middle of all rows on
}


def runs(count: int) -> Iterator[Run]:
    """Finished runs, evenly over the span, a little of everything."""
    random = Random(1)
    for number in range(count):
        at = START + SPAN * number / count
        ended = at + timedelta(seconds=random.expovariate(1 / 300))
        state = random.choice(STATES)
        yield Run(
            id=RunId(stamped("run", at, random.getrandbits(79))),
            project="bench",
            environment="local",
            job=f"job-{random.randrange(200)}",
            revision=1,
            region=random.choice(REGIONS),
            state=state,
            trigger=TriggerKind.MANUAL,
            requested_by="bench",
            requested_at=at,
            rank_at=at,
            policy=RunPolicy(),
            task_count=1,
            attempt=1,
            started_at=None if state is State.SKIPPED else at,
            ended_at=ended,
            version=4,
            cost_nano_dollars=random.randrange(10**9),
            labels=(RARE,) if number % 10_000 == 77 else (("team", f"t{number % 20}"),),
        )


async def fill(database: SqliteDatabase, store: Store, count: int) -> None:
    """Write the runs, ten thousand at a time."""
    await migrate(database, MIGRATIONS, START)
    batch: list[Run] = []

    async def insert(tx: Tx) -> None:
        await store.runs.insert(tx, batch)

    for run in runs(count):
        batch.append(run)
        if len(batch) == 10_000:
            await database.write(insert)
            batch.clear()
    if batch:
        await database.write(insert)

    async def analyze(tx: Tx) -> None:
        await tx.execute("ANALYZE")

    await database.write(analyze)


async def ask(database: SqliteDatabase, store: Store, name: str) -> float:
    """One page in milliseconds."""
    question = QUESTIONS[name]
    middle = to_micros(START + SPAN / 2)
    after = After(middle, RunId("run_0")) if name == "deep" else None

    async def work(tx: Tx) -> list[Run]:
        return await page(tx, store.runs, question, after, PAGE)

    began = perf_counter()
    found = await database.read(work)
    seconds = perf_counter() - began
    assert found, name
    place = SORTS[question.sort].place
    assert all(place(run) is not None for run in found)
    return seconds * 1000


async def measured(count: int, pages: int) -> dict[str, float]:
    """The p95 of each question, in milliseconds; the questions take turns."""
    times: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    with tempfile.TemporaryDirectory(prefix="runyard-bench-") as folder:
        database = SqliteDatabase(Path(folder) / "runyard.db", synchronous="OFF")
        store = Store.of("sqlite")
        try:
            await fill(database, store, count)
            for _ in range(pages):
                for name in QUESTIONS:
                    times[name].append(await ask(database, store, name))
        finally:
            await database.close()
    return {name: round(quantiles(each, n=20)[-1], 2) for name, each in times.items()}


def worst(count: int, pages: int) -> dict[str, float]:
    """The p95 of each question over `count` runs, and of the worst of them as `p95`."""
    found = asyncio.run(measured(count, pages))
    return {"p95": max(found.values())} | found


def measure() -> float:
    """Pages a second of the slowest question, over fewer runs."""
    return 1000 / worst(100_000, 20)["p95"]


def main() -> int:
    """Measure, print a table, write JSON if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.list_page")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--pages", type=int, default=100)
    asked = parser.parse_args()
    found = asyncio.run(measured(asked.runs, asked.pages))
    for name, milliseconds in found.items():
        print(f"{name:16} {milliseconds:9.2f} ms p95")
    worst = max(found.values())
    print(f"{'worst':16} {worst:9.2f} ms p95 over {asked.runs:,} runs")
    if asked.json:
        asked.json.write_text(json.dumps({"list_page_ms.p95": worst, "list_page_ms": found}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
