"""`up` and `down` beside a process that stands in for a server: found, stopped, left alone."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runyard.cli import server_process
from runyard.cli.connect import ServerFile, server_file
from runyard.model.run import FINAL, State
from tests.support.command_line import CommandLine
from tests.support.fake_server import Event, a_run, serving

#: Does nothing but wait; its command line has the word that a server's has.
_WAITS = "import signal; print('ready', flush=True); signal.pause()"
_STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {_WAITS}"
RUN = "run_" + "0" * 26


@contextmanager
def stand_in(folder: Path, program: str = _WAITS) -> Iterator[subprocess.Popen[bytes]]:
    words = [sys.executable, "-c", program, server_process.SERVE_MODULE]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        file = folder / "server.json"
        note = json.loads(file.read_text()) if file.exists() else {"url": "http://127.0.0.1:9"}
        file.write_text(json.dumps(note | {"pid": process.pid}))
        try:
            yield process
        finally:
            process.kill()


def test_up_says_that_it_is_up_already(tmp_path: Path) -> None:
    with stand_in(tmp_path):
        for words in (["up"], ["up", "-d"]):
            done = CommandLine(tmp_path)(*words)
            assert (done.status, done.out) == (0, "http://127.0.0.1:9\n")
            assert "already running" in done.err
        told = CommandLine(tmp_path)("up", "--json").document()
        assert told == {"url": "http://127.0.0.1:9", "status": "already_running"}


def test_down_stops_it_and_says_what_goes_on(tmp_path: Path) -> None:
    with stand_in(tmp_path) as process:
        done = CommandLine(tmp_path)("down")
        assert done.status == 0
        assert done.out == "stopped; tasks that are running go on\n"
        assert process.wait(5) == -15


def test_down_can_cancel_every_run_first(tmp_path: Path) -> None:
    with serving(tmp_path) as fake, stand_in(tmp_path) as process:
        fake.runs = [a_run(state="running"), a_run(id="run_" + "1" * 26, state="dead")]
        fake.streams[RUN] = [[Event("1", "end", a_run(state="cancelled"))]]
        done = CommandLine(tmp_path)("down", "--stop-runs", "--json")
        assert done.document() == {"status": "stopped", "stopped_runs": 1}
        assert process.wait(5) == -15
        (listed,) = fake.asked("GET", "/runs")
        (cancelled,) = [one.path for one in fake.requests if one.path.endswith(":cancel")]
    assert cancelled == f"/runs/{RUN}:cancel"
    assert listed.query["state"] == [state for state in State if state not in FINAL]


def test_a_server_that_takes_its_time_is_not_killed(tmp_path: Path) -> None:
    with stand_in(tmp_path, _STUBBORN) as process:
        found = server_file(tmp_path)
        assert isinstance(found, ServerFile)
        assert server_process.stop(found, 0.05) is False
        assert process.poll() is None


def test_a_note_of_a_server_that_is_gone_says_nothing(tmp_path: Path) -> None:
    with stand_in(tmp_path) as process:
        process.kill()
        process.wait()
        assert server_process.running(tmp_path) is None
    (tmp_path / "server.json").write_text('{"url": "http://')
    assert server_process.running(tmp_path) is None


def test_a_detached_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "runyard.db").write_bytes(b"this is no database, but it is in the way" * 100)
    done = CommandLine(tmp_path).process("up", "-d", "--port", "0")
    assert done.status == 69
    assert "runyard.db is damaged" in done.err, done.err
    assert "backup" in done.err
    assert (tmp_path / "server.log").stat().st_mode & 0o077 == 0


def test_a_port_for_googles_api_that_is_taken_is_told_before_anything_starts(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = CommandLine(tmp_path)("up", "--port", "0", "--google-api", str(port))
        assert done.status == 69
        assert f"port {port} on 127.0.0.1 is in use" in done.err
        assert "runyard up --google-api " in done.err
        asked = CommandLine(tmp_path, {"RUNYARD_GOOGLE_API_PORT": str(port)})
        checks = asked("doctor", "--json").document()["checks"]
    (found,) = [check for check in checks if check["name"] == f"port {port}"]
    assert found["result"] == "fail"
    assert "RUNYARD_GOOGLE_API_PORT" in found["advice"]
    done = CommandLine(tmp_path)("up", "--port", "0", "--google-api", "70000")
    assert (done.status, done.out) == (64, "")
    assert "--google-api: 70000, expected 0 to 65535" in done.err
