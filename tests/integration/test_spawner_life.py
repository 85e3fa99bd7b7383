"""The spawner and its client die, come back, and lose nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import uvloop

from runyard.localcloud.spawner.channel import connect
from runyard.localcloud.spawner.launch import launch
from runyard.localcloud.spawner.port import SecretFile
from runyard.localcloud.spawner.server import processes
from runyard.localcloud.spawner.server.main import BUSY
from runyard.model.errors import ProviderUnavailable
from tests.support.spawner import NOW, House, gone, house, inside, until

_FAMILY = (
    "echo up; (setsid sleep 1000 &) ; echo x > file; mkdir -p a/b; chmod 0 a; sleep 1000 & wait"
)


@pytest.mark.parametrize("cgroup", [True, False])
def test_a_killed_spawner_leaves_nothing_and_its_tasks_are_lost(
    tmp_path: Path, cgroup: bool
) -> None:
    async def story() -> None:
        async with house(tmp_path, cgroup=cgroup) as made:
            before = (await made.shell("exit 4", key="unrelated")).exit_code
            await made.start("done", "/bin/sh", "-c", "exit 4")
            await made.end("done")
            files = (SecretFile("/pw", b"secret"),)
            await made.start("lost", "/bin/sh", "-c", _FAMILY, files=files)
            await made.printed("up")
            first, pid = made.client.instance, made.client.pid
            os.kill(pid, signal.SIGKILL)
            await gone(pid)
            end = await made.end("lost")
            assert end.lost
            assert end.exit_code is end.signal is None
            assert end.removed["folder"] == end.removed["memory_folder"] == 1
            assert end.removed["process"] == 3
            assert end.left == ()
            assert made.client.instance != first
            assert made.left_behind() == []
            assert (await made.end("done")).exit_code == before == 4
            assert not await made.client.spawn(made.order("lost", "/bin/true"))
            asked = await made.client.lost(["lost", "done", "never"])
            assert [(each.key, each.lost) for each in asked] == [("lost", True), ("never", True)]
            assert asked[1].ended_at == NOW
            assert (await made.shell("exit 0", key="next")).exit_code == 0

    inside(story)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a group to move to")
def test_groups_are_found_also_by_a_spawner_in_another_place(tmp_path: Path) -> None:
    """An engine started again may be in another group: what its tasks left is where it was."""

    async def story() -> None:
        async with house(tmp_path) as made:
            if made.client.abilities.cgroup not in ("v1", "hybrid"):
                pytest.skip("written for v1")
            script = "env -i setsid sleep 1000 & echo up; wait"
            await made.start("k", "/bin/sh", "-c", script)
            await made.printed("up")
            first = [Path(each) for each in made.client._hello["subtree"]]
            inner = first[0].parent / f"runyard-test-{os.getpid()}"
            inner.mkdir()
            (inner / "cgroup.procs").write_text("0")
            try:
                os.kill(made.client.pid, signal.SIGKILL)
                end = await made.end("k")
                assert end.lost
                assert end.removed["process"] == 2
                assert made.client._hello["subtree"] != [str(each) for each in first]
                assert not first[0].exists()
                await made.client.close(stop=True)
            finally:
                (first[0].parent / "cgroup.procs").write_text("0")
                inner.rmdir()
            await made.client.start()

    inside(story)


def test_a_client_that_comes_back_finds_what_runs_and_what_ended(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            await made.start("runs", "/bin/sh", "-c", "echo up; sleep 1000")
            await made.start("ended", "/bin/sh", "-c", "exit 6")
            await made.end("ended")
            await made.printed("up")
            first = made.client.instance
            await made.client.close()
            with pytest.raises(ProviderUnavailable, match="closed"):
                await made.client.running()
            made.client = made.new_client()
            await made.client.start()
            assert made.client.instance == first
            assert await made.client.running() == ["runs"]
            assert [end.exit_code for end in await made.client.ends()] == [6]
            assert await made.client.lost(["runs", "ended"]) == []
            await made.client.forget(["ended"])
            assert await made.client.ends() == []

    inside(story)


def test_a_timeout_holds_while_nobody_is_connected(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            await made.start("k", "/bin/sh", "-c", "echo $$; exec sleep 1000", timeout_seconds=0.4)
            await until(lambda: bool(made.texts()))
            await made.client.close()
            await gone(int(made.texts()[0]))
            made.client = made.new_client()
            await made.client.start()
            end = await made.end("k")
            assert end.timed_out
            assert end.signal == signal.SIGTERM

    inside(story)


def test_a_killed_engine_takes_nobody_along(tmp_path: Path) -> None:
    """The engine is a process of its own here, in its own session, and dies by SIGKILL."""
    engine = f"""
import asyncio, sys
from pathlib import Path
from tests.support.spawner import House
async def main():
    made = House(Path({str(tmp_path / "spawner")!r}))
    await made.client.start()
    await made.start("k", "/bin/sh", "-c", "echo up; sleep 0.3; echo still there; exit 9")
    await made.printed("up")
    print("started", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""

    def until_it_dies() -> None:
        with subprocess.Popen([sys.executable, "-c", engine], stdout=subprocess.PIPE) as process:
            assert process.stdout
            assert process.stdout.readline() == b"started\n"
            process.kill()

    async def story() -> None:
        await asyncio.to_thread(until_it_dies)
        async with house(tmp_path) as made:
            assert (await made.end("k")).exit_code == 9
            assert made.texts() == ["up", "still there"]

    inside(story)


def test_ends_outlive_the_spawner_also_if_it_ended_by_itself(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            await made.start("k", "/bin/sh", "-c", "exit 3")
            await made.end("k")
            await made.client.close(stop=True)
            assert processes.look(made.client.pid) is None
            await made.client.start()
            assert (await made.end("k")).exit_code == 3
            await made.client.forget(["k"])
            await made.client.close(stop=True)
            await made.client.start()
            assert await made.client.ends() == []

    inside(story)


def test_told_to_end_it_waits_for_its_tasks(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            await made.start("k", "/bin/sh", "-c", "echo up; exec sleep 1000")
            await made.printed("up")
            pid = made.client.pid
            await made.client.close(stop=True)
            os.kill(int(processes.tagged(made.tag)[0][0]), signal.SIGKILL)
            await gone(pid)
            await made.client.start()
            assert made.client.pid != pid
            assert (await made.end("k")).signal == signal.SIGKILL

    inside(story)


def test_who_comes_back_in_time_keeps_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            await made.start("k", "/bin/sh", "-c", "echo up; exec sleep 1000")
            pid = made.client.pid
            await made.client.close(stop=True)
            await made.client.start()
            assert made.client.pid == pid
            assert (await made.shell("exit 5", key="l")).exit_code == 5
            await made.client.stop("k")
            assert (await made.end("k")).stopped
            assert (await made.shell("exit 6", key="m")).exit_code == 6

    inside(story)


def test_one_spawner_a_folder(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            assert await asyncio.to_thread(launch, made.client._settings) == BUSY
            others = [made.new_client() for _ in range(3)]
            await asyncio.gather(*(each.start() for each in others))
            assert {each.pid for each in others} == {made.client.pid}
            await asyncio.gather(*(each.close() for each in others))

    inside(story)


def test_many_clients_start_one_spawner_together(tmp_path: Path) -> None:
    async def story() -> None:
        made = House(tmp_path / "spawner")
        clients = [made.client, *(made.new_client() for _ in range(3))]
        await asyncio.gather(*(each.start() for each in clients))
        assert len({each.pid for each in clients}) == 1
        for each in clients[1:]:
            await each.close()
        await made.client.close(stop=True)

    inside(story)


def test_a_spawner_with_other_settings_is_replaced_when_idle(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            first = made.client.pid
            await made.client.close()
            made.client = House(made.folder, cgroup=False).client
            await made.client.start()
            assert made.client.pid != first
            assert made.client.abilities.cgroup == ""
            assert made.client.abilities.memory_enforced_by == "rlimit"

    inside(story)


def test_it_works_on_uvloop(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            keys = [f"k{number}" for number in range(50)]
            orders = [made.order(key, "/bin/sh", "-c", "echo x; exit 3") for key in keys]
            assert await asyncio.gather(*map(made.client.spawn, orders)) == [True] * 50
            ends = await made.all_ends(keys)
            assert {end.exit_code for end in ends.values()} == {3}
            pid = made.client.pid
            os.kill(pid, signal.SIGKILL)
            await gone(pid)
            assert (await made.shell("exit 5")).exit_code == 5

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(story())


def test_a_path_longer_than_a_socket_address(tmp_path: Path) -> None:
    async def story() -> None:
        folder = tmp_path / ("x" * 120)
        folder.mkdir()
        async with house(folder) as made:
            assert (await made.shell("exit 2")).exit_code == 2

    inside(story)


def test_an_unneeded_spawner_ends_by_itself(tmp_path: Path) -> None:
    async def story() -> None:
        made = House(tmp_path / "spawner", idle_seconds=0.2)
        await made.client.start()
        await made.start("k", "/bin/sh", "-c", "sleep 0.4; exit 1")
        pid = made.client.pid
        await made.client.close()
        await gone(pid)
        assert connect(made.folder) is None
        await made.client.start()
        assert (await made.end("k")).exit_code == 1
        await made.client.close(stop=True)

    inside(story)
