"""The cloud on this machine with real processes: many tasks, regions, secrets, and sudden death."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from runyard.localcloud.cloudrun.resources import (
    Execution,
    ExecutionState,
    Region,
    RunRequest,
)
from runyard.localcloud.logging.reader import Entry, read_page
from runyard.localcloud.spawner.client import SpawnerClient
from runyard.model.quantities import GIB
from tests.support.cloud import World, make_template
from tests.support.real_cloud import close_real_world, make_real_world

WIDE = Region("us-central1", 64_000, 64 * GIB)
ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def real_world(folder: Path, **how: Any) -> AsyncIterator[World]:
    world = await make_real_world(folder, **how)
    try:
        yield world
    finally:
        await close_real_world(world)


def play(folder: Path, scenario: Callable[[World], Awaitable[None]], **how: Any) -> None:
    async def main() -> None:
        async with real_world(folder, **how) as world:
            await scenario(world)

    asyncio.run(main())


async def launch(world: World, script: str, region: str = "us-central1", **how: Any) -> Execution:
    request = RunRequest("shop", region, "report", make_template("sh", "-c", script, **how))
    execution = await world.cloud.run_job(request)
    assert isinstance(execution, Execution)
    return execution


def printed(folder: Path, execution: str) -> list[Entry]:
    page = read_page(folder / "logs" / f"{execution}.log", limit=100_000)
    assert page.complete
    return [entry for entry in page.entries if entry.stream == "stdout"]


def most_at_once(entries: list[Entry]) -> int:
    """From lines `up` and `down`, in the order in which they were printed."""
    now = most = 0
    for entry in entries:
        now += 1 if entry.text == "up" else -1
        most = max(most, now)
    return most


def test_parallelism_is_kept_by_real_processes(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        script = "echo up; sleep 0.05; echo down"
        execution = await launch(world, script, tasks=12, parallelism=4)
        assert (await world.ended(execution.name)).tally.succeeded_count == 12
        lines = printed(tmp_path, execution.name)
        assert Counter(entry.text for entry in lines) == {"up": 12, "down": 12}
        assert most_at_once(lines) == 4

    play(tmp_path, scenario, regions=[WIDE])


def test_each_region_keeps_its_own_capacity(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        script = "echo up; sleep 0.05; echo down"
        here = await launch(world, script, tasks=9)
        there = await launch(world, script, "europe-west1", tasks=9)
        for execution, room in ((here, 3), (there, 1)):
            assert (await world.ended(execution.name)).state is ExecutionState.SUCCEEDED
            assert most_at_once(printed(tmp_path, execution.name)) == room

    regions = [Region("us-central1", 3000, 8 * GIB), Region("europe-west1", 4000, GIB // 2)]
    play(tmp_path, scenario, regions=regions)


def test_secrets_reach_a_task_and_nothing_else(tmp_path: Path) -> None:
    value = b"correct-horse-battery-staple"

    async def scenario(world: World) -> None:
        await world.give("pass", value)
        ref = {"secretKeyRef": {"secret": "pass", "version": "1"}}
        script = (
            '[ "$(cat "$RUNYARD_MOUNT_ROOT/secrets/pass.txt")" = "$PASS" ] && echo "got $PASS"'
            ' && echo x > "$RUNYARD_MOUNT_ROOT/scratch/file"'
        )
        execution = await launch(
            world,
            script,
            env=[{"name": "PASS", "valueSource": ref}],
            volumes=[
                {
                    "name": "secrets",
                    "secret": {"secret": "pass", "items": [{"path": "pass.txt", "version": "1"}]},
                },
                {"name": "scratch", "emptyDir": {}},
            ],
            mounts=[
                {"name": "secrets", "mountPath": "/secrets"},
                {"name": "scratch", "mountPath": "/scratch"},
            ],
        )
        ended = await world.ended(execution.name)
        assert ended.state is ExecutionState.SUCCEEDED, ended.message
        assert [entry.text for entry in printed(tmp_path, execution.name)] == [
            "got [redacted:pass]"
        ]
        assert ended.tally.left == ()
        assert_nowhere(tmp_path, value)

    play(tmp_path, scenario)
    assert_nowhere(tmp_path, value)


def assert_nowhere(folder: Path, value: bytes) -> None:
    """Not one file below `folder` has the bytes, whatever it is."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "cloud.db" for path in files)
    assert [str(path) for path in files if value in path.read_bytes()] == []


def test_a_thousand_tasks_take_seconds(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        began = time.perf_counter()
        execution = await launch(world, "exit 0", tasks=1000)
        ended = await world.ended(execution.name)
        seconds = time.perf_counter() - began
        assert (ended.tally.succeeded_count, ended.tally.attempts) == (1000, 1000)
        assert ended.tally.left == ()
        assert seconds < 60, f"{1000 / seconds:.0f} tasks a second"

    play(tmp_path, scenario)


def test_memory_is_limited_and_said_in_googles_words(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        if world.spawner.abilities.memory_enforced_by != "cgroup":
            pytest.skip(f"no memory limit here: {world.spawner.abilities.cgroup_reason}")
        request = RunRequest(
            "shop", "us-central1", "report",
            make_template("tail", "/dev/zero", memory="64Mi"),
        )  # fmt: skip
        execution = await world.cloud.run_job(request)
        assert isinstance(execution, Execution)
        failure = (await world.ended(execution.name)).tally.failures[0]
        assert failure.out_of_memory
        assert failure.message.startswith("Memory limit of 64 MiB exceeded with 64 MiB used.")

    play(tmp_path, scenario)


# -- sudden death ----------------------------------------------------------------------------------
@contextmanager
def hosted(folder: Path, template: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """Another process that hosts the cloud and runs `template`: its id, and the execution."""
    command = [sys.executable, "-m", "tests.support.cloud_host", str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as host:
        assert host.stdin is not None
        assert host.stdout is not None
        host.stdin.write(json.dumps(template))
        host.stdin.close()
        try:
            yield host.pid, host.stdout.readline().strip()
        finally:
            host.kill()


def wait_for_lines(folder: Path, execution: str, count: int) -> None:
    """Until the execution has printed so many lines."""
    for _ in range(6000):
        if len(printed(folder, execution)) >= count:
            return
        signal.sigtimedwait([], 0.01)
    raise AssertionError("the lines never came")


def lives(process: str) -> bool:
    """True unless it is gone, or dead and only not yet collected by its new parent."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


@pytest.mark.parametrize("lines", [0, 1, 7, 20])
def test_tasks_are_found_again_after_the_engine_was_killed(tmp_path: Path, lines: int) -> None:
    script = "echo $CLOUD_RUN_TASK_INDEX.$CLOUD_RUN_TASK_ATTEMPT; sleep 0.1"
    template = make_template("sh", "-c", script, tasks=24)
    with hosted(tmp_path, template) as (pid, name):
        wait_for_lines(tmp_path, name, lines)
        os.kill(pid, signal.SIGKILL)

    async def scenario(world: World) -> None:
        ended = await world.ended(name)
        assert ended.state is ExecutionState.SUCCEEDED, ended.message
        assert ended.tally.attempts == 24
        found = Counter(entry.text for entry in printed(tmp_path, name))
        assert found == {f"{index}.0": 1 for index in range(24)}

    play(tmp_path, scenario, seed=2)


def test_tasks_of_a_dead_spawner_are_lost_and_retried(tmp_path: Path) -> None:
    script = "echo $$ $CLOUD_RUN_TASK_ATTEMPT; [ $CLOUD_RUN_TASK_ATTEMPT = 1 ] || sleep 60"
    template = make_template("sh", "-c", script, tasks=4, retries=1)
    with hosted(tmp_path, template) as (pid, name):
        wait_for_lines(tmp_path, name, 4)
        os.kill(pid, signal.SIGKILL)

    async def scenario(world: World) -> None:
        assert isinstance(world.spawner, SpawnerClient)
        before = [entry.text.split()[0] for entry in printed(tmp_path, name)]
        os.kill(world.spawner.pid, signal.SIGKILL)
        ended = await world.ended(name)
        assert ended.state is ExecutionState.SUCCEEDED, ended.message
        assert (ended.tally.attempts, ended.tally.retried_count) == (8, 4)
        tasks = await world.book.tasks(name, 0, 10)
        assert [task.attempt for task in tasks] == [1, 1, 1, 1]
        assert [process for process in before if await asyncio.to_thread(lives, process)] == []

    play(tmp_path, scenario, seed=2)


def test_no_retry_left_makes_a_lost_task_a_failure_that_says_so(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        assert isinstance(world.spawner, SpawnerClient)
        execution = await launch(world, "echo up; sleep 60")
        await asyncio.to_thread(wait_for_lines, tmp_path, execution.name, 1)
        os.kill(world.spawner.pid, signal.SIGKILL)
        ended = await world.ended(execution.name)
        assert ended.state is ExecutionState.FAILED
        assert "was lost" in ended.message
        assert ended.tally.lost_count == 1

    play(tmp_path, scenario)
