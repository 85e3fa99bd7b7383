"""The local cloud dies at every single step, before or after it was done, and comes up again.

Every call to its database and to its spawner is a step. Whatever the step, each task attempt is
started exactly once, each end counted exactly once, and nothing is left behind.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runyard.database.port import Work
from runyard.database.sqlite import InlineSqlite
from runyard.localcloud.cloudrun.resources import Execution, ExecutionState, RunRequest
from runyard.localcloud.spawner.port import TaskEnd, TaskOrder
from tests.support.cloud import TickingClock, World, make_template, make_world
from tests.support.fake_spawner import FakeSpawner

T = TypeVar("T")


class Killed(BaseException):
    """The process was killed: nothing of it catches this."""


@dataclass
class Steps:
    """Counts steps and kills at one of them."""

    fatal: int
    done_first: bool
    count: int = 0
    died: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, step: Callable[[], Awaitable[T]]) -> T:
        self.count += 1
        if self.count < self.fatal:
            return await step()
        if self.count == self.fatal and self.done_first:
            await step()
        self.died.set()
        raise Killed


def never() -> Steps:
    """Steps of a life that nobody ends."""
    return Steps(10**9, done_first=False)


class DyingSqlite(InlineSqlite):
    """A database whose process may be killed at a write."""

    def __init__(self, path: Path, steps: Steps) -> None:
        super().__init__(path)
        self.steps = steps

    async def write(self, work: Work[T]) -> T:
        write = super().write
        return await self.steps.take(lambda: write(work))


class DyingClient:
    """The client of a living spawner, in a process that may be killed at every call."""

    def __init__(self, spawner: FakeSpawner, steps: Steps) -> None:
        self._spawner = spawner
        self._steps = steps
        self.abilities = spawner.abilities
        self.instance = spawner.instance

    @property
    def spawned(self) -> list[str]:
        """What was ever started."""
        return self._spawner.spawned

    async def start(self) -> None:
        await self._spawner.start()

    async def close(self, *, stop: bool = False) -> None:
        await self._spawner.close(stop=stop)

    async def spawn(self, order: TaskOrder) -> bool:
        return await self._steps.take(lambda: self._spawner.spawn(order))

    async def stop(self, key: str) -> None:
        await self._steps.take(lambda: self._spawner.stop(key))

    async def running(self) -> list[str]:
        return await self._spawner.running()

    async def ends(self) -> list[TaskEnd]:
        return await self._spawner.ends()

    async def forget(self, keys: list[str]) -> None:
        await self._steps.take(lambda: self._spawner.forget(keys))

    async def lost(self, keys: list[str]) -> list[TaskEnd]:
        return await self._spawner.lost(keys)


Story = Callable[[World], Awaitable[Any]]


async def live(folder: Path, spawner: FakeSpawner, steps: Steps, seed: int, story: Story) -> bool:
    """One life of the cloud; False when it was killed before the story's end."""
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    database = DyingSqlite(folder / "cloud.db", never())
    world = await make_world(
        folder, DyingClient(spawner, steps), database=database, seed=seed, clock=TickingClock()
    )
    database.steps = steps
    spawner.wake = world.cloud.wake
    telling = asyncio.create_task(_tell(story, world))
    death = asyncio.create_task(steps.died.wait())
    await asyncio.wait((telling, death), return_when=asyncio.FIRST_COMPLETED)
    told = telling.done() and not steps.died.is_set()
    for task in (telling, death):
        task.cancel()
    results = await asyncio.gather(telling, death, return_exceptions=True)
    with suppress(Killed):
        await world.cloud.close()
    await world.database.close()
    if told and isinstance(results[0], BaseException):
        raise results[0]
    return told


async def _tell(story: Story, world: World) -> None:
    with suppress(Killed):
        await world.cloud.start()
        await story(world)


async def lives(folder: Path, steps: list[Steps], story: Story) -> tuple[FakeSpawner, int]:
    """One life after the other until one tells the story to its end: the spawner, the lives."""
    spawner = FakeSpawner(TickingClock(), lambda order: how_it_ends(spawner, order))
    for seed, each in enumerate([*steps, never()]):
        if await live(folder, spawner, each, seed, story):
            return spawner, seed + 1
    raise AssertionError("the last life is never killed")


def how_it_ends(spawner: FakeSpawner, order: TaskOrder) -> TaskEnd:
    """Every third task fails once."""
    return spawner.end(order.key, 1 if order.task % 3 == 0 and order.attempt == 0 else 0)


async def run_to_the_end(world: World) -> None:
    """Seven tasks, three at a time, one retry each."""
    execution = await launch(world)
    ended = await world.ended(execution.name)
    assert ended.state is ExecutionState.SUCCEEDED, ended.message
    assert (ended.tally.succeeded_count, ended.tally.retried_count) == (7, 3)
    assert ended.tally.attempts == 10
    assert ended.tally.removed == (("folder", 10),)
    await world.cloud.release(execution.name)


async def launch(world: World) -> Execution:
    template = make_template(tasks=7, parallelism=3, retries=1)
    request = RunRequest("shop", "us-central1", "report", template, request_key="k")
    found = await world.cloud.run_job(request)
    assert isinstance(found, Execution)
    return found


def check(spawner: FakeSpawner) -> None:
    """Every attempt was started exactly once, and nothing is left."""
    assert len(spawner.spawned) == 10
    assert set(Counter(spawner.spawned).values()) == {1}
    assert spawner.most_alive <= 3
    assert spawner.alive == {}
    assert len({key.rpartition("-task")[0] for key in spawner.spawned}) == 1


@pytest.mark.parametrize("done_first", [False, True])
def test_killed_once_at_every_step(tmp_path: Path, done_first: bool) -> None:
    async def main() -> None:
        fatal, count = 0, 2
        while count == 2:
            fatal += 1
            folder = tmp_path / str(fatal)
            spawner, count = await lives(folder, [Steps(fatal, done_first)], run_to_the_end)
            check(spawner)
        assert fatal > 20, "the story has hardly any steps: it proves nothing"

    asyncio.run(main())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(1, 25), st.booleans()), min_size=2, max_size=5))
def test_killed_again_and_again(deaths: list[tuple[int, bool]]) -> None:
    async def main(folder: Path) -> None:
        steps = [Steps(fatal, done_first) for fatal, done_first in deaths]
        spawner, _ = await lives(folder, steps, run_to_the_end)
        check(spawner)

    with TemporaryDirectory() as folder:
        asyncio.run(main(Path(folder)))


@pytest.mark.parametrize("done_first", [False, True])
def test_a_cancel_that_was_acknowledged_starts_nothing_more(
    tmp_path: Path, done_first: bool
) -> None:
    async def story(world: World) -> None:
        execution = await launch(world)
        if not execution.is_final:
            await world.cloud.withdraw("k")
            seen.append(len(world.spawner.spawned))  # type: ignore[attr-defined]
        ended = await world.ended(execution.name)
        assert ended.is_final
        tally = ended.tally
        assert tally.succeeded_count + tally.failed_count + tally.cancelled_count == 7

    async def main() -> None:
        for fatal in range(1, 25):
            seen.clear()
            spawner = (await lives(tmp_path / str(fatal), [Steps(fatal, done_first)], story))[0]
            assert set(Counter(spawner.spawned).values()) <= {1}
            assert spawner.alive == {}
            assert not seen or len(spawner.spawned) == seen[0]

    seen: list[int] = []
    asyncio.run(main())
