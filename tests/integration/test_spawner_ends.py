"""How tasks end under a real spawner, with control groups and without."""

from __future__ import annotations

import getpass
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from runyard.localcloud.spawner.server.places import tag_of
from tests.support.spawner import PYTHON, House, house, inside, until

Story = Callable[[House], Coroutine[Any, Any, None]]
Play = Callable[[Story], None]


@pytest.fixture(params=["cgroup", "bare"])
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Play:
    """Runs a story under a fresh spawner of each kind."""

    def run(story: Story) -> None:
        async def told() -> None:
            async with house(tmp_path, cgroup=request.param == "cgroup") as made:
                if request.param == "cgroup" and not made.client.abilities.cgroup:
                    pytest.skip(made.client.abilities.cgroup_reason)
                await story(made)

        inside(told)

    return run


def test_an_exit_code_is_kept(play: Play) -> None:
    async def story(made: House) -> None:
        for code in (0, 1, 3, 255):
            end = await made.shell(f"exit {code}", key=f"k{code}")
            assert (end.exit_code, end.signal) == (code, None)
            assert not any((end.timed_out, end.stopped, end.lost, end.not_started))
            assert end.started_at <= end.ended_at
            assert end.removed["folder"] == 1
            assert end.left == ()

    play(story)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGPIPE])
def test_a_signal_is_kept(play: Play, number: signal.Signals) -> None:
    async def story(made: House) -> None:
        end = await made.shell(f"kill -{int(number)} $$")
        assert (end.exit_code, end.signal) == (None, int(number))

    play(story)


def test_what_cannot_be_run_is_said(play: Play, tmp_path: Path) -> None:
    async def story(made: House) -> None:
        missing = await made.run("no-such-program", key="a")
        assert missing.not_started
        assert missing.exit_code is missing.signal is None
        assert missing.message == "cannot run 'no-such-program': not found in PATH"
        absent = await made.run("/nowhere/at-all", key="b")
        assert absent.message == "cannot run '/nowhere/at-all': No such file or directory"
        closed = await made.run("/etc/passwd", key="c")
        assert "Permission denied" in closed.message
        nowhere = await made.run("/bin/true", key="d", working_folder="/nowhere")
        assert nowhere.message == "working folder /nowhere: No such file or directory"
        odd = await made.run("/bin/true", "a\0b", key="e")
        assert odd.not_started
        assert "null" in odd.message
        equals = await made.run("/bin/true", key="f", env={"A=B": "c"})
        assert equals.not_started
        big = await made.run("/bin/true", "x" * 3_000_000, key="g")
        assert "Argument list too long" in big.message
        assert made.left_behind() == []

    play(story)


def test_a_key_is_started_once(play: Play) -> None:
    async def story(made: House) -> None:
        await made.start("k", "/bin/sh", "-c", "echo once; sleep 60")
        assert not await made.client.spawn(made.order("k", "/bin/echo", "twice"))
        await made.printed("once")
        await made.client.stop("k")
        assert (await made.end("k")).stopped
        assert not await made.client.spawn(made.order("k", "/bin/echo", "twice"))
        assert made.texts() == ["once"]

    play(story)


def test_the_environment_is_exactly_the_order(play: Play) -> None:
    async def story(made: House) -> None:
        await made.run("/usr/bin/env", "-0", key="a/b", env={"A": "1", "B": "x=y\nz", "Ü": "ß"})
        tag = tag_of(str(made.folder))
        text = "\n".join(made.texts()).replace("\0", "\n")
        lines = dict(line.split("=", 1) for line in text.split("\n") if "=" in line)
        assert lines.pop("HOME").startswith(str(made.work_folder()))
        assert lines.pop("PATH").endswith("/bin")
        assert lines.pop("RUNYARD_OUTPUT").startswith(str(made.work_folder()))
        assert lines == {"A": "1", "B": "x=y", "Ü": "ß", "RUNYARD_TASK": f"{tag}:a/b"}

    play(story)


def test_home_and_path_of_the_order_win(play: Play) -> None:
    async def story(made: House) -> None:
        await made.run("env", env={"HOME": "/", "PATH": "/usr/bin"})
        assert {"HOME=/", "PATH=/usr/bin"} <= set(made.texts())

    play(story)


def test_it_runs_as_the_task_user_in_a_folder_of_its_own(play: Play) -> None:
    async def story(made: House) -> None:
        await made.shell("id -un; pwd; stat -c '%a %U' .; ls -A | wc -l; echo 1 > file")
        user, folder, rights, count = made.texts()
        assert user == ("nobody" if os.geteuid() == 0 else getpass.getuser())
        assert rights == f"700 {user}"
        assert count == "0"
        assert folder.startswith(str(made.work_folder()))
        assert made.left_behind() == []

    play(story)


def test_a_given_working_folder_is_used_and_kept(play: Play) -> None:
    async def story(made: House) -> None:
        end = await made.shell("pwd", working_folder="/usr/share", task=1)
        assert made.texts() == ["/usr/share"]
        assert "folder" not in end.removed

    play(story)
    assert Path("/usr/share").is_dir()


def test_standard_input_is_empty_and_nothing_else_is_open(play: Play) -> None:
    async def story(made: House) -> None:
        code = "import os; print(sorted(os.listdir('/proc/self/fd'))[:-1], os.read(0, 1))"
        await made.run(PYTHON, "-c", code)
        assert made.texts() == ["['0', '1', '2'] b''"]

    play(story)


def test_it_begins_with_plain_signals_and_limits(play: Play) -> None:
    async def story(made: House) -> None:
        await made.shell("grep -E 'SigBlk|SigIgn' /proc/self/status; ulimit -n")
        blocked, ignored, files = made.texts()
        assert int(blocked.split()[1], 16) == 0
        of_glibc = 0b11 << 31  # signals 32 and 33, which its posix_spawn ignores
        assert int(ignored.split()[1], 16) & ~of_glibc == 0
        own = os.sysconf("SC_OPEN_MAX")
        assert int(files) == own

    play(story)


def test_a_timeout_asks_first(play: Play) -> None:
    async def story(made: House) -> None:
        end = await made.shell(
            "trap 'echo asked; exit 7' TERM; echo up; while :; do sleep 0.01; done",
            timeout_seconds=1.0,
        )
        assert end.timed_out
        assert not end.stopped
        assert end.exit_code == 7
        assert made.texts() == ["up", "asked"]

    play(story)


def test_a_timeout_kills_the_whole_group_after_the_grace(play: Play) -> None:
    async def story(made: House) -> None:
        script = "trap '' TERM; (trap '' TERM; sleep 1000) & (setsid sleep 1000) & sleep 1000"
        end = await made.shell(script, timeout_seconds=1.0, grace_seconds=0.3)
        assert end.timed_out
        assert (end.exit_code, end.signal) == (None, signal.SIGKILL)
        took = (end.ended_at - end.started_at).total_seconds()
        assert took >= 1.3
        assert made.alive() == []

    play(story)


def test_stop_is_gentle_first_and_may_be_asked_twice(play: Play) -> None:
    async def story(made: House) -> None:
        await made.start("k", "/bin/sh", "-c", "trap 'exit 5' TERM; echo up; sleep 1000 & wait")
        await made.printed("up")
        await made.client.stop("k")
        await made.client.stop("k")
        end = await made.end("k")
        assert end.stopped
        assert not end.timed_out
        assert end.exit_code == 5
        await made.client.stop("k")
        await made.client.stop("never heard of")

    play(story)


def test_a_task_that_stopped_itself_is_killed_all_the_same(play: Play) -> None:
    async def story(made: House) -> None:
        end = await made.shell("kill -STOP $$", timeout_seconds=0.1, grace_seconds=0.2)
        assert end.timed_out
        assert end.signal == signal.SIGKILL

    play(story)


_DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        {wipe}
        os.execve("/bin/sleep", ["sleep", "1000"], {env})
    os._exit(0)
os.wait()
print("gone", flush=True)
"""


@pytest.mark.parametrize("env", ["os.environ", "{}"])
def test_daemons_do_not_outlive_their_task(play: Play, env: str) -> None:
    async def story(made: House) -> None:
        code = _DAEMON.format(wipe="", env=env) + "print(os.getpid())"
        spawner = made.client.pid
        end = await made.run(PYTHON, "-c", code)
        assert end.exit_code == 0
        assert made.texts()[0] == "gone"
        assert end.removed["process"] == 1
        assert _children(spawner) == []

    play(story)


def test_a_daemon_without_a_name_does_not_cost_another_task_its_own(play: Play) -> None:
    async def story(made: House) -> None:
        code = _DAEMON.format(wipe="", env="{}") + "sys.stdout.flush(); time.sleep(1000)"
        await made.start("long", PYTHON, "-c", code)
        await made.printed("gone")
        assert (await made.shell("exit 0", key="short")).removed.get("process", 0) == 0
        assert len(_children(made.client.pid)) == 2
        await made.client.stop("long")
        assert (await made.end("long")).removed["process"] == 1
        assert _children(made.client.pid) == []

    play(story)


def test_two_hundred_at_once(play: Play) -> None:
    async def story(made: House) -> None:
        keys = [f"k{number}" for number in range(200)]
        for number, key in enumerate(keys):
            await made.start(
                key, "/bin/sh", "-c", f"echo {number}; read x; exit {number % 50}", task=number
            )
        ends = await made.all_ends(keys)
        assert [ends[key].exit_code for key in keys] == [
            number % 50 if number % 50 else 0 for number in range(200)
        ]
        assert sorted(int(text) for text in made.texts()) == list(range(200))
        assert all(end.removed["folder"] == 1 and not end.left for end in ends.values())
        await made.client.forget(keys)
        assert await made.client.ends() == []
        assert await made.client.running() == []
        assert made.left_behind() == []

    play(story)


def test_the_spawner_leaks_no_descriptor(play: Play) -> None:
    async def story(made: House) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root may look into the spawner")
        folder = f"/proc/{made.client.pid}/fd"
        await made.shell("exit 0", key="first")
        before = _count(folder)
        for number in range(10):
            await made.shell("echo x; exit 1", key=f"k{number}")
            await made.run("no-such-program", key=f"n{number}")
        await until(lambda: _count(folder) == before)

    play(story)


def _count(folder: str) -> int:
    return sum(1 for _ in Path(folder).iterdir())


def _children(pid: int) -> list[int]:
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                fields = (each / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(each.name))
    return found
