"""No-op jobs through procrastinate: deferred by many at once while a worker does them.

`python procrastinate_runs.py URL RUNS` in the peers' environment; prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from time import perf_counter, process_time

import procrastinate

CALLERS = 32
CONCURRENCY = 32
url, runs = sys.argv[1], int(sys.argv[2])
connector = procrastinate.PsycopgConnector(conninfo=url, min_size=8, max_size=16)
app = procrastinate.App(connector=connector)


@app.task(name="nothing", pass_context=False)
async def nothing() -> None:
    """The work that is none."""


async def ask(asked: Iterator[int]) -> None:
    for _ in asked:
        await nothing.defer_async()


async def finished() -> int:
    rows = await connector.execute_query_one_async(
        "SELECT count(*) AS done FROM procrastinate_jobs WHERE status = 'succeeded'"
    )
    return int(rows["done"])


async def main() -> None:
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        worker = asyncio.create_task(
            app.run_worker_async(
                concurrency=CONCURRENCY, install_signal_handlers=False, delete_jobs="never"
            )
        )
        await asyncio.sleep(0.5)
        began, worked = perf_counter(), process_time()
        asked = iter(range(runs))
        await asyncio.gather(*(ask(asked) for _ in range(CALLERS)))
        while await finished() < runs:  # noqa: ASYNC110 - a server tells
            await asyncio.sleep(0.01)
        seconds, work = perf_counter() - began, process_time() - worked
        print(
            json.dumps(
                {
                    "runs_per_second": runs / seconds,
                    "cpu_ms_per_run": 1000 * work / runs,
                    "version": version("procrastinate"),
                    "how": f"{CALLERS} callers, one worker with concurrency {CONCURRENCY}",
                }
            )
        )
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


asyncio.run(main())
