"""Who may talk to a spawner, who it is itself, and what it is made of."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

import runyard
from runyard.localcloud.spawner.client import SpawnerClient
from runyard.model.errors import ProviderUnavailable
from tests.support.spawner import NOW, PYTHON, House, house, inside

_RSS_BYTES_MAX = 24 << 20  # far below any program that imports a library


def test_the_folder_is_closed_to_others(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            rights = {each.name: each.stat().st_mode & 0o777 for each in made.folder.iterdir()}
            assert made.folder.stat().st_mode & 0o777 == 0o700
            assert set(rights.values()) == {0o600}

    inside(story)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a second user to be refused")
def test_another_user_is_not_let_in(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            pid = made.client.pid
            code = (
                "import socket; s = socket.socket(socket.AF_UNIX);"
                f"s.connect('/proc/{os.getpid()}/cwd/spawner.sock'); print(s.recv(100))"
            )
            assert pid
            made.folder.chmod(0o755)
            for each in (made.folder / "spawner.sock", *made.folder.parents[:0]):
                each.chmod(0o777)
            door = os.open(made.folder, os.O_PATH | os.O_DIRECTORY)
            try:
                said = await asyncio.to_thread(_as_nobody, code.replace("cwd", f"fd/{door}"), door)
            finally:
                os.close(door)
                made.folder.chmod(0o700)
            assert said in ("b''", "refused")

    inside(story)


def _as_nobody(code: str, door: int) -> str:
    done = subprocess.run(
        [PYTHON, "-c", code.replace(f"/proc/{os.getpid()}", "/proc/self")],
        capture_output=True,
        text=True,
        check=False,
        user="nobody",
        pass_fds=(door,),
        cwd="/",
        env={},
    )
    if "ConnectionResetError" in done.stderr:
        return "refused"
    assert done.stderr == ""
    return done.stdout.strip()


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a folder of somebody else")
    folder = tmp_path / "spawner"
    folder.mkdir()
    os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)

    async def story() -> None:
        with pytest.raises(ProviderUnavailable, match="belongs to another user"):
            await House(folder).client.start()

    inside(story)


def test_an_unknown_task_user_is_said(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root chooses the user")

    async def story() -> None:
        client = SpawnerClient(
            tmp_path / "spawner", task_user="nosuchuser", clock=lambda: NOW, wake=lambda: None
        )
        with pytest.raises(ProviderUnavailable, match="no user 'nosuchuser'"):
            await client.start()
        await client.close()

    inside(story)


def test_the_process_is_small_and_imports_only_what_python_ships(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            await made.shell("echo hello")
            if os.geteuid() != 0:
                pytest.skip("only root may look into the spawner")
            assert _resident_bytes(made.client.pid) < _RSS_BYTES_MAX

    inside(story)
    code = (
        "import sys; sys.path.append(sys.argv[1]);"
        "import runyard.localcloud.spawner.server.main, json; print(json.dumps(list(sys.modules)))"
    )
    root = str(Path(runyard.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, root], capture_output=True, check=True
    )
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert loaded - {"runyard", "__main__"} <= sys.stdlib_module_names


def _resident_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests are this one then")
def test_without_root_it_works_too(tmp_path: Path) -> None:
    """Engine, spawner and tasks all as one ordinary user."""
    root = Path(runyard.__file__).parent.parent
    user = pwd.getpwnam("nobody")
    folder = Path("/var/tmp") / f"runyard-test-{os.getpid()}"
    folder.mkdir()
    os.chown(folder, user.pw_uid, user.pw_gid)
    code = f"""
import asyncio, sys, datetime
sys.path.append({str(root)!r})
from pathlib import Path
from runyard.localcloud.spawner.client import SpawnerClient
from runyard.localcloud.spawner.port import TaskOrder
async def main():
    woken = asyncio.Event()
    client = SpawnerClient(Path({str(folder)!r}) / "s", task_user="", wake=woken.set,
                           clock=lambda: datetime.datetime.now(datetime.timezone.utc))
    await client.start()
    print(client.abilities, file=sys.stderr)
    argv = ("/bin/sh", "-c", "(setsid sleep 1000 &); id -un; exit 4")
    await client.spawn(TaskOrder("k", argv, {{}}, {str(folder / "log")!r}, 0, 0, 30.0,
                                 memory_bytes=256 << 20))
    while not (ends := await client.ends()):
        woken.clear()
        await woken.wait()
    print(ends[0].exit_code, ends[0].removed["process"], client.abilities.user)
    await client.close(stop=True)
asyncio.run(main())
"""
    probe = subprocess.run(
        [PYTHON, "-c", f"import sys; sys.path.append({str(root)!r}); import runyard"],
        user="nobody", env={}, cwd="/", check=False, capture_output=True,
    )  # fmt: skip
    try:
        if probe.returncode:
            pytest.skip(f"nobody may not read {root}")
        done = subprocess.run(
            [PYTHON, "-c", code], user="nobody", group=user.pw_gid, extra_groups=[],
            env={}, cwd="/", check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.stdout == "4 1 nobody\n", done.stderr
        assert "no delegated cgroup" in done.stderr or "may not make a cgroup" in done.stderr
        assert sorted(each.name for each in folder.iterdir()) == ["log", "s"]
    finally:
        subprocess.run(["rm", "-rf", folder], check=True)
