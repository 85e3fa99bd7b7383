"""What people look at, as tests wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from runyard.model.errors import PlatformError
from runyard.model.ids import AttemptKey
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


class FakeViewer:
    """Shows what tests wrote, all of it `at` one instant. A log says that it has ended when the
    test said so. Searches raise what is in `fails`, and say what is in `unsearched`."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.entries: dict[str, list[LogEntry]] = {}
        self.ended: set[str] = set()
        self.counts: dict[str, Progress] = {}
        self.views: dict[str, list[TaskView]] = {}
        self.looks = 0
        self.wanted: LogWanted | None = None
        self.unsearched: tuple[str, ...] = ()
        self.fails: PlatformError | None = None

    def write(self, key: str, *texts: str, task: int = 0) -> None:
        """Add lines to a log."""
        lines = self.entries.setdefault(key, [])
        for text in texts:
            position = 10 * (len(lines) + 1)
            lines.append(LogEntry(position, self.at, task, 0, "stdout", "DEFAULT", text))

    async def progress(self, key: AttemptKey) -> Progress:
        return self.counts.get(key, Progress())

    async def tasks(self, key: AttemptKey, first: int = 0, limit: int = 100) -> list[TaskView]:
        return [one for one in self.views.get(key, []) if one.index >= first][:limit]

    async def log(
        self, key: AttemptKey, after: int = 0, limit: int = 1000, task: int | None = None
    ) -> LogPage:
        self.looks += 1
        found = [one for one in self.entries.get(key, []) if one.position > after]
        page = [one for one in found if task in (None, one.task)][:limit]
        last = page[-1].position if page else (found[-1].position if found else after)
        more = any(one.position > last for one in found)
        return LogPage(tuple(page), last, ended=key in self.ended and not more)

    async def sift(self, places: Sequence[LogPlace]) -> list[LogSifted]:
        """All there is, wanted by all that may want a plain line."""
        found = []
        for place in places:
            entries = [one for one in self.entries.get(place.key, []) if one.position > place.after]
            each = tuple((one, tuple(range(len(place.wanted)))) for one in entries)
            after = entries[-1].position if entries else place.after
            found.append(LogSifted(each, after, complete=True, ended=place.key in self.ended))
        return found

    async def search(
        self, keys: Sequence[AttemptKey], wanted: LogWanted, limit: int
    ) -> LogFindings:
        self.wanted = wanted
        if self.fails is not None:
            raise self.fails
        found = [(key, one) for key in reversed(keys) for one in self.entries.get(key, [])]
        complete = len(found) <= limit and not self.unsearched
        return LogFindings(tuple(found[-limit:]), 10, complete, self.unsearched)
