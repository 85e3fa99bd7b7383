"""Several providers behind the one port: the cloud on this machine, and one that is far away.

Where an attempt is launched, its environment says; afterwards its handle does, so that an
environment may be bound otherwise while attempts are out. As long as no environment was ever bound
far away, nobody is asked anything: everything is here.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from runyard.model.deployed import DeployedJob, Place
from runyard.model.environment import LOCAL, Environment, ProviderName
from runyard.model.errors import ConfigError, ProviderError, ProviderUnavailable
from runyard.model.ids import AttemptKey
from runyard.model.operation import StepKind
from runyard.provider.port import LaunchOrder, Phase, Provider, Released, Report
from runyard.provider.port_access import Access, Identity, Names, Settled
from runyard.provider.port_jobs import Deployer, DeployOrder
from runyard.provider.port_places import Trace
from runyard.provider.remembering import remember

T = TypeVar("T")
LOGGER = logging.getLogger("runyard.provider")

SEEN_MAX = 50_000  #: attempts whose place this process remembers
FAR_HANDLES = "projects/"  #: how Google's names begin, and none of this machine's


class Bindings(Protocol):
    """What environments are bound to, as it is in force."""

    async def of(self, project: str, environment: str) -> Environment:
        """The environment; one of this machine where none is in force."""

    async def is_any_far(self) -> bool:
        """True when an environment is bound to another provider than this machine, or once was."""


class Far(Protocol):
    """A provider that is reached once somebody needs it."""

    async def provider(self) -> Provider:
        """The provider, started. Raises ConfigError while this process cannot reach it."""

    @property
    def opened(self) -> Provider | None:
        """The provider, if somebody has needed it."""


async def reached(far: Callable[[], Awaitable[T]]) -> T:
    """What is far away. Raises ProviderUnavailable when it cannot be reached from here."""
    try:
        return await far()
    except ConfigError as error:
        words = f"this process does not reach {ProviderName.GCP}: {error.message}"
        raise ProviderUnavailable(words, name=ProviderName.GCP, hint=error.hint) from error


class Places:
    """Says which attempts are far away."""

    def __init__(self, bindings: Bindings, trace: Trace) -> None:
        self._bindings = bindings
        self._trace = trace
        self._seen: OrderedDict[AttemptKey, bool] = OrderedDict()

    async def is_far(self, project: str, environment: str) -> bool:
        """True when what is new of an environment goes far away."""
        if environment == LOCAL:
            return False
        binding = await self._bindings.of(project, environment)
        return binding.provider is not ProviderName.LOCAL

    def remember(self, key: AttemptKey, *, far: bool) -> None:
        """Where an attempt was launched."""
        remember(self._seen, key, far, SEEN_MAX)

    async def far(self, keys: Sequence[AttemptKey]) -> frozenset[AttemptKey]:
        """Those of the attempts that are far away."""
        unseen = [key for key in keys if key not in self._seen]
        if unseen and await self._bindings.is_any_far():
            for key, there in (await self._trace(unseen)).items():
                if there.handle:
                    self.remember(key, far=there.handle.startswith(FAR_HANDLES))
                elif await self.is_far(there.project, there.environment):
                    self.remember(key, far=True)
        return frozenset(key for key in keys if self._seen.get(key, False))


class RoutedProvider:
    """`provider.port.Provider` over one that is here and one that is far."""

    def __init__(self, here: Provider, far: Far, places: Places) -> None:
        self.name = here.name
        self._here = here
        self._far = far
        self._places = places
        self.jobs: Deployer = RoutedDeployer(here.jobs, lambda: _jobs_of(far), places)
        self.access: Access = RoutedAccess(here.access, lambda: _access_of(far), places)

    async def start(self) -> None:
        """See `Provider.start`. What is far is started when somebody needs it."""
        await self._here.start()

    async def close(self) -> None:
        """See `Provider.close`."""
        if self._far.opened is not None:
            await self._far.opened.close()
        await self._here.close()

    async def launch(self, order: LaunchOrder) -> Report:
        """See `Provider.launch`."""
        if not await self._places.is_far(order.project, order.environment):
            return await self._here.launch(order)
        provider = await reached(self._far.provider)
        self._places.remember(order.key, far=True)
        return await provider.launch(order)

    async def stop(self, key: AttemptKey) -> None:
        """See `Provider.stop`."""
        await (await self._holder(key)).stop(key)

    async def look(self, keys: Sequence[AttemptKey]) -> list[Report]:
        """See `Provider.look`."""
        far = await self._places.far(keys)
        if not far:
            return await self._here.look(keys)
        here, there = await asyncio.gather(
            self._here.look([key for key in keys if key not in far]),
            self._look_far([key for key in keys if key in far]),
        )
        found = {report.key: report for report in (*here, *there)}
        return [found[key] for key in keys]

    async def _look_far(self, keys: Sequence[AttemptKey]) -> list[Report]:
        """How those are that are far away; while nobody can say, what is here is looked at all the
        same."""
        try:
            return await (await reached(self._far.provider)).look(keys)
        except ProviderError as error:
            LOGGER.warning("%d attempts cannot be looked at: %s", len(keys), error.message)
            return [Report(key, Phase.UNSEEN) for key in keys]

    async def changed(self) -> list[Report]:
        """See `Provider.changed`."""
        news = await self._here.changed()
        if self._far.opened is not None:
            news += await self._far.opened.changed()
        return news

    async def release(self, key: AttemptKey) -> Released:
        """See `Provider.release`."""
        return await (await self._holder(key)).release(key)

    async def forget(self, key: AttemptKey) -> None:
        """See `Provider.forget`. Where nobody here can reach what is far, for want of libraries or
        credentials, it stays there: else nothing could be forgotten any more."""
        try:
            holder = await self._holder(key)
        except ProviderUnavailable as error:
            LOGGER.warning("%s is forgotten here alone: %s", key, error.message)
            return
        await holder.forget(key)

    async def log_bytes(self) -> int:
        """See `Provider.log_bytes`."""
        return await self._here.log_bytes()

    async def _holder(self, key: AttemptKey) -> Provider:
        if key in await self._places.far([key]):
            return await reached(self._far.provider)
        return self._here


async def _jobs_of(far: Far) -> Deployer:
    return (await far.provider()).jobs


async def _access_of(far: Far) -> Access:
    return (await far.provider()).access


class _Routed(Generic[T]):
    def __init__(self, here: T, far: Callable[[], Awaitable[T]], places: Places) -> None:
        self._here = here
        self._far = far
        self._places = places

    async def _of(self, project: str, environment: str) -> T:
        if await self._places.is_far(project, environment):
            return await reached(self._far)
        return self._here


class RoutedDeployer(_Routed[Deployer]):
    """`provider.port_jobs.Deployer` over one that is here and one that is far."""

    async def deploy(self, order: DeployOrder) -> DeployedJob:
        """See `Deployer.deploy`."""
        place = order.place
        return await (await self._of(place.project, place.environment)).deploy(order)

    async def deployed(self, places: Sequence[Place]) -> list[DeployedJob | None]:
        """See `Deployer.deployed`."""
        by_environment: dict[tuple[str, str], list[Place]] = defaultdict(list)
        for place in places:
            by_environment[place.project, place.environment].append(place)
        found: dict[Place, DeployedJob | None] = {}
        for (project, environment), wanted in by_environment.items():
            deployer = await self._of(project, environment)
            found |= zip(wanted, await deployer.deployed(wanted), strict=True)
        return [found[place] for place in places]

    async def remove(self, place: Place, fence: int) -> bool:
        """See `Deployer.remove`."""
        return await (await self._of(place.project, place.environment)).remove(place, fence)

    async def network(self, place: Place, template: Mapping[str, Any]) -> str:
        """See `Deployer.network`."""
        return await (await self._of(place.project, place.environment)).network(place, template)


class RoutedAccess(_Routed[Access]):
    """`provider.port_access.Access` over one that is here and one that is far."""

    async def do(self, kind: StepKind, identity: Identity) -> Settled:
        """See `Access.do`."""
        return await (await self._of(identity.project, identity.environment)).do(kind, identity)

    async def missing(self, identity: Identity) -> tuple[str, ...]:
        """See `Access.missing`."""
        return await (await self._of(identity.project, identity.environment)).missing(identity)

    async def undo(self, kind: StepKind, identity: Identity, undo: Names) -> str:
        """See `Access.undo`."""
        access = await self._of(identity.project, identity.environment)
        return await access.undo(kind, identity, undo)
