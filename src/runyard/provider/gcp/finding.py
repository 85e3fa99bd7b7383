"""Finds the executions of attempts: by the handle that a run keeps, else by the key among the
variables of executions. Nothing is kept here but what this process has seen."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from google.cloud import run_v2

from runyard.model.ids import AttemptKey
from runyard.provider.gcp import names
from runyard.provider.gcp.templates import key_of
from runyard.provider.gcp.wire import RunApi
from runyard.provider.port_places import Trace, Whereabouts
from runyard.provider.remembering import remember

SEEN_MAX = 10_000  #: attempts whose executions this process remembers
LISTED_PAGES_MAX = 10  #: the newest 1,000 executions are looked through for a key
ProjectOf = Callable[[str, str], Awaitable[str]]
"""The Google project of an environment (project, name). Raises ProviderRefused where there is
none."""


@dataclass(frozen=True, slots=True)
class Spot:
    """An attempt's execution, and the job that it was to be one of."""

    job: str
    handle: str


class Finding:
    """Knows where attempts are, or finds out."""

    def __init__(self, api: RunApi, trace: Trace, project_of: ProjectOf) -> None:
        self._api = api
        self._trace = trace
        self._project_of = project_of
        self._seen: OrderedDict[AttemptKey, Spot] = OrderedDict()

    def remember(self, key: AttemptKey, job: str, handle: str) -> None:
        """Where an attempt is, from whom launched it."""
        remember(self._seen, key, Spot(job, handle), SEEN_MAX)

    def seen(self, key: AttemptKey) -> Spot | None:
        """Where an attempt is, if this process has seen it."""
        return self._seen.get(key)

    def drop(self, key: AttemptKey) -> None:
        """Forget where an attempt is."""
        self._seen.pop(key, None)

    async def spots(
        self, keys: Iterable[AttemptKey], *, listed: bool = True
    ) -> dict[AttemptKey, Spot]:
        """Where attempts are; those that Google does not know are left out. Without `listed` also
        those whose handle no run has (yet): looking for them among executions takes Google long."""
        wanted = list(dict.fromkeys(keys))
        found = {key: self._seen[key] for key in wanted if key in self._seen}
        unseen = [key for key in wanted if key not in found]
        traced = await self._trace(unseen) if unseen else {}
        for key, there in traced.items():
            if names.execution(there.handle) is not None:
                found[key] = Spot(there.job, there.handle)
        if listed:
            lost = {key: there for key, there in traced.items() if not there.handle}
            found |= await self._listed(lost)
        return found

    async def executions(self, handles: Sequence[str]) -> dict[str, run_v2.Execution]:
        """Executions by their names; one list for those of a job, where there are several."""
        by_job: dict[str, list[str]] = defaultdict(list)
        for handle in dict.fromkeys(handles):
            parts = names.execution(handle)
            if parts is not None:
                by_job[parts.parent].append(handle)
        groups = [self._group(parent, wanted) for parent, wanted in by_job.items()]
        return {one.name: one for group in await asyncio.gather(*groups) for one in group}

    async def of_key(self, parents: Sequence[str], key: AttemptKey) -> list[run_v2.Execution]:
        """The executions of jobs that have the key among their variables, oldest first: more than
        one where Google was asked twice."""
        lists = await asyncio.gather(
            *(self._api.executions(parent, LISTED_PAGES_MAX) for parent in parents)
        )
        found = [one for each in lists for one in each if key_of(one) == key]
        return sorted(found, key=lambda one: (str(one.create_time), one.name))

    async def _group(self, parent: str, wanted: Sequence[str]) -> list[run_v2.Execution]:
        found: list[run_v2.Execution] = []
        missing = list(wanted)
        if len(wanted) > 1:
            listed = await self._api.executions(parent, 1)  # the newest, which most are of
            found = [one for one in listed if one.name in wanted]
            missing = sorted(set(wanted) - {one.name for one in found})
        got = await asyncio.gather(*(self._api.get_execution(name) for name in missing))
        return found + [one for one in got if one is not None]

    async def _listed(self, lost: Mapping[AttemptKey, Whereabouts]) -> dict[AttemptKey, Spot]:
        """Attempts whose handle nobody knows, looked for among all executions of their region."""
        places: dict[tuple[str, str, str], list[AttemptKey]] = defaultdict(list)
        for key, there in lost.items():
            places[there.project, there.environment, there.region].append(key)
        found: dict[AttemptKey, Spot] = {}
        for (project, environment, region), keys in places.items():
            google_project = await self._project_of(project, environment)
            everywhere = names.job(google_project, region, "-")
            for one in await self._api.executions(everywhere, LISTED_PAGES_MAX):
                key = AttemptKey(key_of(one))
                if key in keys:  # the oldest is the attempt, the newest are first
                    found[key] = Spot(lost[key].job, one.name)
        return found
