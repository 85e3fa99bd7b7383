"""The process: how it starts, says where it listens, ends, and is told what is wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runyard_runner.commands.serve import Server
from runyard_runner.main import main
from runyard_runner.outgoing.trust import Trust
from runyard_runner.settings import read_settings
from runyard_runner.wiring import World, assemble
from tests.runner.site import NOWHERE

PROGRAM = Path(sys.executable).with_name("runyard-runner")


@contextmanager
def started(folder: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that listens, and where."""
    process = subprocess.Popen(
        [PROGRAM, "--port", "0"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        yield process, line["message"].removeprefix("listening on ")
    finally:
        process.kill()
        process.communicate()


def post(url: str, order: dict[str, Any]) -> Any:
    """POST to /execute."""
    request = urllib.request.Request(f"{url}/execute", json.dumps(order).encode())
    with urllib.request.urlopen(request) as response:
        return json.load(response)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told(tmp_path: Path, number: signal.Signals) -> None:
    with started(tmp_path, ALLOW_PRIVATE_NETWORKS="true") as (process, url):
        said = post(url, {"endpoints": [f"{url}/task1", f"{url}/task2"]})
        assert [each["status_code"] for each in said["results"]] == [200, 200]
        process.send_signal(number)
        rest, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert json.loads(rest.splitlines()[-1])["message"] == "stopping"


@pytest.mark.parametrize("times", [1, 2])
def test_signals(times: int) -> None:
    lines: list[str] = []

    def write(line: bytes) -> None:
        lines.append(json.loads(line)["message"])
        if len(lines) <= times:
            os.kill(os.getpid(), signal.SIGTERM)

    settings = read_settings({"PORT": "0"}, NOWHERE)
    server = Server(settings, assemble(settings, World(write=write)))
    assert server.serve_until_told() == 0
    assert lines[0].startswith("listening on http://127.0.0.1:")
    assert lines[1:] == ["stopping"] * times


def test_what_is_heavy_is_not_loaded_before_it_is_needed(tmp_path: Path) -> None:
    probe = (
        "import sys; import runyard_runner.commands.serve; "
        "heavy = {'cryptography', 'joserfc', 'prometheus_client', 'smtplib', 'dotenv', 'cronsim'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_port_that_is_taken(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--port", str(port), "--host", "127.0.0.1"]) == 69
    said = capfd.readouterr()
    assert f"Cannot listen on 127.0.0.1, port {port}." in said.err
    assert "Traceback" not in said.err + said.out


def test_settings_are_checked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENDPOINTS", '["https://u:p@x.example/a"]')
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == "The settings hold. 1 endpoint:\n  https://***@x.example/a\n"
    assert main(["serve", "--check", "--json", "--port", "7"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["port"], said["endpoints"]) == (7, ["https://***@x.example/a"])
    monkeypatch.setenv("ENDPOINTS", "[")
    assert main(["--check"]) == 78
    told = capsys.readouterr().err
    assert told.startswith("runyard-runner: The environment has 1 fault.\n  ENDPOINTS: ")


def test_trust_is_read_once() -> None:
    trust = Trust()
    assert trust() is trust()
