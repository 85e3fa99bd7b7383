"""A started local cloud over a fake spawner, and how to let it go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from runyard.localcloud.cloudrun.resources import Execution, RunRequest
from runyard.localcloud.spawner.port import TaskEnd, TaskOrder
from tests.support.cloud import TickingClock, World, make_template, make_world
from tests.support.fake_spawner import FakeSpawner

Scenario = Callable[[World, FakeSpawner], Awaitable[None]]


def play(
    folder: Path,
    scenario: Scenario,
    at_once: Callable[[TaskOrder], TaskEnd | None] = lambda order: None,
    **options: Any,
) -> None:
    """Run `scenario` in a started world over a fake spawner."""

    async def main() -> None:
        clock = TickingClock()
        spawner = FakeSpawner(clock, at_once)
        world = await open_world(folder, spawner, **options)
        try:
            await scenario(world, spawner)
        finally:
            await world.close()

    asyncio.run(main())


async def open_world(folder: Path, spawner: FakeSpawner, **options: Any) -> World:
    world = await make_world(folder, spawner, **options)
    spawner.wake = world.cloud.wake
    await world.cloud.start()
    return world


async def settle(world: World) -> None:
    """Until the cloud has made two whole turns from now: what it would do, it has done."""
    before = world.cloud.turns
    for done in (1, 2):
        world.cloud.wake()
        await reach(lambda done=done: world.cloud.turns >= before + done)  # type: ignore[misc]


async def run(
    world: World, key: str = "", region: str = "us-central1", job: str = "report", **how: Any
) -> Execution:
    request = RunRequest("shop", region, job, make_template(**how), request_key=key)
    found = await world.cloud.run_job(request)
    assert isinstance(found, Execution)
    return found


async def reach(condition: Callable[[], bool]) -> None:
    """Until `condition` holds; fails after a bounded number of turns."""
    for _ in range(20_000):
        if condition():
            return
        await asyncio.sleep(0.0005)
    raise AssertionError("never happened")
