"""The cloud over a fake spawner: what is started when, kept before what, and found again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from runyard.localcloud.cloudrun.resources import (
    ExecutionState,
    Faults,
    Reason,
    Region,
    RunRequest,
    Withdrawal,
)
from runyard.localcloud.logging.reader import read_page
from runyard.localcloud.spawner.port import TaskOrder
from runyard.model.errors import (
    InvalidSpec,
    NotFound,
    ProviderTimeout,
    ProviderUnavailable,
    QuotaExceeded,
)
from runyard.model.quantities import GIB
from tests.support.cloud import World, make_template
from tests.support.fake_cloud import play, reach, run, settle
from tests.support.fake_spawner import FakeSpawner


def test_runs_each_index_once_with_the_contract_of_cloud_run(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        execution = await run(world, tasks=3, env=[{"name": "MODE", "value": "fast"}])
        await reach(lambda: len(spawner.alive) == 3)
        order = spawner.orders[f"{execution.name}-task2/0"]
        assert dict(order.env) == {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "MODE": "fast",
            "CLOUD_RUN_JOB": "report",
            "CLOUD_RUN_EXECUTION": execution.name,
            "CLOUD_RUN_TASK_INDEX": "2",
            "CLOUD_RUN_TASK_ATTEMPT": "0",
            "CLOUD_RUN_TASK_COUNT": "3",
        }
        for key in list(spawner.alive):
            spawner.finish(key)
        ended = await world.ended(execution.name)
        assert ended.state is ExecutionState.SUCCEEDED
        assert ended.tally.succeeded_count == 3
        assert ended.tally.removed == (("folder", 3),)
        await reach(lambda: not spawner.kept_ends)

    play(tmp_path, scenario)


def test_a_start_is_kept_before_the_spawner_hears_of_it(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        seen: list[bool] = []
        original = spawner.spawn

        async def spawn(order: TaskOrder) -> bool:
            rows = await world.book.tasks(order.env["CLOUD_RUN_EXECUTION"], 0, 100)
            seen.append(any(row.index == order.task and row.state == "running" for row in rows))
            return await original(order)

        spawner.spawn = spawn  # type: ignore[method-assign]
        await run(world, tasks=4)
        await reach(lambda: len(seen) == 4)
        assert all(seen)

    play(tmp_path, scenario)


def test_an_end_is_kept_before_the_spawner_may_drop_it(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        kept: list[str] = []
        original = spawner.forget

        async def forget(keys: list[str]) -> None:
            rows = await world.book.tasks(execution.name, 0, 10)
            kept.extend(str(row.state) for row in rows)
            await original(keys)

        spawner.forget = forget  # type: ignore[method-assign]
        execution = await run(world)
        await reach(lambda: bool(spawner.alive))
        spawner.finish(f"{execution.name}-task0/0")
        await reach(lambda: bool(kept))
        assert kept == ["succeeded"]

    play(tmp_path, scenario)


def test_parallelism_bounds_what_runs_at_once(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        execution = await run(world, tasks=12, parallelism=2)
        for _ in range(12):
            await reach(lambda: bool(spawner.alive))
            spawner.finish(next(iter(spawner.alive)))
            await settle(world)
        assert (await world.ended(execution.name)).tally.succeeded_count == 12
        assert spawner.most_alive == 2

    play(tmp_path, scenario)


def test_a_region_holds_what_its_capacity_allows(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        await run(world, tasks=10)
        await run(world, tasks=10, region="europe-west1")
        await reach(lambda: len(spawner.alive) == 6)
        await settle(world)
        assert len(spawner.alive) == 6  # 4 vCPU here, 2 there
        assert {use.region.name: use.running_tasks for use in world.cloud.regions} == {
            "us-central1": 4,
            "europe-west1": 2,
        }

    play(tmp_path, scenario)


def test_a_task_larger_than_its_region_runs_alone_and_says_so(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        execution = await run(world, tasks=2, cpu="8", memory="32Gi")
        await reach(lambda: len(spawner.alive) == 1)
        await settle(world)
        assert len(spawner.alive) == 1
        assert any("runs alone" in warning for warning in execution.warnings)

    play(tmp_path, scenario)


def test_a_huge_execution_does_not_starve_a_small_one(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        await run(world, tasks=10_000, job="huge")
        await reach(lambda: len(spawner.alive) == 4)
        small = await run(world, tasks=2, job="small")
        await settle(world)
        for _ in range(3):
            spawner.finish(next(iter(spawner.alive)))
            await settle(world)
        assert any(key.startswith(small.name) for key in spawner.spawned)

    play(tmp_path, scenario)


def test_retries_stay_in_place_and_count_up(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        execution = await run(world, tasks=2, retries=2)
        for attempt in range(3):
            key = f"{execution.name}-task1/{attempt}"
            await reach(lambda key=key: key in spawner.alive)  # type: ignore[misc]
            assert spawner.orders[key].env["CLOUD_RUN_TASK_ATTEMPT"] == str(attempt)
            spawner.finish(key, 7)
        spawner.finish(f"{execution.name}-task0/0")
        ended = await world.ended(execution.name)
        assert ended.state is ExecutionState.FAILED
        assert (ended.tally.failed_count, ended.tally.retried_count) == (1, 1)
        assert ended.tally.failures[0].attempts == 3
        assert ended.reason is Reason.NON_ZERO_EXIT_CODE
        assert ended.message == (
            f"Task {execution.name}-task1 failed with exit code: 7 and message:"
            " The container exited with an error."
        )

    play(tmp_path, scenario)


def test_cancel_stops_what_runs_and_never_starts_the_rest(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        execution = await run(world, tasks=10, parallelism=2, retries=3)
        await reach(lambda: len(spawner.alive) == 2)
        await world.cloud.cancel_execution(execution.name)
        ended = await world.ended(execution.name)
        assert ended.state is ExecutionState.CANCELLED
        assert ended.tally.cancelled_count == 10
        assert len(spawner.spawned) == 2
        tasks = await world.cloud.tasks(execution.name, first=1, limit=3)
        assert [(task.index, str(task.state)) for task in tasks] == [
            (index, "cancelled") for index in (1, 2, 3)
        ]
        await world.cloud.cancel_execution(execution.name)
        assert (await world.cloud.execution(execution.name)) == ended

    play(tmp_path, scenario)


def test_the_same_key_runs_once(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        found = await asyncio.gather(*(run(world, key="run_1/1") for _ in range(20)))
        assert len({execution.name for execution in found}) == 1
        await settle(world)
        assert len(spawner.spawned) == 1

    play(tmp_path, scenario)


def test_a_withdrawn_key_never_runs(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        assert isinstance(await world.cloud.withdraw("run_1/1"), Withdrawal)
        request = RunRequest(
            "shop", "us-central1", "report", make_template(), request_key="run_1/1"
        )
        assert isinstance(await world.cloud.run_job(request), Withdrawal)
        await settle(world)
        assert spawner.spawned == []

    play(tmp_path, scenario)


def test_a_missing_secret_fails_the_execution_and_names_it(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        env = [{"name": "DB", "valueSource": {"secretKeyRef": {"secret": "db", "version": "7"}}}]
        execution = await run(world, tasks=100, env=env)
        ended = await world.ended(execution.name)
        assert ended.state is ExecutionState.FAILED
        assert ended.reason is Reason.SECRETS_ACCESS_CHECK_FAILED
        assert "there is no secret db" in ended.message
        assert spawner.spawned == []
        page = read_page(tmp_path / "logs" / f"{execution.name}.log")
        assert [entry.severity for entry in page.entries] == ["WARNING", "ERROR"]
        assert page.entries[1].text == ended.message

    play(tmp_path, scenario)


def test_latest_is_read_at_each_start(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        ref = {"secret": "projects/other/secrets/db", "version": "latest"}
        env = [{"name": "DB", "valueSource": {"secretKeyRef": ref}}]
        await world.give("db", b"old-value")
        execution = await run(world, retries=1, env=env)
        await reach(lambda: bool(spawner.alive))
        await world.neighbours.secrets.add_version("local", "db", b"new-value")
        spawner.finish(f"{execution.name}-task0/0", 1)
        await reach(lambda: len(spawner.spawned) == 2)
        values = [spawner.orders[key].env["DB"] for key in spawner.spawned]
        assert values == ["old-value", "new-value"]
        assert spawner.orders[spawner.spawned[1]].redactions == (("db", "new-value"),)

    play(tmp_path, scenario)


def test_faults_of_a_region(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        faults: Faults = world.cloud.region("us-central1").faults
        faults.down = True
        with pytest.raises(ProviderUnavailable, match="us-central1 is down"):
            await run(world, key="k1")
        assert (await run(world, region="europe-west1")).state is ExecutionState.RUNNING
        faults.down = False
        faults.answers_to_lose = 1
        with pytest.raises(ProviderTimeout):
            await run(world, key="k1")
        execution = await run(world, key="k1")
        await settle(world)
        started = [key for key in spawner.spawned if key.startswith(execution.name)]
        assert len(started) == 1  # the work was done although the answer was lost

    play(tmp_path, scenario)


def test_the_quota_of_running_executions(tmp_path: Path) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        await asyncio.gather(*(run(world) for _ in range(3)))
        with pytest.raises(QuotaExceeded, match="3 running executions"):
            await run(world)
        await reach(lambda: bool(spawner.alive))
        spawner.finish(next(iter(spawner.alive)))
        await reach(lambda: world.cloud.regions[0].executions == 2)
        await run(world)

    play(tmp_path, scenario, regions=[Region("us-central1", 4000, 8 * GIB, 3)])


@pytest.mark.parametrize(
    ("template", "words"),
    [
        (make_template(env=[{"name": "CLOUD_RUN_JOB", "value": "x"}]), "CLOUD_RUN_JOB"),
        (make_template(command=[]), "a command"),
        (make_template(tasks=10_001), "taskCount is 10001"),
        ({"template": {"containers": []}}, "at least one container"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_kept(
    tmp_path: Path, template: dict[str, Any], words: str
) -> None:
    async def scenario(world: World, spawner: FakeSpawner) -> None:
        request = RunRequest("shop", "us-central1", "report", template, request_key="k")
        with pytest.raises(InvalidSpec, match=words):
            await world.cloud.run_job(request)
        assert await world.cloud.asked(["k"]) == [None]
        with pytest.raises(NotFound, match="no region mars; it has europe-west1, us-central1"):
            await world.cloud.run_job(RunRequest("shop", "mars", "report", template))

    play(tmp_path, scenario)
