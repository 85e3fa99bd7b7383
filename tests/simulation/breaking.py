"""What worlds say of what is broken, for tests that break something in them."""

from __future__ import annotations

from tests.simulation.loop import run
from tests.simulation.world import World


def outcome(world: World) -> str:
    """What is wrong with a world, once it has been lived through; empty: nothing."""

    async def play() -> str:
        try:
            await world.live()
        except AssertionError as error:
            return str(error)
        finally:
            await world.database.close()
        return ""

    with world.heard():
        return run(play())
