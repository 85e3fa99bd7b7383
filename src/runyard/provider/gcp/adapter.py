"""The provider port over Google Cloud Run. It keeps nothing but what this process has seen."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from google.cloud import run_v2

from runyard.model.errors import ProviderRefused
from runyard.model.ids import AttemptKey
from runyard.model.outcome import Ending, Outcome
from runyard.provider.gcp import translate
from runyard.provider.gcp.access import GcpAccess
from runyard.provider.gcp.deployer import GcpDeployer
from runyard.provider.gcp.errors import NAME
from runyard.provider.gcp.evidence import Evidence
from runyard.provider.gcp.finding import Finding, ProjectOf, Spot
from runyard.provider.gcp.launching import Launching
from runyard.provider.gcp.turns import Turns
from runyard.provider.gcp.watching import Pace, Watching
from runyard.provider.gcp.wire import PAGES_MAX, RunApi
from runyard.provider.port import LaunchOrder, Phase, Released, Report
from runyard.provider.port_access import Access
from runyard.provider.port_jobs import Deployer
from runyard.provider.port_places import Trace
from runyard.provider.remembering import remember

WITHDRAWN_MAX = 10_000  #: attempts that were stopped before they were launched


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a provider is told of the world: the whereabouts of attempts, the Google projects of
    environments, the time."""

    trace: Trace
    project_of: ProjectOf
    clock: Callable[[], datetime]


class GcpProvider:
    """`provider.port.Provider` over `api`. `evidence`: what failed tasks wrote (None: not read).

    A stop that comes before its launch is remembered by this process alone: Google has no place
    for it. Whoever launches later looks at the run first, and `rescue` stops what runs all the
    same.
    """

    name = NAME

    def __init__(
        self,
        api: RunApi,
        around: Surroundings,
        wake: Callable[[], None],
        pace: Pace | None = None,
        evidence: Evidence | None = None,
    ) -> None:
        self._api = api
        self._around = around
        self.finding = Finding(api, around.trace, around.project_of)
        self._launching = Launching(api, self.finding, around.clock)
        self._watching = Watching(self._see, wake, pace or Pace())
        self._turns = Turns()
        self._evidence = evidence
        self._ending: dict[AttemptKey, list[run_v2.Task]] = {}
        self._withdrawn: OrderedDict[AttemptKey, Report] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self.jobs: Deployer = GcpDeployer(api, around.project_of)
        self.access: Access = GcpAccess()

    async def start(self) -> None:
        """See `Provider.start`. What is out is watched once it was looked at."""
        if self._task is None:
            time = asyncio.get_running_loop().time
            self._task = asyncio.create_task(self._watching.run(time), name="watch-gcp")

    async def close(self) -> None:
        """See `Provider.close`."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self._evidence is not None:
            self._evidence.close()

    async def launch(self, order: LaunchOrder) -> Report:
        """See `Provider.launch`."""
        async with self._turns.of(order.key):
            if order.key in self._withdrawn:
                return self._withdrawn[order.key]
            known = await self._known(order.key)
            if known is None:
                project = await self._around.project_of(order.project, order.environment)
                known = await self._launching.launch(order, project)
                self.finding.remember(order.key, order.job, known.name)
            return await self._report(order.key, order.job, known)

    async def _known(self, key: AttemptKey) -> run_v2.Execution | None:
        """The execution that this process has launched already."""
        spot = self.finding.seen(key)
        return None if spot is None else await self._api.get_execution(spot.handle)

    async def stop(self, key: AttemptKey) -> None:
        """See `Provider.stop`. A launch that is under way comes first."""
        async with self._turns.of(key):
            spot = (await self.finding.spots([key])).get(key)
            if spot is not None:
                await self._api.cancel_execution(spot.handle)
            elif key not in self._withdrawn:
                self._withdraw(key)

    def _withdraw(self, key: AttemptKey) -> None:
        words = "Cancelled before it was launched."
        outcome = Outcome(
            Ending.CANCELLED, words, reason="CANCELLED", ended_at=self._around.clock()
        )
        remember(self._withdrawn, key, Report(key, Phase.ENDED, outcome=outcome), WITHDRAWN_MAX)

    async def look(self, keys: Sequence[AttemptKey]) -> list[Report]:
        """See `Provider.look`."""
        return await self._see(keys)

    async def _see(self, keys: Sequence[AttemptKey]) -> list[Report]:
        spots = await self.finding.spots(key for key in keys if key not in self._withdrawn)
        executions = await self.finding.executions([spot.handle for spot in spots.values()])
        unique = list(dict.fromkeys(keys))
        reports = await asyncio.gather(*(self._seen(key, spots, executions) for key in unique))
        found = dict(zip(unique, reports, strict=True))
        return [found[key] for key in keys]

    async def _seen(
        self,
        key: AttemptKey,
        spots: Mapping[AttemptKey, Spot],
        executions: Mapping[str, run_v2.Execution],
    ) -> Report:
        if key in self._withdrawn:
            return self._withdrawn[key]
        spot = spots.get(key)
        execution = executions.get(spot.handle) if spot is not None else None
        if spot is None or execution is None:
            return Report(key, Phase.UNKNOWN)
        return await self._report(key, spot.job, execution)

    async def _report(self, key: AttemptKey, job: str, execution: run_v2.Execution) -> Report:
        if not translate.is_ended(execution):
            report = translate.report(key, job, execution)
            self._watching.add(report, asyncio.get_running_loop().time())
            return report
        tasks = self._ending.get(key)
        if tasks is None:
            try:
                tasks = await self._api.tasks(execution.name, PAGES_MAX)
            except ProviderRefused:  # who may see executions may not see tasks: it has ended anyway
                return translate.report(key, job, execution)
        report = translate.report(key, job, execution, tasks)
        if report.outcome is None or self._evidence is None:
            return report
        outcome = await self._evidence.of(execution, report.outcome, tasks)
        if outcome is None:
            return self._later(replace(report, phase=Phase.RUNNING, outcome=None), tasks)
        self._ending.pop(key, None)
        return replace(report, outcome=outcome)

    def _later(self, report: Report, tasks: list[run_v2.Task]) -> Report:
        """The report of an attempt that has ended with these tasks, and whose lines are missing."""
        now = asyncio.get_running_loop().time()
        self._ending[report.key] = tasks
        self._watching.add(report, now)
        self._watching.soon(report.key, now)
        return report

    async def changed(self) -> list[Report]:
        """See `Provider.changed`."""
        return self._watching.take()

    async def release(self, key: AttemptKey) -> Released:
        """See `Provider.release`. An ended execution holds nothing; a clone that it ran in is kept
        for those that want the same, and for the record."""
        self._watching.drop(key)
        self._ending.pop(key, None)
        return Released()

    async def forget(self, key: AttemptKey) -> None:
        """See `Provider.forget`. Its log stays as long as Cloud Logging keeps it. The clone that it
        ran in goes with the last of its executions."""
        spot = (await self.finding.spots([key])).get(key)
        if spot is not None:
            await self._api.delete_execution(spot.handle)
            await self._launching.remove_idle(spot.handle, spot.job)
        self.finding.drop(key)
        self._withdrawn.pop(key, None)

    async def log_bytes(self) -> int:
        """See `Provider.log_bytes`: logs are kept by Cloud Logging."""
        return 0
