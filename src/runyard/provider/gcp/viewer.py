"""What people may look at of attempts at Google: tasks and counts by the API of Cloud Run, logs by
that of Cloud Logging.

Where logs may not be read, an attempt's log is one line that says why, and where the log is.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime

from google.cloud import run_v2

from runyard.model.errors import ProviderError, ProviderRefused
from runyard.model.ids import AttemptKey
from runyard.provider.gcp import names, translate
from runyard.provider.gcp.finding import Finding
from runyard.provider.gcp.log_lines import Question
from runyard.provider.gcp.log_reading import LogReading
from runyard.provider.gcp.log_search import LogSearch
from runyard.provider.gcp.log_sifting import LogSifting, later
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
from runyard.provider.remembering import remember

LOOK_SECONDS = 2.0  #: how long what was seen is taken for how it is: who follows a run looks often
SEEN_MAX = 1_000  #: attempts that are remembered for that
BEGIN = datetime.fromtimestamp(86_400, UTC)  #: of an execution that does not say when it was made


class GcpViewer:
    """`provider.port.Viewer` over `api`; `finding` knows where attempts are; `logs` and `search`
    read."""

    def __init__(self, api: RunApi, finding: Finding, logs: LogReading, search: LogSearch) -> None:
        self._api = api
        self._finding = finding
        self._logs = logs
        self._search = search
        self._sifting = LogSifting(logs)
        self._seen: OrderedDict[AttemptKey, tuple[float, run_v2.Execution]] = OrderedDict()

    async def progress(self, key: AttemptKey) -> Progress:
        """See `Viewer.progress`."""
        found = await self.execution(key)
        return Progress() if found is None else translate.progress(found)

    async def tasks(self, key: AttemptKey, first: int = 0, limit: int = 100) -> list[TaskView]:
        """See `Viewer.tasks`. Google has no way to begin at an index: all before it are read."""
        found = await self.execution(key)
        if found is None:
            return []
        begin = max(0, first)
        tasks = await self._api.tasks(found.name, -(-(begin + limit) // PAGE))
        wanted = [task for task in tasks if begin <= task.index < begin + limit]
        return [translate.task_view(task) for task in wanted]

    async def log(
        self, key: AttemptKey, after: int = 0, limit: int = 1000, task: int | None = None
    ) -> LogPage:
        """See `Viewer.log`. A position is one among the lines of `task`, or of all."""
        found = await self.execution(key)
        if found is None:
            return LogPage((), after, ended=True)
        asked = _question(found, task)
        ended_at = translate.ended_at(found) if translate.is_ended(found) else None
        try:
            return await self._logs.page(asked, ended_at, after, limit)
        except ProviderRefused as error:
            return _refused(found, asked, error, after)

    async def sift(self, places: Sequence[LogPlace]) -> list[LogSifted]:
        """See `Viewer.sift`. Nothing of an attempt that runs: its log is read once it has ended."""
        return [await self._sift(place) for place in places]

    async def _sift(self, place: LogPlace) -> LogSifted:
        over = self._sifting.ended(place.key)
        if over is None:
            try:
                found = await self.execution(place.key, seconds=0)
            except ProviderError:
                return later(place)
            if found is None or not translate.is_ended(found):
                return LogSifted((), place.after, complete=True, ended=True)
            at = translate.ended_at(found) or self._logs.clock()
            over = self._sifting.end(place.key, _question(found), at)
        return await self._sifting.sift(place, *over)

    async def search(
        self, keys: Sequence[AttemptKey], wanted: LogWanted, limit: int
    ) -> LogFindings:
        """See `Viewer.search`."""
        return await self._search.search(keys, wanted, limit)

    async def execution(
        self, key: AttemptKey, seconds: float = LOOK_SECONDS
    ) -> run_v2.Execution | None:
        """The execution that an attempt is, as it was so many seconds ago at most; None: there is
        none."""
        now = asyncio.get_running_loop().time()
        if (seen := self._seen.get(key)) and now - seen[0] < seconds:
            return seen[1]
        spot = (await self._finding.spots([key], listed=False)).get(key)
        found = None if spot is None else await self._api.get_execution(spot.handle)
        if found is None:
            return None
        remember(self._seen, key, (now, found), SEEN_MAX)
        return found


def _question(found: run_v2.Execution, task: int | None = None) -> Question:
    return Question(found.name, translate.instant(found.create_time) or BEGIN, task)


def _refused(
    found: run_v2.Execution, asked: Question, error: ProviderRefused, after: int
) -> LogPage:
    """One line, of no task: what is missing, and where the log is."""
    if after or asked.task is not None:
        return LogPage((), after, ended=True)
    words = f"its log is kept by Cloud Logging: {found.log_uri or _command(found.name)}"
    entry = LogEntry(
        position=1,
        at=asked.created_at,
        task=0,
        attempt=0,
        stream="system",
        severity="NOTICE",
        text=f"{words}; it cannot be read from here: {error.message}; {error.hint}",
    )
    return LogPage((entry,), 1, ended=True)


def _command(name: str) -> str:
    """What prints the log of an execution that does not say where it is."""
    wanted = f'labels."run.googleapis.com/execution_name"="{names.short(name)}"'
    return f"gcloud logging read '{wanted}' --project {name.split('/')[1]}"
