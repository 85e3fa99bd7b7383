"""How an execution begins: with its first tasks kept as running, where nobody stands in line."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from runyard.database.port import Work
from runyard.localcloud.cloudrun.jobs import JobDraft
from runyard.localcloud.cloudrun.regions import RegionLine, Room
from runyard.localcloud.cloudrun.resources import (
    Execution,
    ExecutionState,
    Region,
    RunRequest,
    TaskState,
)
from runyard.model.errors import InvalidSpec, QuotaExceeded
from tests.support.cloud import TickingClock, World, make_template
from tests.support.fake_cloud import open_world, play, reach, run, settle
from tests.support.fake_spawner import FakeSpawner
from tests.unit.localcloud.test_trouble import GatedDatabase, T

SMALL = (Region("us-central1", 2_000, 2**30, 10),)


class CountingDatabase(GatedDatabase):
    """A database that counts its writes."""

    writes = 0

    async def write(self, work: Work[T]) -> T:
        self.writes += 1
        return await super().write(work)


def test_an_execution_and_its_first_start_are_one_commit(tmp_path: Path) -> None:
    async def main() -> None:
        spawner, database = FakeSpawner(TickingClock()), CountingDatabase(tmp_path / "cloud.db")
        world = await open_world(tmp_path, spawner, database=database)
        before = database.writes
        begun = await run(world)
        assert (begun.state, begun.tally.running_count) == (ExecutionState.RUNNING, 1)
        await settle(world)
        assert spawner.spawned == [f"{begun.name}-task0/0"]
        assert database.writes == before + 1
        assert [each.state for each in world.changed] == [ExecutionState.RUNNING]
        await world.close()

    asyncio.run(main())


def test_only_what_has_room_is_begun_and_the_rest_has_its_turns(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        first = await run(world, tasks=3)
        second = await run(world)
        assert first.tally.running_count == 2
        assert second.state is ExecutionState.PENDING
        await settle(world)
        assert sorted(spawner.alive) == [f"{first.name}-task{index}/0" for index in (0, 1)]
        (use,) = world.cloud.regions
        assert (use.vcpu_milli, use.running_tasks) == (2_000, 2)
        spawner.finish(f"{first.name}-task0/0")
        await reach(lambda: f"{first.name}-task2/0" in spawner.alive)
        assert (await world.cloud.execution(second.name)).state is ExecutionState.PENDING
        spawner.finish(f"{first.name}-task1/0")
        await reach(lambda: f"{second.name}-task0/0" in spawner.alive)

    play(tmp_path, scenario, regions=SMALL)


def test_no_more_than_its_parallelism_is_begun(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        assert (await run(world, tasks=5, parallelism=1)).tally.running_count == 1

    play(tmp_path, scenario)


def test_two_that_begin_at_once_do_not_take_the_same_room(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        begun = await asyncio.gather(*(run(world) for _ in range(4)))
        assert sum(each.tally.running_count for each in begun) == 2
        await settle(world)
        assert len(spawner.alive) == 2

    play(tmp_path, scenario, regions=SMALL)


def test_room_of_what_was_not_kept_is_free_again(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        again = await run(world, key="k")
        spawner.finish(f"{again.name}-task0/0")
        await world.ended(again.name)
        assert (await run(world, key="k")).name == again.name
        await settle(world)
        assert world.cloud.regions[0].vcpu_milli == 0

    play(tmp_path, scenario, regions=SMALL)


def test_who_asks_again_is_answered_whatever_is_wrong_by_now(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        first = await run(world, key="k")
        full = tuple([await run(world) for _ in range(9)])
        assert len(full) == 9
        assert (await run(world, key="k")).name == first.name
        unreadable = RunRequest("shop", "us-central1", "report", {"template": {}}, request_key="k")
        found = await world.cloud.run_job(unreadable)
        assert isinstance(found, Execution)
        assert found.name == first.name
        with pytest.raises(QuotaExceeded):
            await run(world, key="other")
        with pytest.raises(InvalidSpec):
            await world.cloud.run_job(RunRequest("shop", "us-central1", "report", {"template": {}}))

    play(tmp_path, scenario, regions=SMALL)


def test_a_job_as_it_is_kept_begins_by_its_turn(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        await world.cloud.jobs.deploy(JobDraft("shop", "us-central1", "report", make_template()))
        found = await world.cloud.run_job(RunRequest("shop", "us-central1", "report"))
        assert isinstance(found, Execution)
        assert found.state is ExecutionState.PENDING
        await reach(lambda: f"{found.name}-task0/0" in spawner.alive)

    play(tmp_path, scenario)


def test_what_was_kept_for_a_spawner_that_went_away_is_lost_and_tried_again(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        spawner, database = FakeSpawner(TickingClock()), GatedDatabase(tmp_path / "cloud.db")
        world = await open_world(tmp_path, spawner, database=database)
        database.gate.clear()
        asked = asyncio.create_task(run(world, retries=1))
        await reach(lambda: database.waiting == 1)
        spawner.die()
        await reach(lambda: world.cloud.failures > 0)
        await reach(lambda: spawner.instance == "fake-2" and world.cloud.failures == 0)
        database.gate.set()
        begun = await asked
        await reach(lambda: f"{begun.name}-task0/1" in spawner.alive)
        assert spawner.spawned == [f"{begun.name}-task0/1"]
        (task,) = await world.cloud.tasks(begun.name)
        assert (task.state, task.spawner) == (TaskState.RUNNING, "fake-2")
        await world.close()

    asyncio.run(main())


def test_a_cancel_right_after_reaches_what_was_begun(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        begun = await run(world)
        await world.cloud.cancel_execution(begun.name)
        assert (await world.ended(begun.name)).state is ExecutionState.CANCELLED
        assert spawner.stopped == [f"{begun.name}-task0/0"]
        assert spawner.alive == {}

    play(tmp_path, scenario)


def test_nobody_starts_at_once_past_those_in_line_or_in_a_region_that_is_down() -> None:
    line = RegionLine(Region("us-central1", 2_000, 2**30, 10))
    needed = Room(1_000, 2**29)
    assert [line.at_once(needed, wanted) for wanted in (0, 1, 2, 3)] == [0, 1, 2, 2]
    line.used = needed
    assert line.at_once(needed, 3) == 1
    line.faults.down = True
    assert line.at_once(needed, 3) == 0
    line.faults.down = False
    line.stand("other")
    assert line.at_once(needed, 3) == 0
