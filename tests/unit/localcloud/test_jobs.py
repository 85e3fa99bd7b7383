"""Jobs and their generations, and what may be asked of an execution that has not ended."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from runyard.database.port import Tx
from runyard.localcloud.cloudrun.resources import Execution, ExecutionState, RunRequest
from runyard.model.errors import InvalidSpec, NotFound, ProviderUnavailable, Refused
from tests.support.cloud import TickingClock, World, make_template
from tests.support.fake_cloud import open_world, play, reach, run
from tests.support.fake_spawner import FakeSpawner


def test_a_job_is_replaced_and_its_generation_grows_with_every_change(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        key = ("shop", "us-central1", "report")
        with pytest.raises(NotFound, match="no job report in region us-central1"):
            await world.cloud.job(*key)
        first = await world.cloud.replace_job(*key, make_template("one"))
        assert (await world.cloud.replace_job(*key, make_template("one"))) == first
        second = await world.cloud.replace_job(*key, make_template("two"))
        assert (first.generation, second.generation) == (1, 2)
        assert (second.uid, second.created_at) == (first.uid, first.created_at)
        with pytest.raises(InvalidSpec, match="a command"):
            await world.cloud.replace_job(*key, make_template(command=[]))
        execution = await world.cloud.run_job(RunRequest(*key))
        assert isinstance(execution, Execution)
        assert (execution.generation, execution.blueprint.argv) == (2, ("two",))
        job = await world.cloud.job(*key)
        assert (job.execution_count, job.latest_created_execution) == (1, execution.name)

    play(tmp_path, scenario)


def test_a_job_that_is_not_there_cannot_be_run(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        with pytest.raises(NotFound, match="no job report"):
            await world.cloud.run_job(RunRequest("shop", "us-central1", "report"))

    play(tmp_path, scenario)


def test_an_open_execution_is_neither_released_nor_deleted(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        execution = await run(world)
        for call in (world.cloud.release, world.cloud.delete_execution):
            with pytest.raises(Refused, match="has not ended"):
                await call(execution.name)
        await world.cloud.cancel_execution(execution.name)
        await world.ended(execution.name)
        assert (await world.cloud.release(execution.name)).released
        await world.cloud.delete_execution(execution.name)
        await world.cloud.delete_execution(execution.name)
        with pytest.raises(NotFound, match=f"no execution {execution.name}"):
            await world.cloud.cancel_execution(execution.name)

    play(tmp_path, scenario)


def test_a_slow_region_answers_late_and_not_at_all_once_it_is_down(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        faults = world.cloud.region("us-central1").faults
        faults.latency_seconds = 0.02
        assert (await run(world)).state is ExecutionState.PENDING
        late = asyncio.create_task(run(world, key="late"))
        await asyncio.sleep(0)
        faults.down = True
        with pytest.raises(ProviderUnavailable, match="us-central1 is down"):
            await late
        assert await world.cloud.asked(["late"]) == [None]

    play(tmp_path, scenario)


def test_a_closed_cloud_answers_that_it_is_unavailable(tmp_path: Path) -> None:
    async def main() -> None:
        world = await open_world(tmp_path, FakeSpawner(TickingClock()))
        execution = await run(world)
        await world.cloud.close()
        with pytest.raises(ProviderUnavailable, match="not running"):
            await run(world)
        with pytest.raises(ProviderUnavailable):
            await world.cloud.cancel_execution(execution.name)
        await world.database.close()

    asyncio.run(main())


def test_a_start_to_make_up_for_whose_secret_is_gone_is_a_failed_attempt(tmp_path: Path) -> None:
    async def forget_secrets(tx: Tx) -> None:
        await tx.execute("DELETE FROM secret_version")

    async def main() -> None:
        spawner = FakeSpawner(TickingClock())
        world = await open_world(tmp_path, spawner)
        await world.box.add_version("db", b"value")
        env = [{"name": "DB", "valueSource": {"secretKeyRef": {"secret": "db"}}}]
        execution = await run(world, env=env)
        await reach(lambda: bool(spawner.alive))
        await world.cloud.close()
        await world.database.write(forget_secrets)
        await world.database.close()
        spawner.alive.clear()  # as if the engine had died between book and spawner
        spawner.known.clear()
        world = await open_world(tmp_path, spawner, seed=2)
        ended = await world.ended(execution.name)
        assert ended.state is ExecutionState.FAILED
        assert "secret db has no version" in ended.message
        assert len(spawner.spawned) == 1
        await world.close()

    asyncio.run(main())
