"""The provider over Google's library keeps the promises of the port, with real processes: against
the Google face of the cloud on this machine, which keeps Google's contract and not ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from runyard.localcloud.cloudrun.names import log_name
from runyard.localcloud.logging.reader import read_page
from runyard.model.deployed import Place
from runyard.model.ids import AttemptKey
from runyard.provider.gcp import names
from runyard.provider.gcp.adapter import GcpProvider, Surroundings
from runyard.provider.gcp.finding import Finding
from runyard.provider.gcp.opening import connect
from runyard.provider.gcp.translate import is_ended
from runyard.provider.gcp.viewer import GcpViewer
from runyard.provider.gcp.watching import Pace
from runyard.provider.local.access import LocalAccess
from runyard.provider.local.secrets import LocalSecrets
from runyard.provider.local.translate import log_page
from runyard.provider.port import LaunchOrder, LogPage, Report
from runyard.provider.port_jobs import DeployOrder
from runyard.provider.port_places import Whereabouts
from tests.contract.provider import ProviderContract
from tests.contract.rig import Ability, Rig, script_template
from tests.support.cloud import real_clock
from tests.support.google_face import google_face

PROJECT = "shop"  #: the project of the cloud here whose secrets and accounts the rig means
CANNOT = {
    Ability.STOPS: "Google has no place for it: the run's row remembers",
    Ability.LAST_LINES: "they are kept by Cloud Logging, which is not read",
    Ability.GRANTS: "who may read what at Google is decided by others",
}
PACE = Pace(0.05, 1.0, 0.05)


class TestGcpProvider(ProviderContract):
    """Google's library and its API."""

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


class Eyes(GcpViewer):
    """Reads logs where the cloud here keeps them, in the place of Cloud Logging."""

    logs: Path

    async def log(
        self, key: AttemptKey, after: int = 0, limit: int = 1000, task: int | None = None
    ) -> LogPage:
        """See `Viewer.log`."""
        found = await self.execution(key)
        if found is None:
            return LogPage((), after, ended=True)
        path = self.logs / log_name(names.short(found.name))
        page = await asyncio.to_thread(read_page, path, after, limit, task)
        return log_page(page, final=is_ended(found))


@asynccontextmanager
async def _open(folder: Path) -> AsyncIterator[Rig]:
    news, runs = asyncio.Event(), Runs()
    async with google_face(folder) as face:
        api = connect(face.endpoint)
        around = Surroundings(runs.trace, _project, real_clock)

        async def come_up() -> GcpProvider:
            provider = Noting(api, around, news.set, PACE)
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
        viewer = Eyes(api, Finding(api, runs.handled, _project))
        viewer.logs = folder / "logs"
        neighbours = face.world.neighbours
        rig = Rig(
            provider, viewer, LocalSecrets(neighbours), "us-central1", restart, news,
            LocalAccess(neighbours), CANNOT,
        )  # fmt: skip
        try:
            yield rig
        finally:
            await rig.provider.close()
            await api.close()
