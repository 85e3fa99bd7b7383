"""The place that names adapters: it alone knows which database, provider and cloud are in use.

Order of coming up: the state folder (one server at a time), the databases, the cloud on this
machine, the engine, then the face. Going down is the same backwards, and stops no task.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runyard.channel.log import LogChannel
from runyard.config import Config
from runyard.database.migrations import migrate
from runyard.database.signals import Listener, Signals
from runyard.database.sqlite import SqliteDatabase
from runyard.engine.engine import Engine, EngineSettings
from runyard.engine.prune import Retention
from runyard.gate.door import Committed
from runyard.localcloud import schema
from runyard.localcloud.cloudrun.book import Book
from runyard.localcloud.cloudrun.cloud import CloudRun
from runyard.localcloud.cloudrun.resources import Region
from runyard.localcloud.cloudrun.starting import TaskSettings
from runyard.localcloud.secrets.keeper import SecretBox
from runyard.localcloud.secrets.sealing import Sealer, load_key
from runyard.localcloud.spawner.client import SpawnerClient
from runyard.model.errors import StoreUnavailable
from runyard.model.executors import sentences
from runyard.model.ids import RANDOM_BITS, RunId, stamped
from runyard.provider.local.adapter import LocalProvider
from runyard.provider.local.viewer import LocalViewer
from runyard.store.memory import MIGRATIONS, Store

LOGGER = logging.getLogger("runyard")


def clock() -> datetime:
    """The time. Everybody below is handed this."""
    return datetime.now(UTC)


class RunIds:
    """New run ids, growing also within a millisecond (as ULID's monotonic ids do)."""

    def __init__(self) -> None:
        self._last = (0, 0)

    def __call__(self) -> RunId:
        """A new id."""
        now = clock()
        milliseconds = int(now.timestamp() * 1000)
        chance = secrets.randbits(RANDOM_BITS - 1)
        if milliseconds == self._last[0]:
            chance = self._last[1] + 1
        self._last = (milliseconds, chance)
        return RunId(stamped("run", now, chance))


@dataclass(frozen=True, slots=True)
class Cloud:
    """The cloud on this machine, and what people may see of it."""

    run: CloudRun
    spawner: SpawnerClient
    provider: LocalProvider
    viewer: LocalViewer
    secrets: SecretBox
    regions: Sequence[Region]


@dataclass(frozen=True, slots=True)
class House:
    """Everything but the face, up and running."""

    config: Config
    database: SqliteDatabase
    store: Store
    signals: Signals
    cloud: Cloud
    engine: Engine


@contextmanager
def state_folder(config: Config) -> Iterator[Path]:
    """The state folder, made if need be, for this process alone.

    Raises StoreUnavailable when it cannot be written or another server has it.
    """
    folder = config.state_folder
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise StoreUnavailable(
            f"the state folder {folder} cannot be written: {error.strerror}",
            hint="make it writable for this user, or name another with RUNYARD_STATE_FOLDER",
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreUnavailable(
                f"another server works in the state folder {folder}",
                hint="use that one (`runyard status`), stop it (`runyard down`), or name another "
                "folder with RUNYARD_STATE_FOLDER",
            ) from None
        yield folder


@asynccontextmanager
async def open_cloud(
    config: Config, folder: Path, wake: Callable[[], None]
) -> AsyncIterator[Cloud]:
    """The cloud on this machine, in `folder`; `wake` is called when an execution changed."""
    await asyncio.to_thread(folder.mkdir, mode=0o700, exist_ok=True)
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
        box = SecretBox(database, Sealer(load_key(folder / "secrets.key")), clock)
        log_folder = folder / "logs"
        run = CloudRun(
            book=book,
            box=box,
            spawner=spawner,
            regions=regions,
            settings=TaskSettings(log_folder, log_bytes_max=config.log_bytes_max),
            clock=clock,
            chance=secrets.randbits,
            unenforced=sentences,
            listener=listener,
        )
        viewer = LocalViewer(book, log_folder)
        yield Cloud(run, spawner, LocalProvider(run, wake), viewer, box, regions)
        await spawner.close()
    finally:
        await database.close()


@asynccontextmanager
async def open_house(
    config: Config, observe: Callable[[Committed], None] = lambda _: None
) -> AsyncIterator[House]:
    """Database, cloud and engine, up and running for as long as the block lasts."""
    database = SqliteDatabase(config.state_folder / "runyard.db")
    try:
        await migrate(database, MIGRATIONS, clock())
        store, signals = Store.of(database.dialect), Signals()
        wakes: list[Callable[[], None]] = []
        cloud_folder = config.state_folder / "cloud"
        async with open_cloud(config, cloud_folder, lambda: _all(wakes)) as cloud:
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
    )
