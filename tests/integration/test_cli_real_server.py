"""The command line and a real server: up, apply, run, follow, look, cancel, down."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.command_line import CommandLine

MANIFEST = """\
project: shop
jobs:
  hello:
    template:
      taskCount: 3
      template:
        maxRetries: 0
        containers:
          - image: hello
            command: [/bin/sh, -c, 'echo "task $CLOUD_RUN_TASK_INDEX says ${WORD:-hello}"']
  fails:
    template:
      template:
        maxRetries: 0
        containers: [{image: fails, command: [/bin/sh, -c, "echo sorry; exit 7"]}]
  waits:
    template:
      template:
        maxRetries: 0
        containers:
          - image: waits
            command: [/bin/sh, -c, "echo begun; read word < $FIFO; echo $word"]
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Not pytest's: tasks may run as another user, who has to reach what a test hands them."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="module")
def runyard(folder: Path) -> Iterator[CommandLine]:
    command = CommandLine(folder / "state", {"RUNYARD_PORT": "0"})
    begun = command.process("up", "-d")
    assert begun.status == 0, begun.err
    manifest = folder / "runyard.yaml"
    manifest.write_text(MANIFEST)
    applied = command.process("apply", str(manifest))
    assert applied.status == 0, applied.err
    yield command
    ended = command.process("down", "--stop-runs")
    assert ended.status == 0, ended.err
    assert command.process("status").status == 69


def test_up_again_finds_it_running(runyard: CommandLine) -> None:
    done = runyard.process("up", "-d")
    assert done.status == 0
    assert "already running" in done.err
    assert done.out.strip() == runyard.process("status", "--json").document()["url"]


def test_apply_again_changes_nothing(runyard: CommandLine) -> None:
    manifest = str(runyard.folder.parent / "runyard.yaml")
    jobs = runyard.process("apply", manifest, "--json").document()["jobs"]
    assert [job["change"] for job in jobs] == ["unchanged"] * 3
    offline = runyard.process("validate", manifest, "--json").document()["jobs"]
    assert [job["launches_max"] for job in offline] == [job["launches_max"] for job in jobs]
    listed = runyard.process("jobs", "--json").document()["jobs"]
    assert sorted(job["name"] for job in listed) == ["fails", "hello", "waits"]
    assert "taskCount: 3" in runyard.process("jobs", "get", "hello").out


def test_a_run_is_followed_to_its_end(runyard: CommandLine) -> None:
    done = runyard.process("run", "hello", "--wait", "--env", "WORD=goodbye", "-l", "test=follow")
    assert done.status == 0, done.err
    assert sorted(done.out.splitlines()) == [f"[{n}] task {n} says goodbye" for n in range(3)]
    assert "succeeded" in done.err.splitlines()[-1]
    (run,) = runyard.process("runs", "-l", "test=follow", "--json").document()["runs"]
    assert run["outcome"]["succeeded_count"] == 3
    assert run["cost_nano_dollars"] > 0
    again = runyard.process("logs", run["id"][:-1])
    assert sorted(again.out.splitlines()) == sorted(done.out.splitlines())
    assert (
        runyard.process("logs", "-f", run["id"], "--task", "1").out == "[1] task 1 says goodbye\n"
    )
    assert "attempt" in runyard.process("runs", "get", run["id"]).out
    assert len(runyard.process("explain", run["id"]).out.splitlines()) > 1


def test_a_run_that_dies_says_so(runyard: CommandLine) -> None:
    done = runyard.process("run", "fails", "--wait")
    assert done.status == 1
    assert done.out == "[0] sorry\n"
    assert "task 0:" in done.err
    assert runyard.process("runs", "wait", "@last").status == 1
    dead = runyard.process("runs", "--state", "dead", "--job", "fails")
    assert "dead" in dead.out


def test_the_same_key_gives_the_same_run(runyard: CommandLine) -> None:
    first = runyard.process("run", "hello", "--key", "once")
    assert first.out == runyard.process("run", "hello", "--key", "once").out
    assert runyard.process("run", "fails", "--key", "once").status == 73


def test_what_is_wrong_is_said(runyard: CommandLine) -> None:
    assert runyard.process("run", "nothing").status == 66
    refused = runyard.process("run", "hello", "--tasks", "0")
    assert refused.status == 64
    assert "task_count" in refused.err
    assert runyard.process("runs", "--sort", "colour").status == 64
    assert runyard.process("runs", "get", "run_" + "7" * 26).status == 66


def test_a_run_is_cancelled_while_it_is_followed(runyard: CommandLine) -> None:
    fifo = _fifo(runyard, "cancelled")
    with _following(runyard, fifo) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"[0] begun\n"
        run = runyard.process("runs", "--state", "running", "--job", "waits", "--json").document()
        identity = run["runs"][0]["id"]
        assert runyard.process("cancel", identity, "--reason", "enough").status == 0
        assert process.wait(60) == 3
    assert runyard.process("cancel", identity).status == 0


def test_a_follower_survives_a_server_that_is_started_again(runyard: CommandLine) -> None:
    fifo = _fifo(runyard, "restart")
    with _following(runyard, fifo) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"[0] begun\n"
        down = runyard.process("down")
        assert down.status == 0, down.err
        assert "go on" in down.out
        assert runyard.process("up", "-d").status == 0
        fifo.write_text("still here\n")
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert out == b"[0] still here\n"
        assert b"connection lost" in err


def test_doctor_and_secrets(runyard: CommandLine) -> None:
    checks = {one["name"]: one for one in runyard.process("doctor", "--json").document()["checks"]}
    assert checks["server"]["result"] == "ok"
    assert checks["user of tasks"]["found"]
    assert runyard.process("secrets", "create", "word", stdin=b"hush").status == 0
    assert runyard.process("secrets", "add-version", "word", stdin=b"hush!").status == 0
    listed = runyard.process("secrets", "--json").document()["secrets"]
    assert ("word", 2) in {(one["name"], one["version"]) for one in listed}
    assert b"hush" not in (runyard.folder / "runyard.db").read_bytes()


def test_a_server_in_the_foreground_ends_by_ctrl_c(tmp_path: Path) -> None:
    command = CommandLine(tmp_path / "state", {"RUNYARD_PORT": "0"})
    with subprocess.Popen(
        command.interruptible(["up"]), stdout=subprocess.PIPE, env=command.environment()
    ) as process:
        assert process.stdout is not None
        assert b"Runyard is up at http://" in process.stdout.readline()
        assert command.process("status").status == 0
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert command.process("status").status == 69


def _fifo(command: CommandLine, name: str) -> Path:
    fifo = command.folder.parent / name
    os.mkfifo(fifo)
    fifo.chmod(0o666)
    return fifo


def _following(command: CommandLine, fifo: Path) -> subprocess.Popen[bytes]:
    words = ["run", "waits", "--wait", "--env", f"FIFO={fifo}"]
    return subprocess.Popen(
        command.program(words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=command.environment(),
    )
