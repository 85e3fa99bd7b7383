"""No-op workflows through DBOS: started directly by many at once, and awaited.

`python dbos_runs.py URL RUNS` in the peers' environment; prints JSON.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from time import perf_counter, process_time

from dbos import DBOS

url, runs = sys.argv[1], int(sys.argv[2])
CALLERS = 1 if url.startswith("sqlite") else 16  #: more wait for SQLite's one writer
DBOS(config={"name": "bench", "system_database_url": url, "run_admin_server": False,
             "log_level": "ERROR"})  # fmt: skip


@DBOS.workflow()
def nothing() -> int:
    """The work that is none."""
    return 1


def one(_: int) -> int:
    return int(DBOS.start_workflow(nothing).get_result())


DBOS.launch()
one(0)
began, worked = perf_counter(), process_time()
with ThreadPoolExecutor(CALLERS) as callers:
    done = sum(callers.map(one, range(runs)))
seconds, work = perf_counter() - began, process_time() - worked
assert done == runs, done
print(
    json.dumps(
        {
            "runs_per_second": runs / seconds,
            "cpu_ms_per_run": 1000 * work / runs,
            "version": version("dbos"),
            "how": f"start_workflow and get_result, no step, {CALLERS} callers",
        }
    )
)
DBOS.destroy()
