"""`runyard demo` runs real jobs, is right about them, and leaves nothing behind."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from runyard.cli.demo.jobs import has_flights
from tests.support.command_line import CommandLine

SECONDS_MAX = 60
ENDS = {
    "import-orders": ("succeeded", 3),
    "slow-report": ("dead", 1),
    "sort-orders": ("succeeded", 2),
    "fetch-rates": ("succeeded", 2),
    "reindex": ("cancelled", 1),
}


def test_the_demo_runs_real_jobs_and_is_right(tmp_path: Path) -> None:
    assert has_flights(), "fetch them: sh examples/flights/fetch.sh .venv/bin/python"
    done = CommandLine(tmp_path / "mine").process("demo", "--json")
    assert done.status == 0, done.err
    told = done.document()
    assert told["ok"]
    assert told["differences"] == []
    ends = {run["job"]: (run["state"], run["attempt"]) for run in told["runs"][:-1]}
    assert ends == ENDS | {"flights": ("succeeded", 1)}
    assert told["runs"][-1]["job"] == "slow-report"
    assert told["runs"][-1]["state"] == "succeeded"
    assert told["told"] == ["incident.opened", "incident.resolved"]
    assert told["incident"]["title"] == "slow-report is dead"
    assert [(one["job"], one["value"]) for one in told["offers"]] == [("sort-orders", "1Gi")]
    assert told["result"]["flights"] == 336_776
    assert told["cost_nano_dollars"] == sum(run["cost_nano_dollars"] for run in told["runs"])
    assert told["explanation"]
    assert not (tmp_path / "mine").exists(), "the demo touched a state folder that is not its own"


def test_what_is_kept_can_be_looked_at(tmp_path: Path) -> None:
    done = CommandLine(tmp_path).process("demo", "--keep", "--json")
    assert done.status == 0, done.err
    state_folder = Path(done.document()["state_folder"])
    kept = CommandLine(state_folder)
    try:
        assert kept("runs", "--state", "dead").out.count("slow-report") == 1
        assert kept("logs", "@last").out.startswith("[0] page 1 of 1")
    finally:
        assert kept.process("down", "--stop-runs").status == 0
        subprocess.run(["rm", "-r", state_folder.parent], check=True)
    assert _holders(state_folder) == []


def test_ctrl_c_takes_everything_away(tmp_path: Path) -> None:
    line = CommandLine(tmp_path)
    with subprocess.Popen(
        line.interruptible(["demo"]),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=line.environment(),
        text=True,
    ) as demo:
        assert demo.stdout is not None
        working = next(text for text in demo.stdout if "indexed shard" in text)
        folder = _state_folder(demo.pid)
        assert folder.is_dir(), working
        demo.send_signal(signal.SIGINT)
        _, told = demo.communicate(timeout=SECONDS_MAX)
    assert demo.returncode == 130
    assert "interrupted" in told
    assert not folder.parent.exists()
    assert _holders(folder) == []


def _state_folder(demo: int) -> Path:
    """Where the server keeps its state that the process `demo` has started."""
    children = Path(f"/proc/{demo}/task/{demo}/children").read_text().split()
    for child in children:
        for variable in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
            name, _, value = variable.decode().partition("=")
            if name == "RUNYARD_STATE_FOLDER":
                return Path(value)
    raise AssertionError(f"none of {children} is a server")


def _holders(folder: Path) -> list[str]:
    """The processes that were told of `folder`: its server, its spawner."""
    return [str(process) for process in _processes() if _knows(process, str(folder).encode())]


def _processes() -> Iterator[Path]:
    return Path("/proc").glob("[0-9]*")


def _knows(process: Path, folder: bytes) -> bool:
    for name in ("cmdline", "environ"):
        try:
            if folder in (process / name).read_bytes():
                return True
        except OSError:  # it has just ended, or is somebody else's
            continue
    return False


def test_the_document_is_one_json_document(tmp_path: Path) -> None:
    done = CommandLine(tmp_path).process("demo", "--bad-option", "--json")
    assert done.status == 64
    assert json.loads(done.err)["error"]["status"] == "INVALID_ARGUMENT"
