"""A state folder that is full, closed, damaged, oddly placed or fought for: told as what it is,
and nothing lost that was acknowledged."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.command_line import CommandLine, Result
from tests.support.nobody import as_nobody
from tests.support.real_server import RealServer, end_all, eventually, job, shell

#: Prints long lines until there is a file `stop`, and counts them in a file `count`.
CHATTY = """
while [ ! -e {marks}/stop ]; do
  head -c 20000 /dev/zero | tr '\\0' x
  echo
  printf . >> {marks}/count
  sleep 0.05
done
echo end
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that tasks of another user can pass through."""
    with TemporaryDirectory(prefix="runyard-test-") as name:
        Path(name).chmod(0o711)
        yield Path(name)
        end_all(Path(name))


@pytest.fixture(scope="module")
def used() -> Iterator[Path]:
    """A state folder with a job and a finished run, of a server that has ended."""
    with TemporaryDirectory(prefix="runyard-test-") as name:
        Path(name).chmod(0o711)
        server = _server(Path(name) / "state")
        server.up()
        assert server.apply({"kept": job("true")}).status == 200
        assert server.run("kept").status == 0
        _down(server)
        yield server.folder
        end_all(Path(name))


def _server(folder: Path) -> RealServer:
    return RealServer(CommandLine(folder, {"RUNYARD_PORT": "0"}))


def _down(server: RealServer) -> None:
    ended = server.runyard.process("down", "--stop-runs")
    assert ended.status == 0, ended.err
    assert "Traceback" not in server.log
    assert "a fault in runyard" not in server.log


def _refused(folder: Path, told: str, *words: str, status: int) -> None:
    """A server does not come up there, and says why, and that is all that is said."""
    done = CommandLine(folder, {"RUNYARD_PORT": "0"}).process("up", *words)
    assert told in done.err, done
    assert "hint: " in done.err
    assert "Traceback" not in done.err
    assert "a fault in runyard" not in done.err
    assert done.status == status, done
    with suppress(OSError):
        assert not (folder / "server.json").is_file()


def _garbage(state: Path) -> None:
    (state / "runyard.db").write_bytes(b"this is no database" * 1000)


def _half(state: Path) -> None:
    os.truncate(state / "runyard.db", (state / "runyard.db").stat().st_size // 8192 * 4096)


def _cloud_garbage(state: Path) -> None:
    (state / "cloud" / "cloud.db").write_bytes(b"\0\xff" * 10_000)


def _newer(state: Path) -> None:
    with sqlite3.connect(state / "runyard.db") as connection:
        connection.execute("INSERT INTO schema_versions VALUES (9999, 'of_tomorrow', 0)")
    connection.close()


def _folder_in_its_place(state: Path) -> None:
    (state / "runyard.db").unlink()
    (state / "runyard.db").mkdir()


def _file_in_its_place(state: Path) -> None:
    shutil.rmtree(state / "cloud")
    (state / "cloud").touch()


def _short_key(state: Path) -> None:
    (state / "cloud" / "secrets.key").write_bytes(b"short")


def _empty_token(state: Path) -> None:
    (state / "token").write_bytes(b"")


@pytest.mark.parametrize(
    ("harm", "told", "status"),
    [
        (_garbage, "runyard.db is damaged", 69),
        (_half, "runyard.db is damaged", 69),
        (_cloud_garbage, "cloud.db is damaged", 69),
        (_newer, "schema version 9999", 65),
        (_folder_in_its_place, "unable to open", 69),
        (_file_in_its_place, "cloud: it is a file", 69),
        (_short_key, "is no key of 32 bytes", 64),
        (_empty_token, "holds no token", 64),
    ],
)
def test_what_is_damaged_is_named_and_left_alone(
    harm: Callable[[Path], None], told: str, status: int, used: Path, folder: Path
) -> None:
    state = folder / "state"
    shutil.copytree(used, state, ignore=shutil.ignore_patterns("*.sock", "*-wal", "*-shm"))
    harm(state)
    before = _contents(state)
    _refused(state, told, "--detach", status=status)
    assert _contents(state) == before


def _contents(state: Path) -> dict[str, bytes]:
    names = ("runyard.db", "token", "cloud/secrets.key")
    return {name: (state / name).read_bytes() for name in names if (state / name).is_file()}


def test_a_state_folder_that_is_none(folder: Path) -> None:
    file = folder / "file"
    file.touch()
    for state in (file, file / "below"):
        _refused(state, f"{state}", "--detach", status=77)
        _refused(state, f"{state}", status=69)
        assert CommandLine(state).process("status").status == 69
        assert CommandLine(state)("down").status == 0
    _refused(folder / ("x" * 300), "of at most 255 characters", status=64)


@pytest.mark.parametrize("name", ["x" * 120 + "/" + "y" * 80, "bl ank ünï 日本 'quoted' $HOME"])
def test_a_long_or_odd_path_is_a_path(name: str, folder: Path) -> None:
    server = _server(folder / name)
    server.up()
    assert server.apply({"hello": shell("echo hello")}).status == 200
    assert server.run("hello").out == "[0] hello\n"
    _down(server)


def test_of_several_that_start_together_one_serves(folder: Path) -> None:
    command = CommandLine(folder / "state", {"RUNYARD_PORT": "0"})
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: command.process("up", "-d"), range(3)))
    served = [one for one in done if one.status == 0]
    assert served, done
    for one in done:
        assert one.status == 0 or "another server works in" in one.err, one
    server = _server(folder / "state")
    assert {one.out.strip() for one in served} == {server.said["url"]}
    assert "serving at" in server.log
    assert server.ask("GET", "/status").status == 200
    _down(server)


def test_what_others_left_in_the_folder_is_not_believed(folder: Path) -> None:
    command = CommandLine(folder)
    note = folder / "server.json"
    for text in (
        '{"url": "http://127.0.0.1:1", "pid": 1}',
        '{"url": "http://127.0.0.1:99999", "pid": 1}',
        '{"url": "ftp://[::1", "pid": 99999999999999999999999}',
        '{"url": "http://127.0.0.1:80", "pid": 1e400}',
        "[1]",
        '{"url": ',
        "\ufffe\0",
    ):
        note.write_text(text)
        assert command("down").out == "no server is running\n"
        done = command("status")
        assert done.status in (64, 69), done
        assert "hint: " in done.err
    note.unlink()
    note.mkdir()
    assert command("down").status == 0
    assert command("status").status == 69


def test_a_token_that_is_gone_is_told_with_the_way_to_a_new_one(folder: Path) -> None:
    server = _server(folder / "state")
    server.up()
    token = server.token
    for harm in ("", "\0\xff", None):
        (server.folder / "token").unlink()
        if harm is not None:
            (server.folder / "token").write_text(harm, "latin-1")
        done = server.runyard("status")
        assert done.status == 64
        assert "there is no token in" in done.err
        assert "makes a new one" in done.err
        (server.folder / "token").write_text(token)
    assert server.runyard("status").status == 0
    (server.folder / "token").unlink()
    assert server.runyard.process("down").status == 0
    server.up()
    assert server.token != token
    assert (server.folder / "token").stat().st_mode & 0o077 == 0
    assert server.runyard("status").status == 0
    _down(server)


def test_too_few_files_are_refused_and_few_are_enough(folder: Path) -> None:
    server = _server(folder / "state")
    script = 'ulimit -n "$0"; exec "$@"'

    def up(files: int) -> Result:
        words = ["sh", "-c", script, str(files), *server.runyard.program(["up", "-d"])]
        environ = server.runyard.environment()
        done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
        return Result(done.returncode, done.stdout, done.stderr)

    few = up(40)
    assert few.status == 64, few
    assert "may open 40 files, and needs at least 80" in few.err
    assert up(80).status == 0
    assert server.apply({"hello": shell("echo hello")}).status == 200
    held = []
    for _ in range(100):
        with suppress(OSError):
            held.append(server.connect())
    for connection in held:
        connection.close()
    assert eventually(lambda: server.run("hello").out == "[0] hello\n")
    _down(server)


@pytest.fixture
def disk(folder: Path) -> Iterator[Path]:
    """A small one."""
    place = folder / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m,mode=711", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_is_told_and_what_was_acknowledged_goes_on(disk: Path, folder: Path) -> None:
    server, marks = _server(disk / "state"), folder / "marks"
    marks.mkdir()
    marks.chmod(0o777)
    count = marks / "count"
    server.up()
    jobs = {"kept": shell("echo kept"), "chatty": shell(CHATTY.format(marks=marks))}
    assert server.apply(jobs).status == 200
    assert server.run("kept").status == 0
    chatty = server.ask("POST", "/runs", {"job": "chatty"}).document["runs"][0]["id"]
    assert eventually(lambda: b"xxx" in server.ask("GET", f"/runs/{chatty}/log?limit=4").body)
    filler = disk / "filler"
    _fill(filler)
    refused = _requests_are_refused(server)
    assert server.ask("GET", "/runs").status == 200
    assert server.runyard("status").status == 0
    until = count.stat().st_size + 3
    assert eventually(lambda: count.stat().st_size >= until)
    filler.unlink()
    assert eventually(lambda: server.ask("POST", "/runs", refused).status in (200, 201))
    (marks / "stop").touch()
    for job_name in ("chatty", "kept"):
        assert server.runyard("runs", "wait", server.last_run(job_name)["id"]).status == 0
    assert [run["state"] for run in server.ask("GET", "/runs").document["runs"]] == [
        "succeeded"
    ] * 3
    (task,) = server.ask("GET", f"/runs/{chatty}/tasks").document["tasks"]
    assert "bytes of output were dropped: the log could not be written" in task["message"]
    assert server.runyard("logs", chatty).out.endswith("[0] end\n")
    _down(server)
    _fill(filler)
    _refused(server.folder, "no room left", "--detach", status=75)
    filler.unlink()
    server.up()
    assert len(server.ask("GET", "/runs").document["runs"]) == 3
    _down(server)


def test_a_disk_that_may_only_be_read_is_left_as_it_is(disk: Path) -> None:
    server = _server(disk / "state")
    server.up()
    assert server.apply({"kept": job("true")}).status == 200
    _down(server)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    _refused(server.folder, "Read-only file system", "--detach", status=77)
    _refused(server.folder, "Read-only file system", status=69)
    assert server.runyard("status").status == 69
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    server.up()
    assert server.jobs() == ["kept"]
    _down(server)


def _requests_are_refused(server: RealServer) -> dict[str, str]:
    """Each says so until the disk has room; gives the last one, which may be sent again."""
    changed = server.apply({"kept": shell("echo changed")})
    secret = server.ask("POST", "/secrets", {"name": "new", "value_base64": "eHg="})
    body = {"job": "kept", "idempotency_key": "once"}
    run = server.ask("POST", "/runs", body)
    for answer in (changed, secret, run):
        assert answer.error["status"] == "RESOURCE_EXHAUSTED", answer
        assert "there is no room left" in answer.error["message"]
        assert "free some disk space" in answer.error["hint"]
    done = server.runyard("run", "kept")
    assert done.status == 75
    assert "no room left" in done.err
    assert server.ask("GET", "/jobs/kept").document["revision"] == 1
    return body


def _fill(filler: Path) -> None:
    with suppress(OSError), filler.open("ab", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


def test_another_user_cannot_write_here_but_can_in_a_home_of_his(folder: Path) -> None:
    home = folder / "home"
    home.mkdir()
    shutil.chown(home, "nobody") if os.geteuid() == 0 else None
    environ = {"HOME": str(home), "RUNYARD_PORT": "0", "PATH": "/usr/bin:/bin"}

    def run(*words: str, **more: str) -> Result:
        command = as_nobody(CommandLine(folder).program(words))
        done = subprocess.run(
            command, env=environ | more, capture_output=True, text=True, check=False
        )
        return Result(done.returncode, done.stdout, done.stderr)

    closed = run("up", "-d", RUNYARD_STATE_FOLDER=str(folder / "state"))
    assert closed.status == 77
    assert "cannot be written: Permission denied" in closed.err
    privileged = run("up", "-d", "--port", "80")
    assert privileged.status == 69
    assert "port 80" in privileged.err
    assert run("up", "-d").status == 0
    manifest = home / "runyard.yaml"
    manifest.write_text(f'{{"project": "p", "jobs": {{"who": {_json(shell("id -un"))}}}}}')
    assert run("apply", str(manifest)).status == 0
    assert run("run", "who", "--wait").out == "[0] nobody\n"
    assert run("down").status == 0
    state = home / ".local" / "state" / "runyard"
    state.chmod(0o500)
    os_refuses = run("up", "-d")
    assert os_refuses.status == 69, os_refuses
    assert "cannot be written" in os_refuses.err
    state.chmod(0o700)
    (state / "runyard.db").chmod(0o400)
    read_only = run("up", "-d")
    assert read_only.status == 69, read_only
    assert "cannot be written: attempt to write a readonly database" in read_only.err


def _json(spec: object) -> str:
    return str(spec).replace("'", '"')
