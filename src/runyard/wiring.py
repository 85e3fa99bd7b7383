"""The place that names adapters: it alone knows which database, provider and cloud are in use.

Order of coming up: the state folder (one server at a time), the databases, the cloud on this
machine, the engine, then the face. Going down is the same backwards, and stops no task.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from zoneinfo import ZoneInfo

import uvloop

from runyard import __version__
from runyard.api.app import make_app
from runyard.api.edge.host import known_hosts
from runyard.api.protocol import Bounds
from runyard.api.server import HttpServer
from runyard.api.services import ApiSettings, RegionState, Services
from runyard.api.sign_in import NoIssuers, SignIn
from runyard.api.streams import Streams
from runyard.api.tokens import Tokens, admin_token
from runyard.channel.log import LogChannel
from runyard.config import Config
from runyard.database.migrations import migrate
from runyard.database.port import Database
from runyard.database.postgresql import PostgresDatabase
from runyard.database.signals import Listener, Signals
from runyard.database.sqlite import SqliteDatabase
from runyard.engine.engine import Engine, EngineSettings
from runyard.engine.prune import Retention
from runyard.gate.door import Committed
from runyard.gate.people import FirstPrincipal
from runyard.localcloud import schema
from runyard.localcloud.cloudrun.book import Book
from runyard.localcloud.cloudrun.cloud import CloudRun
from runyard.localcloud.cloudrun.resources import Region, RegionUse
from runyard.localcloud.cloudrun.starting import TaskSettings
from runyard.localcloud.facts import fact, settled
from runyard.localcloud.neighbours import Neighbours
from runyard.localcloud.secrets.keys import KeyFiles, read_key
from runyard.localcloud.spawner.client import SpawnerClient
from runyard.model.errors import (
    ConfigError,
    ProviderUnavailable,
)
from runyard.model.executors import PROCESS, sentences
from runyard.model.ids import RANDOM_BITS, OperationId, RunId, stamped
from runyard.model.principal import ADMIN
from runyard.premises import announced, listening_socket, make_folder, state_folder
from runyard.provider.local.adapter import LocalProvider
from runyard.provider.local.adoption import FACT, adopt
from runyard.provider.local.secrets import LocalSecrets
from runyard.provider.local.viewer import LocalViewer
from runyard.store.home import Home
from runyard.store.memory import MIGRATIONS, Store
from runyard.telemetry.metrics import Metrics

LOGGER = logging.getLogger("runyard")

#: Open files that are not a client's connection: databases with their readers, logs that are being
#: read, the spawner. Measured: 27 at rest, 40 while eight clients read logs.
FILES_KEPT = 48
FILES_MIN = 64


def clock() -> datetime:
    """The time. Everybody below is handed this."""
    return datetime.now(UTC)


class Ids:
    """New ids of a kind, growing also within a millisecond (as ULID's monotonic ids do)."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._last = (0, 0)

    def __call__(self) -> str:
        """A new id."""
        now = clock()
        milliseconds = int(now.timestamp() * 1000)
        if milliseconds > self._last[0]:
            self._last = (milliseconds, secrets.randbits(RANDOM_BITS - 1))
        else:
            self._last = (milliseconds, self._last[1] + 1)
        chance = self._last[1]
        return stamped(self._kind, now, chance)


@dataclass(frozen=True, slots=True)
class Cloud:
    """The cloud on this machine, and what people may see of it."""

    run: CloudRun
    spawner: SpawnerClient
    provider: LocalProvider
    viewer: LocalViewer
    secrets: LocalSecrets
    id: str
    regions: Sequence[Region]


@dataclass(frozen=True, slots=True)
class House:
    """Everything but the face, up and running."""

    config: Config
    database: Database
    store: Store
    signals: Signals
    cloud: Cloud
    engine: Engine


@asynccontextmanager
async def open_cloud(
    config: Config, folder: Path, wake: Callable[[], None]
) -> AsyncIterator[Cloud]:
    """The cloud on this machine, in `folder`; `wake` is called when an execution changed."""
    await asyncio.to_thread(make_folder, folder)
    database = SqliteDatabase(folder / "cloud.db")
    try:
        await schema.migrate(database, clock())
        listener = Listener()
        spawner = SpawnerClient(
            folder / "spawner", task_user=config.task_user, clock=clock, wake=listener.wake
        )
        regions = tuple(
            Region(
                name, config.region_vcpu * 1000, config.region_memory_bytes, config.region_runs_max
            )
            for name in config.regions
        )
        book = Book(database)
        keys = await asyncio.to_thread(KeyFiles, folder / "secrets.key")
        neighbours = Neighbours.over(database, keys, clock, secrets.randbits)
        await neighbours.rotator.resume()
        await _adopt(database, neighbours, book)
        log_folder = folder / "logs"
        run = CloudRun(
            book=book,
            neighbours=neighbours,
            spawner=spawner,
            regions=regions,
            settings=TaskSettings(log_folder, log_bytes_max=config.log_bytes_max),
            clock=clock,
            chance=secrets.randbits,
            unenforced=sentences,
            listener=listener,
        )
        viewer = LocalViewer(book, log_folder)
        keeper = LocalSecrets(neighbours)
        home = await _cloud_id(database, folder)
        yield Cloud(run, spawner, LocalProvider(run, wake), viewer, keeper, home, regions)
        await spawner.close(stop=await _is_idle(spawner))
    finally:
        await database.close()


async def _is_idle(spawner: SpawnerClient) -> bool:
    """True when nothing of a task is left to wait for: then the spawner need not outlive us."""
    try:
        return not (await spawner.running() or await spawner.ends())
    except ProviderUnavailable:
        return False


@asynccontextmanager
async def open_house(
    config: Config, observe: Callable[[Committed], None] = lambda _: None
) -> AsyncIterator[House]:
    """Database, cloud and engine, up and running for as long as the block lasts."""
    database = await _open_database(config)
    try:
        await migrate(database, MIGRATIONS, clock())
        store, signals = Store.of(database.dialect), Signals()
        wakes: list[Callable[[], None]] = []
        cloud_folder = config.state_folder / "cloud"
        async with open_cloud(config, cloud_folder, lambda: _all(wakes)) as cloud:
            if config.database_url:
                await _move_in(
                    database, store, Home(cloud.id, f"{socket.gethostname()}:{cloud_folder}")
                )
            engine = Engine(
                database,
                store,
                cloud.provider,
                LogChannel(),
                signals,
                clock,
                _engine_settings(config),
                observe,
            )
            wakes.append(engine.wake_watch)
            await engine.start()
            try:
                yield House(config, database, store, signals, cloud, engine)
            finally:
                await engine.stop()
    finally:
        await database.close()


async def _open_database(config: Config) -> Database:
    if config.database_url:
        return await PostgresDatabase.open(config.database_url)
    return SqliteDatabase(config.state_folder / "runyard.db")


async def _adopt(database: Database, neighbours: Neighbours, book: Book) -> None:
    """Jobs of before there were policies keep reading their secrets."""
    if await fact(database, FACT) is None:
        await adopt(neighbours, await book.every_job())
        await settled(database, FACT, "settled")


async def _cloud_id(database: Database, folder: Path) -> str:
    """Which cloud this is: drawn from its first key, and the same after every other one."""
    drawn = blake2b(read_key(folder / "secrets.key"), digest_size=16).hexdigest()
    return await settled(database, "id", drawn)


async def _move_in(database: Database, store: Store, home: Home) -> None:
    """Refuse a database that another cloud lives in: its runs would be taken for lost. One state
    folder has one server, so this one is then alone."""
    owner = await database.write(lambda tx: store.homes.move_in(tx, home))
    if owner.cloud != home.cloud:
        raise ConfigError(
            f"the database of RUNYARD_DATABASE_URL keeps the runs of another cloud: {owner.place}",
            hint="use that state folder, or give this one a database of its own (createdb)",
        )


def _all(wakes: Sequence[Callable[[], None]]) -> None:
    for wake in wakes:
        wake()


def _engine_settings(config: Config) -> EngineSettings:
    return EngineSettings(
        name=f"engine-{os.getpid()}-{secrets.token_hex(4)}",
        region_runs_max=config.region_runs_max,
        retention=Retention(
            runs=timedelta(seconds=config.run_retention_seconds),
            logs=timedelta(seconds=config.log_retention_seconds),
        ),
        poll=timedelta(seconds=config.safety_poll_seconds),
        launch_tries_max=config.launch_tries_max,
        tells=bool(config.database_url),
    )


def services(house: House, metrics: Metrics, streams: Streams) -> Services:
    """What the API is made with."""
    config = house.config
    token = admin_token(config.state_folder / "token", lambda: secrets.token_urlsafe(32))
    poll = timedelta(seconds=config.safety_poll_seconds)
    patience = dict.fromkeys(("due", "outbox", "watch"), 12 * poll)
    settings = ApiSettings(
        version=__version__,
        state_folder=str(config.state_folder),
        environment=config.environment,
        started_at=clock(),
        executor=PROCESS,
        regions=config.regions,
        request_bytes_max=config.request_bytes_max,
        hosts=known_hosts(config.host, config.public_url),
        silence_max=patience,
        region_runs_max=config.region_runs_max,
        approval_seconds=config.approval_seconds,
        undelete_seconds=config.undelete_seconds,
    )

    new_run, new_operation = Ids("run"), Ids("op")

    async def regions() -> list[RegionState]:
        return [_region(use) for use in house.cloud.run.regions]

    gate = house.engine.gate
    tokens = Tokens({token: ADMIN})
    return Services(
        gate=gate,
        database=house.database,
        store=house.store,
        viewer=house.cloud.viewer,
        deployer=house.cloud.provider.jobs,
        secrets=house.cloud.secrets,
        signals=house.signals,
        clock=clock,
        new_run_id=lambda: RunId(new_run()),
        new_operation_id=lambda: OperationId(new_operation()),
        settings=settings,
        sign_in=SignIn(house.database, house.store, gate, tokens, clock, NoIssuers()),
        chance=secrets.token_bytes,
        metrics=metrics,
        streams=streams,
        loops=house.engine.health,
        regions=regions,
        abilities=lambda: asdict(house.cloud.spawner.abilities),
        zones=ZoneInfo,
    )


def _region(use: RegionUse) -> RegionState:
    return RegionState(
        use.region.name, use.region.vcpu_milli / 1000, use.region.memory_bytes, use.running_tasks
    )


def serve(config: Config, *, on_ready: Callable[[str], None]) -> int:
    """Serve until SIGTERM or SIGINT; `on_ready` is told the URL. Returns the exit status.

    Raises PlatformError when it cannot come up.
    """
    logging.basicConfig(
        level=config.log_level.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    os.umask(0o077)  # whatever a server writes is for its user alone
    bounds = connection_bounds(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    with (
        state_folder(config.state_folder),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(_serve(config, bounds, on_ready))
    return 0


def connection_bounds(files_max: int) -> Bounds:
    """What clients may have of the `files_max` files that this process may open, so that it never
    wants one for its own work. Raises ConfigError when it cannot work with so few."""
    if files_max < FILES_MIN:
        raise ConfigError(
            f"this process may open {files_max} files, and needs at least {FILES_MIN}",
            hint="raise the limit: `ulimit -n 4096`",
        )
    usual = Bounds()
    return replace(usual, connections_max=min(usual.connections_max, files_max - FILES_KEPT))


async def _serve(config: Config, bounds: Bounds, on_ready: Callable[[str], None]) -> None:
    metrics, streams = Metrics(__version__), Streams()
    with listening_socket(config.host, config.port) as listening:
        async with open_house(config, lambda done: metrics.observe(done.facts)) as house:
            await house.engine.gate.ask(FirstPrincipal(clock()))
            app = make_app(services(house, metrics, streams))
            server = HttpServer(
                app,
                listening,
                streams,
                grace_seconds=config.shutdown_grace_seconds,
                bounds=bounds,
            )
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, server.stop)
            with announced(config.state_folder, server.url, clock()) as announce:
                await server.run(lambda: _ready(announce, on_ready, server.url))


def _ready(announce: Callable[[], None], on_ready: Callable[[str], None], url: str) -> None:
    announce()
    LOGGER.info("serving at %s", url)
    on_ready(url)
