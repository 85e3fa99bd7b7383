"""Memory and CPU: bounded, measured, and told apart from other deaths."""

from __future__ import annotations

import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.support.spawner import PYTHON, House, house, inside

MIB = 1 << 20


def under(
    folder: Path, *, cgroup: bool, story: Callable[[House], Coroutine[Any, Any, None]]
) -> None:
    async def told() -> None:
        async with house(folder, cgroup=cgroup) as made:
            if cgroup and not made.client.abilities.cgroup:
                pytest.skip(made.client.abilities.cgroup_reason)
            await story(made)

    inside(told)


def test_over_the_memory_limit_is_out_of_memory(tmp_path: Path) -> None:
    async def story(made: House) -> None:
        end = await made.run(PYTHON, "-c", "x = bytearray(300 << 20)", memory_bytes=64 * MIB)
        assert end.out_of_memory
        assert end.signal == signal.SIGKILL
        assert 48 * MIB < end.memory_peak_bytes <= 64 * MIB
        assert end.memory_measured_by == "cgroup"
        child = await made.shell(
            f"{PYTHON} -c 'x = bytearray(300 << 20)'; exit 3", key="b", memory_bytes=64 * MIB
        )
        assert child.out_of_memory

    under(tmp_path, cgroup=True, story=story)


def test_other_deaths_are_not_out_of_memory(tmp_path: Path) -> None:
    async def story(made: House) -> None:
        killed = await made.shell("kill -9 $$", memory_bytes=64 * MIB)
        assert killed.signal == signal.SIGKILL
        assert not killed.out_of_memory
        within = await made.run(
            PYTHON, "-c", "x = bytearray(100 << 20)", key="b", memory_bytes=256 * MIB
        )
        assert within.exit_code == 0
        assert not within.out_of_memory

    under(tmp_path, cgroup=True, story=story)


def test_a_limit_too_small_to_begin_with_ends_the_task_only(tmp_path: Path) -> None:
    async def story(made: House) -> None:
        pid = made.client.pid
        for number in range(10):
            end = await made.run(
                PYTHON, "-c", "x = bytearray(9 << 20)", key=f"k{number}", memory_bytes=MIB
            )
            assert end.out_of_memory, end
            assert end.exit_code != 0
        assert made.client.pid == pid
        assert (await made.shell("exit 2")).exit_code == 2

    under(tmp_path, cgroup=True, story=story)


def test_peak_and_cpu_are_the_whole_familys(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "def work():\n"
        "    x = bytearray(80 << 20); end = time.process_time() + 0.3\n"
        "    while time.process_time() < end: pass\n"
        "if len(sys.argv) > 1: work()\n"
        "else:\n"
        "    subprocess.run([sys.executable, '-c', open('code').read(), 'x'])\n"
        "    work()\n"
    )

    async def story(made: House) -> None:
        end = await made.shell(
            f"cat > code <<'END'\n{code}END\n{PYTHON} code", memory_bytes=512 * MIB
        )
        assert end.exit_code == 0
        assert 80 * MIB < end.memory_peak_bytes < 180 * MIB
        assert 600 <= end.cpu_milliseconds < 3000

    under(tmp_path, cgroup=True, story=story)
    under(tmp_path / "bare", cgroup=False, story=story)


def test_the_cpu_quota_holds(tmp_path: Path) -> None:
    code = (
        "import time; begin = time.monotonic(); end = time.process_time() + 0.3\n"
        "while time.process_time() < end: pass\n"
        "print(time.monotonic() - begin)"
    )

    async def story(made: House) -> None:
        await made.run(PYTHON, "-c", code, vcpu_milli=250)
        assert float(made.texts()[0]) > 0.9

    under(tmp_path, cgroup=True, story=story)


def test_without_cgroup_memory_is_bounded_but_never_called_out_of_memory(tmp_path: Path) -> None:
    async def story(made: House) -> None:
        assert made.client.abilities.memory_enforced_by == "rlimit"
        for key, limit in (("a", 256 * MIB), ("b", 64 * MIB)):
            end = await made.run(
                PYTHON, "-c", "print('up'); x = bytearray(500 << 20)", key=key, memory_bytes=limit
            )
            assert end.exit_code == 1
            assert not end.out_of_memory
        assert "MemoryError" in made.texts("e")
        fine = await made.run(PYTHON, "-c", "x = bytearray(100 << 20)", key="c")
        assert fine.exit_code == 0
        assert fine.memory_peak_bytes > 100 * MIB
        assert fine.memory_measured_by == "rusage"
        own = await made.shell("ulimit -d", key="d", memory_bytes=256 * MIB)
        assert own.exit_code == 0
        assert made.texts()[-1] == str(256 * 1024)

    under(tmp_path, cgroup=False, story=story)


def test_a_small_spawner_does_not_falsify_peak_memory(tmp_path: Path) -> None:
    async def story(made: House) -> None:
        end = await made.run("/bin/true")
        assert 0 < end.memory_peak_bytes < 20 * MIB  # the spawner's own size is the floor

    under(tmp_path, cgroup=False, story=story)
