"""The cloud on this machine, put together: its databases, the spawner, its neighbours. Beside
`wiring`, the place that names adapters."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from starlette.types import ASGIApp

from runyard.config import Config
from runyard.database.port import Database
from runyard.database.signals import Listener
from runyard.database.sqlite import SqliteDatabase
from runyard.localcloud import schema
from runyard.localcloud.cloudrun.board import Board
from runyard.localcloud.cloudrun.book import Book
from runyard.localcloud.cloudrun.cloud import CloudRun
from runyard.localcloud.cloudrun.jobs import Jobs
from runyard.localcloud.cloudrun.resources import Region
from runyard.localcloud.cloudrun.starting import TaskSettings
from runyard.localcloud.facts import cloud_id
from runyard.localcloud.neighbours import Neighbours
from runyard.localcloud.secrets.keys import KeyFiles, Keys
from runyard.localcloud.secrets.wallet import system_keys
from runyard.localcloud.spawner.client import SpawnerClient
from runyard.model.errors import ProviderUnavailable
from runyard.model.executors import sentences
from runyard.model.ids import RANDOM_BITS, RunId, stamped
from runyard.premises import make_folder
from runyard.provider.local.adapter import LocalProvider
from runyard.provider.local.deployer import LocalDeployer
from runyard.provider.local.secrets import LocalSecrets
from runyard.provider.local.viewer import LocalViewer

_KEYS: dict[str, Callable[[Path], Keys]] = {"file": KeyFiles, "keyring": system_keys}


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


def run_ids() -> Callable[[], RunId]:
    """A maker of run ids."""
    new = Ids("run")
    return lambda: RunId(new())


@dataclass(frozen=True, slots=True)
class Sights:
    """What of the cloud on this machine can be seen from any process. `id` says which cloud it
    is."""

    folder: Path
    database: Database
    book: Book
    neighbours: Neighbours
    viewer: LocalViewer
    deployer: LocalDeployer
    secrets: LocalSecrets
    id: str


@dataclass(frozen=True, slots=True)
class Cloud:
    """The cloud on this machine, at work in this process."""

    run: CloudRun
    spawner: SpawnerClient
    provider: LocalProvider
    sights: Sights
    regions: Sequence[Region]


@asynccontextmanager
async def open_sights(config: Config, folder: Path) -> AsyncIterator[Sights]:
    """What of the cloud in `folder` any process may see and add to."""
    await asyncio.to_thread(make_folder, folder)
    database = SqliteDatabase(folder / "cloud.db")
    try:
        await schema.migrate(database, clock())
        keys = await asyncio.to_thread(_KEYS[config.secrets_key], folder / "secrets.key")
        neighbours = Neighbours.over(database, keys, clock, secrets.randbits)
        book, home = Book(database), await cloud_id(database, keys.sealing)
        lines = Board(_regions(config)).lines
        yield Sights(
            folder=folder,
            database=database,
            book=book,
            neighbours=neighbours,
            viewer=LocalViewer(book, folder / "logs"),
            deployer=LocalDeployer(
                Jobs(book, lambda region, _: lines[region], clock, secrets.randbits)
            ),
            secrets=LocalSecrets(neighbours),
            id=home,
        )
    finally:
        await database.close()


@asynccontextmanager
async def open_cloud(
    config: Config, folder: Path, wake: Callable[[], None]
) -> AsyncIterator[Cloud]:
    """The cloud on this machine, in `folder`; `wake` is called when an execution changed."""
    async with open_sights(config, folder) as sights, sights.neighbours.pubsub.at_work():
        await sights.neighbours.rotator.resume()
        listener = Listener()
        spawner = SpawnerClient(
            folder / "spawner", task_user=config.task_user, clock=clock, wake=listener.wake
        )
        regions = _regions(config)
        run = CloudRun(
            book=sights.book,
            neighbours=sights.neighbours,
            spawner=spawner,
            regions=regions,
            settings=TaskSettings(folder / "logs", log_bytes_max=config.log_bytes_max),
            clock=clock,
            chance=secrets.randbits,
            unenforced=sentences,
            listener=listener,
        )
        provider = LocalProvider(run, wake)
        yield Cloud(run, spawner, provider, sights, regions)
        await spawner.close(stop=await _is_idle(spawner))


def google_face(cloud: Cloud, token: str) -> AbstractAsyncContextManager[ASGIApp]:
    """The cloud as Google's client libraries know theirs; who asks shows `token`."""
    # by name: most servers have no such face, and start sooner without it
    google = import_module("runyard.localcloud.google.app")
    face: AbstractAsyncContextManager[ASGIApp] = google.google_app(
        cloud.run, chance=secrets.randbits, token=token
    )
    return face


def _regions(config: Config) -> tuple[Region, ...]:
    return tuple(
        Region(name, config.region_vcpu * 1000, config.region_memory_bytes, config.region_runs_max)
        for name in config.regions
    )


async def _is_idle(spawner: SpawnerClient) -> bool:
    """True when nothing of a task is left to wait for: then the spawner need not outlive us."""
    try:
        return not (await spawner.running() or await spawner.ends())
    except ProviderUnavailable:
        return False
