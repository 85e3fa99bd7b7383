"""Commands where a stream is closed, full or speaks another language, and where ports are taken."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine, Result
from tests.support.real_server import RealServer, end_all, job, real_server

ODD = "ünï \U0001f600 \x9b"


@pytest.fixture(scope="module")
def server() -> Iterator[RealServer]:
    with real_server() as made:
        jobs = {f"job-{n}": job("true") | {"labels": {"n": str(n)}} for n in range(300)}
        assert made.apply(jobs).status == 200
        yield made


def _run(server: RealServer, script: str, *words: str, **environ: str) -> Result:
    """The command line as `"$@"` of a shell script, which closes and redirects."""
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *server.runyard.program(words)],
        env=server.runyard.environment() | environ,
        capture_output=True,
        check=False,
        timeout=60,
    )
    out, err = (text.decode(errors="backslashreplace") for text in (done.stdout, done.stderr))
    return Result(done.returncode, out, err)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_fault(closed: str, server: RealServer) -> None:
    for words in (("status",), ("jobs", "--json"), ("version",)):
        done = _run(server, f'"$@" {closed}', *words)
        assert done.status == 0, done
        assert done.err == ""
    assert _run(server, f'"$@" {closed}', "nonsense").status == 64
    if "<&-" in closed:
        refused = _run(server, f'"$@" {closed}', "secrets", "create", "empty")
        assert refused.status == 64, refused


def test_a_server_started_without_streams_serves(tmp_path: Path) -> None:
    made = RealServer(CommandLine(tmp_path / "state", {"RUNYARD_PORT": "0"}))
    assert _run(made, '"$@" <&- >&- 2>&-', "up", "-d").status == 0
    assert made.ask("GET", "/status").status == 200
    assert made.runyard.process("down").status == 0
    end_all(tmp_path)
    assert (tmp_path / "state" / "runyard.db").read_bytes()[:6] == b"SQLite"


def test_output_that_cannot_be_written_is_told(server: RealServer) -> None:
    for words in (("jobs",), ("jobs", "--json"), ("version",)):
        done = _run(server, '"$@" > /dev/full', *words)
        assert done.status == 75, done
        assert "the output cannot be written: No space left on device" in done.err
        assert done.err.count("\n") <= 2


def test_a_reader_that_has_seen_enough_is_no_error(server: RealServer) -> None:
    done = _run(server, '{ "$@"; echo "status $?" >&2; } | head -n 1', "jobs")
    assert done.out.startswith("JOB ")
    assert done.err == "status 0\n"


@pytest.mark.parametrize(
    "environ",
    [
        {"LC_ALL": "C", "TERM": "dumb"},
        {"LC_ALL": "POSIX", "TERM": ""},
        {"LC_ALL": "xx_YY.nonsense"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1", "NO_COLOR": "1"},
        {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=str,
)
def test_every_locale_can_say_everything(
    environ: dict[str, str], server: RealServer, tmp_path: Path
) -> None:
    path = tmp_path / f"{ODD}.json"
    path.write_text(json.dumps({"project": "p", "jobs": {"a": job("true"), ODD: {}}}))
    said = _run(server, '"$@"', "validate", str(path), **environ)
    assert said.status == 64
    assert "a fault in runyard" not in said.err
    assert "\x9b" not in said.err
    path.write_text(json.dumps({"project": "p", "jobs": {"a": job("true")}}))
    told = _run(server, '"$@"', "validate", str(path), "--json", **environ)
    assert told.status == 0, told
    assert [row["name"] for row in told.document()["jobs"]] == ["a"]
    assert "\x9b" not in told.out


def test_without_a_home_the_user_s_own_is_taken(server: RealServer) -> None:
    bare = {"PATH": "/usr/bin:/bin"}
    words = server.runyard.program(["config", "--json"])
    done = subprocess.run(words, env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    nowhere = bare | {"HOME": "/nonexistent"}
    words = server.runyard.program(["status"])
    done = subprocess.run(words, env=nowhere, capture_output=True, text=True, check=False)
    assert done.returncode == 69
    assert "no server is running" in done.stderr


def test_a_port_in_use_is_told_with_who_has_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = CommandLine(tmp_path / "state")
        for words in (("up", "--port", str(port)), ("up", "-d", "--port", str(port))):
            done = command.process(*words)
            assert done.status == 69, done
            assert f"port {port} on 127.0.0.1 is in use" in done.err
            assert f"(pid {os.getpid()})" in done.err
            assert "--port" in done.err.splitlines()[-1]
        assert not (tmp_path / "state" / "server.json").exists()
    for port_text in ("65536", "-1", "http", "1e3", ""):
        assert CommandLine(tmp_path / "state")("up", "--port", port_text).status == 64
