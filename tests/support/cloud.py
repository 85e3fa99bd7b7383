"""Clouds for tests: a local cloud over any spawner, and templates to run in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from runyard.database.port import Database
from runyard.database.signals import Listener
from runyard.database.sqlite import SqliteDatabase
from runyard.localcloud.cloudrun.book import EXECUTIONS_KEPT, Book
from runyard.localcloud.cloudrun.cloud import CloudRun
from runyard.localcloud.cloudrun.resources import Execution, Region
from runyard.localcloud.cloudrun.starting import TaskSettings
from runyard.localcloud.iam.names import secret_name
from runyard.localcloud.iam.roles import ACCESSOR
from runyard.localcloud.neighbours import Neighbours
from runyard.localcloud.schema import migrate
from runyard.localcloud.secrets.keys import KeyFiles
from runyard.localcloud.spawner.port import Spawner
from runyard.model.executors import sentences
from runyard.model.instants import from_micros
from runyard.model.quantities import GIB

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HERE, THERE = Region("us-central1", 4000, 8 * GIB), Region("europe-west1", 2000, 4 * GIB)


class TickingClock:
    """A clock that moves on a millisecond with every look."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


def real_clock() -> datetime:
    """The time of day, for worlds with real processes."""
    return from_micros(time.time_ns() // 1000)


def make_template(
    *command: str,
    tasks: int = 1,
    parallelism: int = 0,
    retries: int = 0,
    timeout: str = "600s",
    env: Sequence[dict[str, Any]] = (),
    mounts: Sequence[dict[str, Any]] = (),
    volumes: Sequence[dict[str, Any]] = (),
    cpu: str = "1",
    memory: str = "512Mi",
    **container: Any,
) -> dict[str, Any]:
    """An ExecutionTemplate that runs `command`."""
    main = {
        "image": "example.com/any",
        "command": list(command or ("true",)),
        "env": list(env),
        "resources": {"limits": {"cpu": cpu, "memory": memory}},
        "volumeMounts": list(mounts),
        **container,
    }
    task = {
        "containers": [main],
        "volumes": list(volumes),
        "maxRetries": retries,
        "timeout": timeout,
    }
    return {"taskCount": tasks, "parallelism": parallelism, "template": task}


@dataclass
class World:
    """A cloud with everything around it. Entered, it runs."""

    folder: Path
    spawner: Spawner
    database: Database
    clock: Callable[[], datetime]
    book: Book
    neighbours: Neighbours
    cloud: CloudRun
    changed: list[Execution] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def notice(self, execution: Execution) -> None:
        self.changed.append(execution)
        self.news.set()

    async def until(self, name: str, ready: Callable[[Execution], bool]) -> Execution:
        """The execution once `ready` holds of it; looked at whenever its state changes."""
        while not ready(found := await self.cloud.execution(name)):
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), 60)
        return found

    async def ended(self, name: str) -> Execution:
        """The execution once it is final."""
        return await self.until(name, lambda execution: execution.is_final)

    async def give(self, name: str, value: bytes) -> None:
        """Have a secret be there that every task may read."""
        await self.neighbours.secrets.create("local", name, value)
        await self.neighbours.policies.bind(secret_name("local", name), ACCESSOR, "allUsers")

    async def close(self) -> None:
        await self.cloud.close()
        await self.database.close()


async def make_world(
    folder: Path,
    spawner: Spawner,
    *,
    clock: Callable[[], datetime] | None = None,
    regions: Sequence[Region] = (HERE, THERE),
    seed: int = 1,
    database: Database | None = None,
    listener: Listener | None = None,
    executions_kept: int = EXECUTIONS_KEPT,
) -> World:
    """A cloud in `folder` over `spawner`, not started. Made again there, it finds its book.

    The spawner wakes `listener` when a task has ended, or calls `world.cloud.wake`.
    """
    clock = clock or TickingClock()
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    database = database or SqliteDatabase(folder / "cloud.db", synchronous="OFF")
    await migrate(database, clock())
    book = Book(database, executions_kept)
    chance = Random(seed).getrandbits
    neighbours = Neighbours.over(database, KeyFiles(folder / "secrets.key"), clock, chance)
    cloud = CloudRun(
        book=book,
        neighbours=neighbours,
        spawner=spawner,
        regions=regions,
        settings=TaskSettings(log_folder=folder / "logs"),
        clock=clock,
        chance=chance,
        unenforced=sentences,
        listener=listener or Listener(),
    )
    world = World(folder, spawner, database, clock, book, neighbours, cloud)
    cloud.subscribe(world.notice)
    return world
