"""How late a DBOS workflow is that is scheduled each second.

`python dbos_schedules.py URL INSTANTS` in the peers' environment; prints JSON.
"""

from __future__ import annotations

import json
import sys
import threading
from datetime import UTC, datetime
from importlib.metadata import version

from dbos import DBOS

url, count = sys.argv[1], int(sys.argv[2])
LATE: list[float] = []
DONE = threading.Event()
DBOS(config={"name": "bench", "system_database_url": url, "run_admin_server": False,
             "log_level": "ERROR"})  # fmt: skip


@DBOS.workflow()
def tick(scheduled: datetime, context: object) -> None:
    """Say how late it is."""
    now = datetime.now(UTC)  # noqa: TID251 - a peer's script
    LATE.append((now - scheduled).total_seconds() * 1000)
    if len(LATE) >= count:
        DONE.set()


DBOS.launch()
DBOS.create_schedule(schedule_name="tick", workflow_fn=tick, schedule="* * * * * *")
DONE.wait()
print(
    json.dumps(
        {
            "version": version("dbos"),
            "how": "a schedule of six cron fields",
            "lateness_ms": LATE[:count],
        }
    )
)
DBOS.destroy()
