"""A stand-in for Cloud Logging: it keeps entries that come when a test says so, late, twice or out
of order, and lists those that a filter lets through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from runyard.localcloud.google.log_filter import parse
from runyard.model.errors import PlatformError
from runyard.provider.gcp import names
from runyard.provider.gcp.log_lines import ATTEMPT, EXECUTION, TASK, order_of, stamp
from runyard.provider.gcp.log_wire import EntriesAsked, EntriesPage
from tests.support.google_stand_in import START

NAME = "projects/shop-prod/locations/us-central1/jobs/report/executions/report-00001"


def an_entry(
    text: str, seconds: float = 0.0, *, task: int = 0, attempt: int = 0, **more: Any
) -> Mapping[str, Any]:
    """An entry of `NAME`'s, or of another `execution`'s, written so long after `START`."""
    name = names.execution(more.pop("execution", NAME))
    assert name is not None
    log = more.pop("log", "run.googleapis.com%2Fstdout")
    payload = {} if "jsonPayload" in more else {"textPayload": text}
    return {
        "insertId": more.pop("insert_id", text),
        "timestamp": more.pop("timestamp", stamp(START + timedelta(seconds=seconds))),
        "logName": f"projects/shop-prod/logs/{log}",
        "resource": {
            "type": "cloud_run_job",
            "labels": {"job_name": name.job, "location": name.location},
        },
        "labels": {EXECUTION: name.short, TASK: str(task), ATTEMPT: str(attempt)},
        **payload,
        **more,
    }  # fmt: skip


@dataclass
class Logs:
    """`provider.gcp.log_wire.LogApi`. What is in `fails` is raised by the next reads."""

    entries_there: list[Mapping[str, Any]] = field(default_factory=list)
    asked: list[EntriesAsked] = field(default_factory=list)
    fails: list[PlatformError] = field(default_factory=list)
    now: datetime = START

    def come(self, *entries: Mapping[str, Any]) -> None:
        """These are there from now on."""
        self.entries_there += entries

    async def entries(self, asked: EntriesAsked) -> EntriesPage:
        self.asked.append(asked)
        if self.fails:
            raise self.fails.pop(0)
        holds = parse(asked.filter).holds
        found = sorted(
            (one for one in self.entries_there if holds(one)),
            key=order_of,
            reverse=asked.newest_first,
        )
        first = int(asked.token or 0)
        more = first + asked.size
        return EntriesPage(tuple(found[first:more]), str(more) if more < len(found) else "")
