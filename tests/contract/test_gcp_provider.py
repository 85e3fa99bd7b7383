"""The provider over Google's library keeps the promises of the port, with real processes: against
the Google face of the cloud on this machine, which keeps Google's contract and not ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from runyard.model.deployed import Place
from runyard.model.ids import AttemptKey
from runyard.provider.gcp.adapter import GcpProvider, Surroundings
from runyard.provider.gcp.evidence import Evidence
from runyard.provider.gcp.finding import Finding
from runyard.provider.gcp.log_reading import LogPace, LogReading
from runyard.provider.gcp.log_reads import LogReads
from runyard.provider.gcp.log_search import LogSearch
from runyard.provider.gcp.opening import connect
from runyard.provider.gcp.quota import Allowance
from runyard.provider.gcp.viewer import GcpViewer
from runyard.provider.gcp.watching import Pace
from runyard.provider.local.access import LocalAccess
from runyard.provider.local.secrets import LocalSecrets
from runyard.provider.port import LaunchOrder, Report
from runyard.provider.port_jobs import DeployOrder
from runyard.provider.port_places import Whereabouts
from tests.contract.provider import ProviderContract
from tests.contract.rig import Rig, script_template
from tests.support.cloud import real_clock
from tests.support.google_face import google_face

PROJECT = "shop"  #: the project of the cloud here whose secrets and accounts the rig means
PACE = Pace(0.05, 1.0, 0.05)
LOGS = LogPace(late=0, first=0, longest=0)  #: the face tells lines at once, in order


class TestGcpProvider(ProviderContract):
    """Google's library and its API."""

    #: Google has no place for it: the run's row remembers.
    test_stop_before_launch_is_remembered = None  # type: ignore[assignment]
    #: Who may read what at Google is decided by others.
    test_a_job_reads_a_secret_only_while_it_may = None  # type: ignore[assignment]

    def open_rig(self, folder: Path) -> AbstractAsyncContextManager[Rig]:
        return _open(folder)


@dataclass
class Runs:
    """What the runs of the attempts would say: where each was sent; the provider is told no handle
    of any, so that it has to find them."""

    known: dict[AttemptKey, Whereabouts] = field(default_factory=dict)
    handles: dict[AttemptKey, str] = field(default_factory=dict)

    async def trace(self, keys: Sequence[AttemptKey]) -> Mapping[AttemptKey, Whereabouts]:
        """See `port_places.Trace`."""
        return {key: self.known[key] for key in keys if key in self.known}

    async def handled(self, keys: Sequence[AttemptKey]) -> Mapping[AttemptKey, Whereabouts]:
        """As a database has it: with the handles."""
        found = await self.trace(keys)
        return {key: replace(one, handle=self.handles.get(key, "")) for key, one in found.items()}


async def _project(project: str, environment: str) -> str:
    return PROJECT


class Noting(GcpProvider):
    """Notes the run of each attempt, as a database would have it."""

    runs: Runs

    async def launch(self, order: LaunchOrder) -> Report:
        """See `Provider.launch`."""
        self.runs.known[order.key] = Whereabouts(
            order.project, order.environment, order.region, order.job
        )
        report = await super().launch(order)
        self.runs.handles[order.key] = report.handle
        return report


@asynccontextmanager
async def _open(folder: Path) -> AsyncIterator[Rig]:
    news, runs = asyncio.Event(), Runs()
    async with google_face(folder) as face:
        apis = connect(face.endpoint)
        reads = LogReads(apis.logs, Allowance(60_000, 1000))
        around = Surroundings(runs.trace, _project, real_clock)

        async def come_up() -> GcpProvider:
            evidence = Evidence(reads, real_clock, timedelta())
            provider = Noting(apis.run, around, news.set, PACE, evidence)
            provider.runs = runs
            await provider.start()
            return provider

        async def restart() -> None:
            await rig.provider.close()
            rig.provider = await come_up()

        provider = await come_up()
        for region in ("us-central1", "europe-west1"):
            place = Place("shop", "local", region, "contract")
            await provider.jobs.deploy(DeployOrder(place, script_template("exit 1"), 1))
        logs = LogReading(reads, real_clock, LOGS)
        finding = Finding(apis.run, runs.handled, _project)
        viewer = GcpViewer(apis.run, finding, logs, LogSearch(reads, finding))
        neighbours = face.world.neighbours
        rig = Rig(
            provider, viewer, LocalSecrets(neighbours), "us-central1", restart, news,
            LocalAccess(neighbours),
        )  # fmt: skip
        try:
            yield rig
        finally:
            await rig.provider.close()
            await apis.close()
