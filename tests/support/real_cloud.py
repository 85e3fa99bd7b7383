"""A local cloud with real processes: the real spawner, the real clock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runyard.database.signals import Listener
from runyard.localcloud.cloudrun.resources import Region
from runyard.localcloud.spawner.client import SpawnerClient
from tests.support.cloud import HERE, THERE, World, make_world, real_clock

TASK_USER = "nobody"


async def make_real_world(
    folder: Path, *, regions: Sequence[Region] = (HERE, THERE), seed: int = 1, start: bool = True
) -> World:
    """A world over a spawner of its own, started if asked for; `close_real_world` ends it."""
    listener = Listener()
    spawner = SpawnerClient(
        folder / "spawner",
        task_user=TASK_USER,
        clock=real_clock,
        wake=listener.wake,
    )
    world = await make_world(
        folder, spawner, clock=real_clock, regions=regions, seed=seed, listener=listener
    )
    if start:
        await world.cloud.start()
    return world


async def close_real_world(world: World) -> None:
    """Cancel what runs, then end the cloud and its spawner."""
    for held in await world.book.open_executions():
        await world.cloud.cancel_execution(held.execution.name)
        await world.ended(held.execution.name)
    await world.cloud.close()
    await world.spawner.close(stop=True)
    await world.database.close()
