"""Jobs and their generations, and what may be asked of an execution that has not ended."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from runyard.database.port import Tx
from runyard.localcloud.cloudrun.jobs import JobDraft
from runyard.localcloud.cloudrun.resources import Execution, ExecutionState, RunRequest
from runyard.model.errors import (
    InvalidSpec,
    NotFound,
    ProviderTimeout,
    ProviderUnavailable,
    Refused,
    StaleVersion,
)
from tests.support.cloud import TickingClock, World, make_template
from tests.support.fake_cloud import open_world, play, reach, run
from tests.support.fake_spawner import FakeSpawner

KEY = ("shop", "us-central1", "report")


def draft(*command: str, **how: Any) -> JobDraft:
    return JobDraft(*KEY, make_template(*command), **how)


def test_a_job_is_replaced_and_its_generation_grows_with_every_change(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        jobs = world.cloud.jobs
        with pytest.raises(NotFound, match="no job report in region us-central1"):
            await jobs.get(*KEY)
        first = await jobs.deploy(draft("one"))
        assert await jobs.deploy(draft("one")) == first
        second = await jobs.deploy(draft("two", labels=(("team", "data"),)))
        assert (first.generation, second.generation) == (1, 2)
        assert (second.uid, second.created_at) == (first.uid, first.created_at)
        assert second.etag != first.etag
        with pytest.raises(InvalidSpec, match="at least one container"):
            await jobs.deploy(JobDraft(*KEY, {"template": {"containers": []}}))
        execution = await world.cloud.run_job(RunRequest(*KEY))
        assert isinstance(execution, Execution)
        assert (execution.generation, execution.blueprint.argv) == (2, ("two",))
        job = await jobs.get(*KEY)
        assert (job.execution_count, job.latest_created_execution) == (1, execution.name)
        assert job.labels == (("team", "data"),)

    play(tmp_path, scenario)


def test_what_runs_by_a_template_of_its_own_leaves_the_job_as_it_is(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        job = await world.cloud.jobs.deploy(draft("one"))
        execution = await world.cloud.run_job(RunRequest(*KEY, make_template("two")))
        assert isinstance(execution, Execution)
        assert execution.blueprint.argv == ("two",)
        after = await world.cloud.jobs.get(*KEY)
        assert (after.generation, after.template, after.etag) == (1, job.template, job.etag)

    play(tmp_path, scenario)


def test_a_change_of_what_was_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        jobs = world.cloud.jobs
        with pytest.raises(StaleVersion, match="changed by somebody else"):
            await jobs.deploy(draft("one", etag="etag-of-another"))
        first = await jobs.deploy(draft("one", etag=""))
        await jobs.deploy(draft("two", etag=first.etag))
        with pytest.raises(StaleVersion, match="changed by somebody else"):
            await jobs.deploy(draft("three", etag=first.etag))
        await jobs.deploy(draft("two", etag=first.etag))  # as it is wanted: no change

    play(tmp_path, scenario)


def test_a_change_that_comes_late_is_refused_also_after_the_job_was_deleted(
    tmp_path: Path,
) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        jobs = world.cloud.jobs
        assert not await jobs.delete(*KEY, fence=1)
        first = await jobs.deploy(draft("one", fence=3))
        with pytest.raises(Refused, match="a later change"):
            await jobs.deploy(draft("two", fence=2))
        with pytest.raises(Refused, match="a later change"):
            await jobs.delete(*KEY, fence=2)
        assert await jobs.delete(*KEY, fence=5)
        assert not await jobs.delete(*KEY, fence=5)
        with pytest.raises(Refused, match="a later change"):
            await jobs.deploy(draft("one", fence=4))
        with pytest.raises(NotFound):
            await world.cloud.run_job(RunRequest(*KEY, make_template("one")))
        assert await jobs.find([KEY]) == [None]
        again = await jobs.deploy(draft("one", fence=6))
        assert (again.generation, again.uid != first.uid) == (1, True)

    play(tmp_path, scenario)


def test_a_job_says_whether_it_is_ready_and_answers_may_be_lost(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        jobs, faults = world.cloud.jobs, world.cloud.region("us-central1").faults
        faults.changes_to_lose = 1
        with pytest.raises(ProviderTimeout, match="did not answer"):
            await jobs.deploy(draft("one"))
        job = await jobs.get(*KEY)
        (ready,) = jobs.conditions(job)
        assert (ready.type, ready.state) == ("Ready", "SUCCEEDED")
        faults.unready = "no image"
        (ready,) = jobs.conditions(job)
        assert (ready.state, ready.message) == ("FAILED", "no image")
        faults.down = True
        with pytest.raises(ProviderUnavailable, match="is down"):
            await jobs.find([KEY])

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
        assert (await run(world)).state is ExecutionState.RUNNING
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
        await world.give("db", b"value")
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
