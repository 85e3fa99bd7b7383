"""What people may look at of attempts at Google: tasks and counts by the API of Cloud Run.

Logs are kept by Cloud Logging, and read there: an attempt's log here is one line that says where.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from google.cloud import run_v2

from runyard.model.ids import AttemptKey
from runyard.provider.gcp import translate
from runyard.provider.gcp.finding import Finding
from runyard.provider.gcp.wire import PAGE, RunApi
from runyard.provider.port import (
    LogEntry,
    LogFindings,
    LogPage,
    LogPlace,
    LogSifted,
    LogWanted,
    Progress,
    TaskView,
)

_WHERE = "the log of this attempt is kept by Cloud Logging"


class GcpViewer:
    """`provider.port.Viewer` over `api`; `finding` knows where attempts are."""

    def __init__(self, api: RunApi, finding: Finding) -> None:
        self._api = api
        self._finding = finding

    async def progress(self, key: AttemptKey) -> Progress:
        """See `Viewer.progress`."""
        found = await self._execution(key)
        return Progress() if found is None else translate.progress(found)

    async def tasks(self, key: AttemptKey, first: int = 0, limit: int = 100) -> list[TaskView]:
        """See `Viewer.tasks`. Google has no way to begin at an index: all before it are read."""
        found = await self._execution(key)
        if found is None:
            return []
        begin = max(0, first)
        tasks = await self._api.tasks(found.name, -(-(begin + limit) // PAGE))
        wanted = [task for task in tasks if begin <= task.index < begin + limit]
        return [translate.task_view(task) for task in wanted]

    async def log(
        self, key: AttemptKey, after: int = 0, limit: int = 1000, task: int | None = None
    ) -> LogPage:
        """See `Viewer.log`: one line, of no task, that says where the log is."""
        found = await self._execution(key) if after < 1 and task is None else None
        if found is None:
            return LogPage((), after, ended=True)
        at = found.create_time
        entry = LogEntry(
            position=1,
            at=datetime.combine(at.date(), at.timetz()) if at else datetime.fromtimestamp(0, UTC),
            task=0,
            attempt=0,
            stream="system",
            severity="NOTICE",
            text=f"{_WHERE}: {found.log_uri}" if found.log_uri else _WHERE,
        )
        return LogPage((entry,), 1, ended=True)

    async def sift(self, places: Sequence[LogPlace]) -> list[LogSifted]:
        """See `Viewer.sift`: nothing is read of logs that are kept elsewhere."""
        return [LogSifted((), place.after, complete=True, ended=True) for place in places]

    async def search(
        self, keys: Sequence[AttemptKey], wanted: LogWanted, limit: int
    ) -> LogFindings:
        """See `Viewer.search`: nothing is found in logs that are kept elsewhere."""
        return LogFindings()

    async def _execution(self, key: AttemptKey) -> run_v2.Execution | None:
        spot = (await self._finding.spots([key])).get(key)
        return None if spot is None else await self._api.get_execution(spot.handle)
