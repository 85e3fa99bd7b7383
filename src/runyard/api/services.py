"""What the API is made with. Everything it touches is handed in here; it has no globals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request

from runyard.api.hooks.hooks import Hooks
from runyard.api.sign_in import SignIn
from runyard.api.streams import Streams
from runyard.channel.port import Voices
from runyard.database.port import Database
from runyard.database.signals import Signals
from runyard.flow.dependants import Finder
from runyard.gate.door import REGION_RUNS_MAX, Gate
from runyard.model.environment import ProviderName
from runyard.model.errors import ConfigError
from runyard.model.ids import OperationId, RunId
from runyard.model.zones import ZoneBook
from runyard.provider.port import Viewer
from runyard.provider.port_jobs import Deployer
from runyard.provider.port_pubsub import Broker
from runyard.provider.port_secrets import SecretKeeper
from runyard.store.memory import Store
from runyard.telemetry.metrics import Metrics
from runyard.telemetry.recorder import Recorder


class LoopState(Protocol):
    """What the API needs to know of a loop; `engine.loop.LoopHealth` is one."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def ticks(self) -> int:
        """How often it looked."""

    @property
    def errors(self) -> int:
        """How often that failed."""

    @property
    def last_tick_at(self) -> datetime | None:
        """When it looked last."""

    @property
    def last_error(self) -> str:
        """What failed last, in words."""


@dataclass(frozen=True, slots=True)
class RegionState:
    """A region of the provider: what it has, and what runs in it."""

    name: str
    vcpu: float
    memory_bytes: int
    running_tasks: int


@dataclass(frozen=True, slots=True)
class ProcessState:
    """A process of ours on this database. `kind` is the command that it is; `working`: it has all
    it needs, which an engine that stands by has not; `alive`: it said so lately."""

    name: str
    kind: str
    place: str
    version: str
    working: bool
    alive: bool
    silent_seconds: float

    @property
    def is_engine_at_work(self) -> bool:
        """True when runs go on because of it."""
        return self.alive and self.working and self.kind != "server"


async def nobody() -> Sequence[ProcessState]:
    """No process is known."""
    return ()


async def nowhere(provider: ProviderName) -> None:
    """Raises ConfigError: nothing is reached but this machine."""
    raise ConfigError(
        f"it has no way to {provider}", hint="apply to an environment of this machine"
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """How often who follows a run looks; all in seconds.

    A log that grows is looked at every `look`, one that does not every `look_max`; task counts
    every `progress`; the row on a signal, and every `safety` should one be lost. `heartbeat` is
    the longest silence. `patience`: how long an ended attempt's log may leave open whether more
    will come, since a provider that was cut off may never say it.
    """

    look: float = 0.1
    look_max: float = 0.2
    progress: float = 0.5
    safety: float = 5.0
    heartbeat: float = 15.0
    patience: float = 30.0


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """`executor`: what runs tasks here, for warnings of what it does not keep (None: all is kept).
    `regions`: all that the environment has; the first is for jobs that name none (empty: any).
    `hosts`: names a request may be for (see `edge.host`); None lets every name in. `silence_max`:
    how long each loop may be without a tick before the server is not ready; a loop without an
    entry may be silent for ever. `region_runs_max`: runs out at once in a region.
    `approval_seconds`: how long an operation waits for people; `undelete_seconds`: how long a
    deleted job can be had back. `public_url`: how people reach the server from elsewhere.
    `letter_retention`: after how long an open dead letter leaves the queue (None: never)."""

    version: str
    state_folder: str
    environment: str
    started_at: datetime
    executor: str | None = None
    regions: tuple[str, ...] = ()
    request_bytes_max: int = 8 * 1024 * 1024
    hosts: frozenset[str] | None = None
    silence_max: Mapping[str, timedelta] = field(default_factory=dict)
    pace: Pace = Pace()
    region_runs_max: int = REGION_RUNS_MAX
    approval_seconds: float = 24 * 3600.0
    undelete_seconds: float = 7 * 24 * 3600.0
    public_url: str = ""
    letter_retention: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """All of it. `chance` gives so many bytes of it; `abilities` is what the provider can do on
    this machine, as plain JSON; `zones` are time zones by name. `dependants` find what would miss
    a job that is deleted. `reach` raises ConfigError for a provider that this
    process does not reach."""

    gate: Gate
    database: Database
    store: Store
    viewer: Viewer
    deployer: Deployer
    secrets: SecretKeeper
    voices: Voices
    broker: Broker
    hooks: Hooks
    signals: Signals
    clock: Callable[[], datetime]
    new_run_id: Callable[[], RunId]
    new_operation_id: Callable[[], OperationId]
    settings: ApiSettings
    sign_in: SignIn
    chance: Callable[[int], bytes]
    metrics: Metrics
    measures: Recorder
    streams: Streams
    loops: Callable[[], Sequence[LoopState]]
    regions: Callable[[], Awaitable[Sequence[RegionState]]]
    abilities: Callable[[], Mapping[str, Any]]
    zones: ZoneBook
    dependants: Sequence[Finder] = ()
    processes: Callable[[], Awaitable[Sequence[ProcessState]]] = nobody
    reach: Callable[[ProviderName], Awaitable[None]] = nowhere


def services_of(request: Request) -> Services:
    """The services of the app that a request came to."""
    services: Services = request.app.state.services
    return services


def principal_of(request: Request) -> str:
    """The name of who asks; `edge.bearer` found out."""
    return str(request.state.caller.name)


# As coroutines: FastAPI would call a plain function in a thread, which takes longer than it does.
async def _services(request: Request) -> Services:
    return services_of(request)


async def _principal(request: Request) -> str:
    return principal_of(request)


Use = Annotated[Services, Depends(_services)]  #: how a handler asks for them
Principal = Annotated[str, Depends(_principal)]
