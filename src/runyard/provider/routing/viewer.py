"""The eyes of several providers as those of one; see `provider.routing.hands`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from runyard.model.errors import ConfigError, ProviderError
from runyard.model.ids import AttemptKey
from runyard.provider.merging import merged
from runyard.provider.port import (
    LogFindings,
    LogPage,
    LogPlace,
    LogSifted,
    LogWanted,
    Progress,
    TaskView,
    Viewer,
)
from runyard.provider.routing.hands import Places, reached


class RoutedViewer:
    """`provider.port.Viewer` over one that is here and one that is far."""

    def __init__(self, here: Viewer, far: Callable[[], Awaitable[Viewer]], places: Places) -> None:
        self._here = here
        self._far = far
        self._places = places

    async def progress(self, key: AttemptKey) -> Progress:
        """See `Viewer.progress`."""
        return await (await self._of(key)).progress(key)

    async def tasks(self, key: AttemptKey, first: int = 0, limit: int = 100) -> list[TaskView]:
        """See `Viewer.tasks`."""
        return await (await self._of(key)).tasks(key, first, limit)

    async def log(
        self, key: AttemptKey, after: int = 0, limit: int = 1000, task: int | None = None
    ) -> LogPage:
        """See `Viewer.log`."""
        return await (await self._of(key)).log(key, after, limit, task)

    async def sift(self, places: Sequence[LogPlace]) -> list[LogSifted]:
        """See `Viewer.sift`. Of what nobody here can reach, for want of libraries or credentials,
        nothing is read."""
        far = await self._places.far([place.key for place in places])
        here = iter(await self._here.sift([place for place in places if place.key not in far]))
        there = iter(await self._sift_far([place for place in places if place.key in far]))
        return [next(there if place.key in far else here) for place in places]

    async def _sift_far(self, places: Sequence[LogPlace]) -> list[LogSifted]:
        if not places:
            return []
        try:
            viewer = await self._far()
        except ConfigError:
            return [LogSifted((), place.after, complete=True, ended=True) for place in places]
        return await viewer.sift(places)

    async def search(
        self, keys: Sequence[AttemptKey], wanted: LogWanted, limit: int
    ) -> LogFindings:
        """See `Viewer.search`. Where logs that are far cannot be searched, those here are."""
        far = await self._places.far(keys)
        here = self._here.search([key for key in keys if key not in far], wanted, limit)
        if not far:
            return await here
        there = self._search_far([key for key in keys if key in far], wanted, limit)
        return merged(await asyncio.gather(here, there), limit)

    async def _search_far(
        self, keys: Sequence[AttemptKey], wanted: LogWanted, limit: int
    ) -> LogFindings:
        try:
            return await (await reached(self._far)).search(keys, wanted, limit)
        except ProviderError as error:
            why = f"{len(keys)} attempts: {error.advice}"
            return LogFindings(complete=False, unsearched=(why,))

    async def _of(self, key: AttemptKey) -> Viewer:
        if key in await self._places.far([key]):
            return await reached(self._far)
        return self._here
