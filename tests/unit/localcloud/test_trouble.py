"""The cloud over a fake spawner when things go wrong: deaths, full disks, faults."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TypeVar

import pytest

from runyard.database.port import Work
from runyard.database.sqlite import InlineSqlite
from runyard.localcloud.cloudrun.resources import (
    ExecutionState,
)
from runyard.localcloud.spawner.port import TaskEnd, TaskOrder
from runyard.model.errors import (
    ProviderUnavailable,
    StoreFull,
)
from tests.support.cloud import HERE, THERE, TickingClock, World
from tests.support.fake_cloud import open_world, play, reach, run, settle
from tests.support.fake_spawner import FakeSpawner

T = TypeVar("T")


# -- dying -----------------------------------------------------------------------------------------
def test_a_dead_spawner_loses_its_tasks_which_are_retried_in_place(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        execution = await run(world, tasks=2, retries=1)
        await reach(lambda: len(spawner.alive) == 2)
        spawner.die()
        await reach(lambda: len(spawner.spawned) == 4)
        assert sorted(spawner.alive) == [f"{execution.name}-task{i}/1" for i in (0, 1)]
        spawner.die()
        ended = await world.ended(execution.name)
        assert ended.state is ExecutionState.FAILED
        assert ended.tally.lost_count == 2
        assert "was lost" in ended.message

    play(tmp_path, scenario)


def test_a_spawner_that_dies_while_tasks_are_handed_to_it(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        spawner.dies_after_spawns = 2
        execution = await run(world, tasks=4, retries=1)
        await reach(lambda: len(spawner.alive) == 4)
        for key in list(spawner.alive):
            spawner.finish(key)
        ended = await world.ended(execution.name)
        assert ended.state is ExecutionState.SUCCEEDED
        assert all(key.endswith("/1") for key in spawner.spawned[2:])

    play(tmp_path, scenario)


def test_a_new_engine_finds_everything_again(tmp_path: Path) -> None:
    async def main() -> None:
        spawner = FakeSpawner(TickingClock())
        world = await open_world(tmp_path, spawner)
        execution = await run(world, tasks=6, parallelism=3, retries=1)
        await reach(lambda: len(spawner.alive) == 3)
        await world.close()
        keys = list(spawner.alive)
        spawner.finish(keys[0], 0)
        spawner.finish(keys[1], 1)
        world = await open_world(tmp_path, spawner, seed=2)
        await reach(lambda: len(spawner.alive) == 3)
        assert f"{execution.name}-task1/1" in spawner.alive
        while spawner.alive:
            spawner.finish(next(iter(spawner.alive)))
            await settle(world)
        ended = await world.ended(execution.name)
        assert ended.state is ExecutionState.SUCCEEDED
        assert ended.tally.attempts == 7
        await world.close()

    asyncio.run(main())


def test_a_start_that_never_reached_a_living_spawner_is_made_up_for(tmp_path: Path) -> None:
    async def main() -> None:
        spawner = FakeSpawner(TickingClock())
        world = await open_world(tmp_path, spawner)
        execution = await run(world, tasks=2)
        await reach(lambda: len(spawner.alive) == 2)
        await world.close()
        unheard = f"{execution.name}-task1/0"
        del spawner.alive[unheard]  # as if the engine had died between book and spawner
        spawner.known.discard(unheard)
        world = await open_world(tmp_path, spawner, seed=2)
        assert unheard in spawner.alive
        await world.close()

    asyncio.run(main())


def test_what_runs_and_is_in_no_book_is_stopped(tmp_path: Path) -> None:
    async def main() -> None:
        spawner = FakeSpawner(TickingClock())
        world = await open_world(tmp_path / "one", spawner)
        await run(world)
        await reach(lambda: bool(spawner.alive))
        await world.close()
        world = await open_world(tmp_path / "two", spawner)
        assert spawner.alive == {}
        await world.close()

    asyncio.run(main())


def test_a_cancel_survives_the_engine(tmp_path: Path) -> None:
    async def main() -> None:
        spawner = FakeSpawner(TickingClock())
        world = await open_world(tmp_path, spawner)
        execution = await run(world, tasks=3)
        await reach(lambda: len(spawner.alive) == 3)

        async def deaf(key: str) -> None:
            spawner.stopped.append(key)

        hearing, spawner.stop = spawner.stop, deaf  # type: ignore[method-assign]
        await world.cloud.cancel_execution(execution.name)
        await world.close()
        spawner.stop = hearing  # type: ignore[method-assign]
        world = await open_world(tmp_path, spawner, seed=2)
        assert (await world.ended(execution.name)).state is ExecutionState.CANCELLED
        await world.close()

    asyncio.run(main())


def test_a_region_that_is_gone_fails_its_executions(tmp_path: Path) -> None:
    async def main() -> None:
        spawner = FakeSpawner(TickingClock())
        world = await open_world(tmp_path, spawner)
        execution = await run(world, region="europe-west1", tasks=5)
        await reach(lambda: len(spawner.alive) == 2)
        await world.close()
        world = await open_world(tmp_path, spawner, regions=[HERE], seed=2)
        for key in list(spawner.alive):
            spawner.finish(key)
        ended = await world.ended(execution.name)
        assert ended.state is ExecutionState.FAILED
        assert "no region europe-west1" in ended.message
        assert ended.tally.succeeded_count == 2
        await world.close()

    assert THERE.name == "europe-west1"
    asyncio.run(main())


# -- trouble that passes ---------------------------------------------------------------------------
class FullDisk(InlineSqlite):
    """A database that refuses its next writes."""

    refusals = 0

    async def write(self, work: Work[T]) -> T:
        if self.refusals:
            self.refusals -= 1
            raise StoreFull("no room left", hint="free some disk")
        return await super().write(work)


def test_a_full_disk_holds_things_up_and_loses_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        spawner = FakeSpawner(TickingClock())
        database = FullDisk(tmp_path / "cloud.db")
        world = await open_world(tmp_path, spawner, database=database)
        execution = await run(world, tasks=2, parallelism=1)
        await reach(lambda: len(spawner.alive) == 1)
        database.refusals = 3
        spawner.finish(f"{execution.name}-task0/0")
        await reach(lambda: f"{execution.name}-task1/0" in spawner.alive)
        spawner.finish(f"{execution.name}-task1/0")
        assert (await world.ended(execution.name)).tally.succeeded_count == 2
        assert database.refusals == 0
        await world.close()

    asyncio.run(main())


class GatedDatabase(InlineSqlite):
    """A database whose writes take place only while its gate is open."""

    waiting = 0

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.gate = asyncio.Event()
        self.gate.set()

    async def write(self, work: Work[T]) -> T:
        self.waiting += 1
        await self.gate.wait()
        self.waiting -= 1
        return await super().write(work)


def test_a_caller_who_gives_up_waiting_leaves_nothing_half_begun(tmp_path: Path) -> None:
    async def main() -> None:
        spawner = FakeSpawner(TickingClock())
        database = GatedDatabase(tmp_path / "cloud.db")
        world = await open_world(tmp_path, spawner, database=database)
        database.gate.clear()
        caller = asyncio.create_task(run(world, key="k"))
        await reach(lambda: database.waiting == 1)
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
        assert caller.cancelled()
        database.gate.set()
        await reach(lambda: len(spawner.alive) == 1)
        await world.close()

    asyncio.run(main())


def test_a_cancel_that_cannot_be_kept_is_not_acknowledged(tmp_path: Path) -> None:
    async def main() -> None:
        spawner = FakeSpawner(TickingClock())
        database = FullDisk(tmp_path / "cloud.db")
        world = await open_world(tmp_path, spawner, database=database)
        execution = await run(world)
        await reach(lambda: len(spawner.alive) == 1)
        database.refusals = 1
        with pytest.raises(StoreFull):
            await world.cloud.cancel_execution(execution.name)
        await settle(world)
        assert (await world.cloud.execution(execution.name)).state is ExecutionState.RUNNING
        await world.cloud.cancel_execution(execution.name)
        assert (await world.ended(execution.name)).state is ExecutionState.CANCELLED
        await world.close()

    asyncio.run(main())


def test_starts_that_the_spawner_refuses_for_now_hold_up_neither_ends_nor_cancels(
    tmp_path: Path,
) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        first = await run(world)
        other = await run(world)
        await reach(lambda: len(spawner.alive) == 2)
        original = spawner.spawn

        async def spawn(order: TaskOrder) -> bool:
            raise ProviderUnavailable("log x: No space left on device")

        spawner.spawn = spawn  # type: ignore[method-assign]
        third = await run(world)
        await reach(lambda: world.cloud.failures > 0)
        spawner.finish(f"{first.name}-task0/0")
        assert (await world.ended(first.name)).state is ExecutionState.SUCCEEDED
        await world.cloud.cancel_execution(other.name)
        assert (await world.ended(other.name)).state is ExecutionState.CANCELLED
        spawner.spawn = original  # type: ignore[method-assign]
        await reach(lambda: f"{third.name}-task0/0" in spawner.alive)
        await reach(lambda: world.cloud.failures == 0)

    play(tmp_path, scenario)


def test_an_end_that_is_told_again_ends_no_later_attempt(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        execution = await run(world, retries=1)
        first = f"{execution.name}-task0/0"
        await reach(lambda: first in spawner.alive)
        spawner.finish(first, 1)
        await reach(lambda: f"{execution.name}-task0/1" in spawner.alive)
        for end in (spawner.end(first, 1), spawner.end("no key of ours"), spawner.end("x-task0/0")):
            spawner.kept_ends[end.key] = end
        await settle(world)
        assert spawner.kept_ends == {}
        assert f"{execution.name}-task0/1" in spawner.alive
        assert (await world.cloud.execution(execution.name)).tally.running_count == 1

    play(tmp_path, scenario)


def test_finished_executions_beyond_the_quota_go_with_their_logs(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        held = await run(world, key="held")
        await world.ended(held.name)
        names = []
        for _ in range(5):
            names.append((await run(world)).name)
            await world.ended(names[-1])
        await settle(world)
        kept = [each.name for each in await world.cloud.executions("shop", "us-central1", "report")]
        assert kept == [*reversed(names[2:]), held.name]
        logs = await asyncio.to_thread(lambda: {each.stem for each in tmp_path.glob("logs/*.log")})
        assert logs == set(kept)

    play(tmp_path, scenario, at_once=end_at_once, executions_kept=3)


def end_at_once(order: TaskOrder) -> TaskEnd:
    """Every task succeeds as soon as it is started."""
    return FakeSpawner(TickingClock()).end(order.key)
