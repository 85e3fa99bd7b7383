"""What people may look at, read from the cloud's book and its log files. Works from any process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from runyard.localcloud.cloudrun.book import Book
from runyard.localcloud.cloudrun.names import log_name
from runyard.localcloud.cloudrun.resources import Execution, with_unbegun
from runyard.localcloud.logging.reader import read_page
from runyard.localcloud.logging.search import Search, search
from runyard.localcloud.logging.sifting import Sifted, sift
from runyard.localcloud.logging.wanted import Matcher
from runyard.model.errors import ProviderUnavailable, StoreError
from runyard.model.ids import AttemptKey
from runyard.provider.local import translate
from runyard.provider.port import (
    LogFindings,
    LogPage,
    LogPlace,
    LogSifted,
    LogWanted,
    Progress,
    TaskView,
)


class LocalViewer:
    """`provider.port.Viewer` over the cloud's book and the folder of its logs."""

    def __init__(self, book: Book, log_folder: Path) -> None:
        self._book = book
        self._log_folder = log_folder
        self._searching = asyncio.Semaphore(1)

    async def progress(self, key: AttemptKey) -> Progress:
        """See `Viewer.progress`."""
        found = await self._execution(key)
        return translate.progress(found) if found else Progress()

    async def tasks(self, key: AttemptKey, first: int = 0, limit: int = 100) -> list[TaskView]:
        """See `Viewer.tasks`."""
        found = await self._execution(key)
        if found is None:
            return []
        first = max(0, first)
        rows = await self._book.tasks(found.name, first, first + limit)
        return translate.task_views(with_unbegun(found, rows, first, limit))

    async def log(
        self, key: AttemptKey, after: int = 0, limit: int = 1000, task: int | None = None
    ) -> LogPage:
        """See `Viewer.log`. The log of an attempt that is not known is empty and ended."""
        found = await self._execution(key)
        if found is None:
            return LogPage((), after, ended=True)
        path = self._log_folder / log_name(found.name)
        page = await asyncio.to_thread(read_page, path, after, limit, task)
        return translate.log_page(page, final=found.is_final)

    async def sift(self, places: Sequence[LogPlace]) -> list[LogSifted]:
        """See `Viewer.sift`."""
        known = dict(await self._known([place.key for place in places]))
        finals = [place.key not in known or known[place.key].is_final for place in places]
        names = [known[place.key].name if place.key in known else "" for place in places]

        def work() -> list[Sifted]:
            return [self._sifted(*one) for one in zip(names, places, strict=True)]

        found = await asyncio.to_thread(work)
        return [
            LogSifted(
                tuple((translate.log_entry(entry), wanted) for entry, wanted in one.found),
                one.after,
                one.complete,
                ended=final and one.complete,
            )
            for one, final in zip(found, finals, strict=True)
        ]

    def _sifted(self, name: str, place: LogPlace) -> Sifted:
        if not name:
            return Sifted((), place.after, complete=True)
        matchers = [Matcher(translate.wanted(one)) for one in place.wanted]
        return sift(self._log_folder / log_name(name), place.after, matchers)

    async def search(
        self, keys: Sequence[AttemptKey], wanted: LogWanted, limit: int
    ) -> LogFindings:
        """See `Viewer.search`. One at a time: a search takes all cores there are."""
        known = await self._known(keys)
        paths = [self._log_folder / log_name(execution.name) for _, execution in known]
        async with self._searching:
            asked = Search(translate.wanted(wanted), limit)
            findings = await asyncio.to_thread(search, paths, asked)
        found = ((known[one.file][0], translate.log_entry(one.entry)) for one in findings.found)
        return LogFindings(tuple(found), findings.bytes_searched, findings.complete)

    async def _execution(self, key: AttemptKey) -> Execution | None:
        known = await self._known([key])
        return known[0][1] if known else None

    async def _known(self, keys: Sequence[AttemptKey]) -> list[tuple[AttemptKey, Execution]]:
        """The executions of those attempts that have one."""
        try:
            found = await self._book.asked(keys)
        except StoreError as error:
            raise ProviderUnavailable(
                f"the local cloud's database does not answer: {error.message}",
                name="local",
                key=keys[0] if len(keys) == 1 else "",
                hint=error.hint,
            ) from error
        pairs = zip(keys, found, strict=True)
        return [(key, one) for key, one in pairs if isinstance(one, Execution)]
