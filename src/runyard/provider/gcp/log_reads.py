"""Reads of Cloud Logging, paced: Google lets 60 a minute of a project be, all readers together.

(https://cloud.google.com/logging/quotas: "Number of entries.list requests".) So each process reads
less than that of each project, and what Google refused is not asked for again at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from runyard.model.errors import ProviderError, ProviderRefused, ProviderUnavailable
from runyard.provider.gcp.errors import NAME
from runyard.provider.gcp.log_wire import EntriesAsked, EntriesPage, LogApi
from runyard.provider.gcp.quota import Allowance, Quota

#: 55 in one minute at most; the rest is for people with a console or gcloud.
ALLOWANCE = Allowance(per_minute=45, at_once=10)
SPARE = 3  #: of what may be read at once: kept for evidence
AT_ONCE = 3  #: reads under way: of the threads that launches need too
PAUSE_SECONDS = 15.0  #: without any read, once Google says that the quota is used up
REFUSED_SECONDS = 60.0  #: how long a refusal is taken for how it is
DENIED = frozenset({"PERMISSION_DENIED", "NOT_FOUND", "UNIMPLEMENTED"})  #: whatever is asked for
BUSY = "RESOURCE_EXHAUSTED"  #: Google's word, and ours when it is not asked at all


class LogReads:
    """Reads for all who want some in this process. Made in the event loop."""

    def __init__(self, api: LogApi, allowance: Allowance = ALLOWANCE) -> None:
        self._api = api
        self._allowance = allowance
        self._quotas: dict[str, Quota] = {}
        self._refused: dict[str, tuple[float, ProviderRefused]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)
        self._time: Callable[[], float] = asyncio.get_running_loop().time

    async def read(self, asked: EntriesAsked, patience: float = 0.0, spare: int = 0) -> EntriesPage:
        """A page of entries, once it is this one's turn; at most `patience` seconds later.

        Raises ProviderError; ProviderUnavailable with the reason `BUSY` when there is no turn.
        """
        self._check(asked.google_project)
        await self._turn(asked.google_project, self._time() + patience, spare)
        async with self._places:
            try:
                return await self._api.entries(asked)
            except ProviderRefused as error:
                if error.reason in DENIED:
                    self._refused[asked.google_project] = (self._time(), error)
                raise
            except ProviderError as error:
                if error.reason == BUSY:
                    self._quota(asked.google_project).exhaust(self._time(), PAUSE_SECONDS)
                raise

    def refused(self) -> dict[str, str]:
        """The Google projects whose logs may not be read, as it was last said, and what to do."""
        return {project: error.advice for project, (_, error) in self._refused.items()}

    def _check(self, google_project: str) -> None:
        at, error = self._refused.get(google_project, (0.0, None))
        if error is None:
            return
        if self._time() - at < REFUSED_SECONDS:
            raise error
        del self._refused[google_project]

    async def _turn(self, google_project: str, until: float, spare: int) -> None:
        quota = self._quota(google_project)
        while pause := quota.take(self._time(), spare):
            if self._time() + pause > until:
                raise ProviderUnavailable(
                    f"the logs of {google_project} are read as often as Google allows already",
                    name=NAME,
                    operation="list log entries",
                    reason=BUSY,
                    hint="ask again later; Google allows 60 reads a minute of all readers together",
                )
            await asyncio.sleep(pause)

    def _quota(self, google_project: str) -> Quota:
        found = self._quotas.get(google_project)
        if found is None:
            found = self._quotas[google_project] = Quota(self._allowance, self._time())
        return found
