"""Google Cloud, put together when an environment is bound to it. Beside `cloud_wiring` and
`wiring`, the place that names adapters.

Google's libraries are an extra of the installation. They are imported once a run, an apply or a
look needs them, in the process that needs them, and by nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from runyard.cloud_wiring import Sights, clock
from runyard.config import Config
from runyard.database.port import Database, Tx
from runyard.model.environment import LOCAL, Environment, ProviderName
from runyard.model.errors import ConfigError, ProviderRefused
from runyard.model.ids import AttemptKey, RunId, split_attempt_key
from runyard.provider.port import Provider, Viewer
from runyard.provider.port_jobs import Deployer
from runyard.provider.port_places import Whereabouts
from runyard.provider.routing.hands import Places, RoutedDeployer, RoutedProvider
from runyard.provider.routing.viewer import RoutedViewer
from runyard.store.memory import Store

FRESH_SECONDS = 1.0  #: how long what environments are bound to is taken for how it is
PAUSE_SECONDS = 30.0  #: how long after a vain look for libraries or credentials the next is
_EXTRA = "the library google-cloud-run is not installed"
Load = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Hands:
    """What a process has of all providers together."""

    viewer: Viewer
    deployer: Deployer
    far: Google
    places: Places

    async def reach(self, provider: ProviderName) -> None:
        """Raises ConfigError when this process does not reach a provider."""
        if provider is ProviderName.GCP:
            await self.far.provider()

    def routed(self, here: Provider) -> Provider:
        """The hands of all providers, over those that are here."""
        return RoutedProvider(here, self.far, self.places)


@asynccontextmanager
async def open_hands(
    config: Config,
    database: Database,
    store: Store,
    sights: Sights,
    wake: Callable[[], None] = lambda: None,
    load: Load = import_module,
) -> AsyncIterator[Hands]:
    """Hands and eyes everywhere; `wake` is called when an attempt at Google changed."""
    rows = KeptPlaces(database, store)
    far = Google(_site(config), rows, wake, load)
    places = Places(rows, rows.trace)
    try:
        yield Hands(
            RoutedViewer(sights.viewer, far.viewer, places),
            RoutedDeployer(sights.deployer, far.jobs, places),
            far,
            places,
        )
    finally:
        await far.close()


@dataclass(frozen=True, slots=True)
class Site:
    """Where Google is asked (empty: at Google), and how late lines of logs may come there."""

    run_endpoint: str = ""
    logging_endpoint: str = ""
    log_late_seconds: float = 10.0


class Google:
    """`provider.routing.hands.Far`: Google Cloud Run, opened by who needs it first."""

    def __init__(
        self, site: Site, rows: KeptPlaces, wake: Callable[[], None], load: Load = import_module
    ) -> None:
        self._site = site
        self._rows = rows
        self._wake = wake
        self._load = load
        self._lock = asyncio.Lock()
        self._opened: Any = None
        self._failed: tuple[float, ConfigError] | None = None

    @property
    def opened(self) -> Provider | None:
        """See `Far.opened`."""
        found: Provider | None = None if self._opened is None else self._opened.provider
        return found

    async def provider(self) -> Provider:
        """See `Far.provider`."""
        found: Provider = (await self._open()).provider
        return found

    async def viewer(self) -> Viewer:
        """The eyes at Google. Raises ConfigError as `provider`."""
        found: Viewer = (await self._open()).viewer
        return found

    async def jobs(self) -> Deployer:
        """The hands that deploy jobs there. Raises ConfigError as `provider`."""
        return (await self.provider()).jobs

    def refused_logs(self) -> dict[str, str]:
        """The Google projects whose logs this process may not read, and what to do about it."""
        found: dict[str, str] = {} if self._opened is None else self._opened.reads.refused()
        return found

    async def close(self) -> None:
        """Let go."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.provider.close()
            await opened.apis.close()

    async def _open(self) -> Any:
        async with self._lock:
            if self._opened is None:
                now = asyncio.get_running_loop().time()
                if self._failed is not None and now - self._failed[0] < PAUSE_SECONDS:
                    raise self._failed[1]
                try:
                    self._opened = await self._made()
                except ConfigError as error:
                    self._failed = (now, error)
                    raise
            return self._opened

    async def _made(self) -> Any:
        try:
            opening = await asyncio.to_thread(self._load, "runyard.provider.gcp.opening")
        except ImportError as error:
            raise ConfigError(_EXTRA, hint="install it: pipx install 'runyard[google]'") from error
        site = self._site
        apis = await asyncio.to_thread(opening.connect, site.run_endpoint, site.logging_endpoint)
        around = opening.Surroundings(self._rows.trace, self._rows.google_project, clock)
        paces = opening.Paces(logs=opening.LogPace(late=site.log_late_seconds))
        opened = opening.assemble(apis, around, self._wake, paces)
        await opened.provider.start()
        return opened


class KeptPlaces:
    """What runs and environments say of where attempts are."""

    def __init__(self, database: Database, store: Store) -> None:
        self._database = database
        self._store = store
        self._bound: dict[tuple[str, str], Environment] = {}
        self._read_at: float | None = None
        self._is_any_far: bool | None = None

    async def of(self, project: str, environment: str) -> Environment:
        """See `Bindings.of`."""
        if environment == LOCAL:
            return Environment()
        return (await self._every()).get((project, environment)) or Environment()

    async def is_any_far(self) -> bool:
        """See `Bindings.is_any_far`. What was bound otherwise since may have attempts out still."""
        if self._is_any_far is None:
            rows = await self._database.read(self._store.environments.revisions)
            self._is_any_far = _has_far(row.environment for row in rows)
        if not self._is_any_far:
            self._is_any_far = _has_far((await self._every()).values())
        return self._is_any_far

    async def google_project(self, project: str, environment: str) -> str:
        """The Google project of an environment. Raises ProviderRefused where it has none."""
        found = (await self.of(project, environment)).google_project
        if not found:
            raise ProviderRefused(
                f"the environment {environment} of project {project} is bound to no Google project",
                name=ProviderName.GCP,
                hint="say googleProject in the manifest, then `runyard environments apply`",
            )
        return found

    async def _every(self) -> Mapping[tuple[str, str], Environment]:
        now = asyncio.get_running_loop().time()
        if self._read_at is None or now - self._read_at >= FRESH_SECONDS:
            rows = await self._database.read(self._store.environments.every)
            self._bound = {(row.project, row.name): row.environment for row in rows}
            self._read_at = now
        return self._bound

    async def trace(self, keys: Sequence[AttemptKey]) -> Mapping[AttemptKey, Whereabouts]:
        """See `port_places.Trace`. A run keeps the handle of its last attempt; those before are in
        its history."""

        async def work(tx: Tx) -> dict[AttemptKey, Whereabouts]:
            numbers = {key: split_attempt_key(key) for key in keys}
            runs = await self._store.runs.get(tx, {run for run, _ in numbers.values()})
            by_id = {run.id: run for run in runs}
            found: dict[AttemptKey, Whereabouts] = {}
            for key, (run_id, number) in numbers.items():
                run = by_id.get(run_id)
                if run is None:
                    continue
                is_last = run.attempt == number
                handle = run.handle if is_last else await self._earlier(tx, run_id, number)
                found[key] = Whereabouts(run.project, run.environment, run.region, run.job, handle)
            return found

        return await self._database.read(work)

    async def _earlier(self, tx: Tx, run: RunId, number: int) -> str:
        for happened in await self._store.runs.history(tx, run):
            if happened.kind == "launched" and happened.data.get("attempt") == number:
                return str(happened.data.get("handle", ""))
        return ""


def _site(config: Config) -> Site:
    return Site(
        config.google_run_endpoint, config.google_logging_endpoint, config.google_log_late_seconds
    )


def _has_far(environments: Iterable[Environment]) -> bool:
    return any(one.provider is not ProviderName.LOCAL for one in environments)
