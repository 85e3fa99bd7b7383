"""No-op tasks through huey with fsync: submitted and done, results kept.

`python huey_runs.py DATABASE RUNS` in the peers' environment; prints JSON.
"""

from __future__ import annotations

import json
import sys
import threading
from importlib.metadata import version
from time import perf_counter, process_time

from huey import SqliteHuey

WORKERS = 4
database, runs = sys.argv[1], int(sys.argv[2])
huey = SqliteHuey("bench", filename=database, fsync=True, results=True)
counted, pause = threading.Semaphore(0), threading.Event()


@huey.task()
def nothing() -> int:
    """The work that is none."""
    counted.release()
    return 1


consumer = huey.create_consumer(
    workers=WORKERS, worker_type="thread", initial_delay=0.01, max_delay=0.01, periodic=False
)
consumer.start()
began, worked = perf_counter(), process_time()
for _ in range(runs):
    nothing()
for _ in range(runs):
    counted.acquire()
while huey.result_count() < runs:  # the last results are on their way
    pause.wait(0.001)
seconds, work = perf_counter() - began, process_time() - worked
print(
    json.dumps(
        {
            "runs_per_second": runs / seconds,
            "cpu_ms_per_run": 1000 * work / runs,
            "version": version("huey"),
            "how": f"SQLite, fsync, {WORKERS} worker threads, results kept, submitted by one",
        }
    )
)
consumer.stop(graceful=False)
