"""APScheduler's schedules: how late one a second is, or a herd of them at one instant.

`python apscheduler_schedules.py memory|sqlite:///FILE late INSTANTS` or `... herd SCHEDULES`, in
the peers' environment; prints JSON. An instant is done when its function runs, in APScheduler's own
pool of ten threads.
"""

from __future__ import annotations

import json
import math
import sys
import threading
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from apscheduler.schedulers.background import BackgroundScheduler

store, part, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
LATE: list[float] = []
DONE = threading.Event()
LAST: list[datetime] = []
LOCK = threading.Lock()


def clock() -> datetime:
    """Now."""
    return datetime.now(UTC)  # noqa: TID251 - a peer's script


def nothing() -> None:
    """The work: say that it began."""
    now = clock()
    with LOCK:
        LAST.append(now)
        LATE.append(now.microsecond / 1000)
        if len(LATE) >= count:
            DONE.set()


scheduler = BackgroundScheduler(
    timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": False, "max_instances": 100}
)
if store != "memory":
    scheduler.add_jobstore("sqlalchemy", url=store)
start = clock().replace(microsecond=0) + timedelta(seconds=2)
found: dict[str, object] = {"version": version("apscheduler"), "how": f"{store.partition(':')[0]}"}
if part == "late":
    scheduler.start()
    scheduler.add_job(nothing, "interval", seconds=1, start_date=start)
    DONE.wait()
    found["lateness_ms"] = LATE[:count]
else:
    scheduler.start(paused=True)
    start += timedelta(seconds=math.ceil(count / 400))
    for number in range(count):
        scheduler.add_job(nothing, "interval", hours=1, start_date=start, id=str(number))
    if clock() >= start:
        raise SystemExit("the herd was not in force in time: give it longer")
    scheduler.resume()
    DONE.wait()
    found["herd_s"] = (max(LAST) - start).total_seconds()
print(json.dumps(found))
scheduler.shutdown(wait=False)
