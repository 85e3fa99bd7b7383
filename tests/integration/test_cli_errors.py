"""The command line's errors: what is wrong and what to do, an exit status, never a traceback."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

import pytest

from runyard.cli.client import Client
from runyard.model.errors import ServerUnavailable
from tests.support.command_line import CommandLine
from tests.support.fake_server import TOKEN, a_run, error, serving

ONLINE = [
    ["status"],
    ["jobs"],
    ["jobs", "get", "report"],
    ["run", "report"],
    ["runs"],
    ["runs", "get", "@last"],
    ["runs", "wait", "@last"],
    ["logs", "@last"],
    ["explain", "@last"],
    ["cancel", "@last"],
    ["secrets"],
]


@pytest.mark.parametrize("words", ONLINE, ids=" ".join)
def test_without_a_server_it_says_how_to_start_one(words: list[str], tmp_path: Path) -> None:
    done = CommandLine(tmp_path)(*words)
    assert done.status == 69
    assert done.out == ""
    assert "no server is running" in done.err
    assert "hint: start it with `runyard up`" in done.err


def test_with_a_server_that_is_gone_too(tmp_path: Path) -> None:
    with serving(tmp_path) as fake:
        url = fake.url
    done = CommandLine(tmp_path)("runs")
    assert done.status == 69
    assert f"no answer from {url}: Connection refused" in done.err
    assert "runyard up" in done.err


def test_with_json_the_error_is_the_rest_document_on_stderr(tmp_path: Path) -> None:
    done = CommandLine(tmp_path)("runs", "--json")
    assert (done.status, done.out) == (69, "")
    told = json.loads(done.err)["error"]
    assert (told["code"], told["status"]) == (503, "UNAVAILABLE")
    assert told["hint"] == "start it with `runyard up`"
    assert told["details"] == []


def test_a_wrong_token(tmp_path: Path) -> None:
    with serving(tmp_path) as fake:
        command = CommandLine(tmp_path, {"RUNYARD_URL": fake.url, "RUNYARD_TOKEN": "wrong"})
        done = command("runs")
    assert done.status == 77
    assert "this token is not known here" in done.err
    assert "RUNYARD_TOKEN" in done.err
    assert "wrong" not in done.err


def test_the_token_of_the_state_folder_goes_to_no_other_server(tmp_path: Path) -> None:
    with serving(tmp_path / "one"), serving(tmp_path / "other") as other:
        done = CommandLine(tmp_path / "one", {"RUNYARD_URL": other.url})("runs")
        assert other.requests == []
    assert done.status == 64
    assert "set RUNYARD_TOKEN" in done.err
    assert TOKEN not in done.err


def test_every_fault_of_an_applied_manifest_points_at_its_line(tmp_path: Path) -> None:
    manifest = tmp_path / "runyard.yaml"
    manifest.write_text("jobs:\n  report:\n    templat: {}\n")
    detail = {
        "path": "jobs.report.templat",
        "value": "{}",
        "expected": "a field of a job",
        "hint": "did you mean 'template'?",
        "file": str(manifest),
        "line": 3,
        "column": 5,
    }
    with serving(tmp_path) as fake:
        fake.replies["POST", "/jobs:apply"] = error(
            400, "INVALID_ARGUMENT", "1 fault", details=[detail]
        )
        done = CommandLine(tmp_path)("apply", str(manifest))
        (asked,) = fake.asked("POST", "/jobs:apply")
    files = [{"name": str(manifest), "text": manifest.read_text()}]
    assert asked.body == {"files": files, "wait_seconds": 0}
    assert done.status == 64
    assert done.err.splitlines() == [
        "error: 1 fault",
        f"{manifest}:3:5: jobs.report.templat: {{}}, expected a field of a job "
        "(did you mean 'template'?)",
        "  3 |     templat: {}",
        "    |     ^",
    ]


def test_control_characters_in_an_error_do_not_reach_the_terminal(tmp_path: Path) -> None:
    with serving(tmp_path) as fake:
        fake.replies["GET", "/runs"] = error(400, "INVALID_ARGUMENT", "bad \x1b[2J name")
        done = CommandLine(tmp_path)("runs")
    assert "\x1b" not in done.err
    assert r"bad \x1b[2J name" in done.err


def test_what_is_no_runyard_server_is_told_apart(tmp_path: Path) -> None:
    with serving(tmp_path) as fake:
        fake.replies["GET", "/runs"] = (500, {"oops": 1})
        done = CommandLine(tmp_path)("runs")
    assert done.status == 69
    assert "not from a Runyard server" in done.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["rnus"], "Did you mean runs?"),
        (["runs", "gte"], "Did you mean get?"),
        (["run", "x", "--taks", "3"], "Did you mean --tasks?"),
        (["runs", "--state", "runing"], 'Did you mean "running"?'),
        (["run", "x", "--tasks", "many"], "--tasks"),
        (["run"], "JOB requires an argument"),
        (["cancel", "a", "b"], "Unknown argument: b"),
        (["run", "x", "--env", "NOVALUE"], "expected KEY=VALUE"),
        (["run", "x", "--args-json", "{"], "expected a JSON array of texts"),
        (["run", "x", "--args-json", "[]", "--arg", "a"], "exclude each other"),
        (["runs", "--since", "yesterday"], "for instance 30m"),
        (["runs", "--limit", "0"], "expected 1 or more"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_slip_of_the_finger(words: list[str], told: str, tmp_path: Path) -> None:
    done = CommandLine(tmp_path)(*words)
    assert done.status == 64
    assert done.out == ""
    assert told in done.err
    assert "Traceback" not in done.err


def test_wrong_settings_are_told_all_at_once(tmp_path: Path) -> None:
    environ = {"RUNYARD_PORT": "many", "RUNYARD_PROT": "1"}
    done = CommandLine(tmp_path, environ)("config")
    assert done.status == 64
    assert "RUNYARD_PORT" in done.err
    assert "RUNYARD_PROT" in done.err


def test_a_fault_of_our_own_shows_no_traceback(tmp_path: Path) -> None:
    with serving(tmp_path) as fake:
        fake.replies["GET", "/runs"] = (200, {"not": "the contract"})
        done = CommandLine(tmp_path)("runs")
    assert done.status == 70
    assert "a fault in runyard itself: KeyError" in done.err
    assert "Traceback" not in done.err
    report = Path(done.err.rstrip().rpartition(" ")[2])
    assert "Traceback" in report.read_text()
    report.unlink()


def test_a_pipe_that_is_closed_early_ends_it_quietly(tmp_path: Path) -> None:
    with serving(tmp_path) as fake:
        fake.runs = [a_run(id=f"run_{number:026d}") for number in range(5000)]
        command = CommandLine(tmp_path)
        process = subprocess.Popen(
            command.program(["runs", "--all"]),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=command.environment(),
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        with process.stderr:
            assert process.stderr.read() == b""
        assert process.wait(30) == 0


def test_a_port_in_use_names_its_holder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        done = CommandLine(tmp_path)("up", "--port", str(port))
    assert done.status == 69
    assert f"port {port} on 127.0.0.1 is in use by" in done.err
    assert "pid" in done.err
    assert "runyard up --port" in done.err


def test_no_server_to_stop_is_no_error(tmp_path: Path) -> None:
    done = CommandLine(tmp_path)("down", "--json")
    assert (done.status, done.document()) == (0, {"status": "not_running", "stopped_runs": 0})


def test_a_pid_that_is_not_a_server_of_ours_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as other, serving(tmp_path):
        note = json.loads((tmp_path / "server.json").read_text()) | {"pid": other.pid}
        (tmp_path / "server.json").write_text(json.dumps(note))
        assert CommandLine(tmp_path)("down").out == "no server is running\n"
        assert other.poll() is None


def test_a_stranger_at_the_port_of_a_dead_server_is_shown_no_token(tmp_path: Path) -> None:
    with subprocess.Popen(["/bin/true"]) as dead, serving(tmp_path):
        dead.wait()
        with socket.create_server(("127.0.0.1", 0)) as stranger:
            stranger.setblocking(False)
            url = f"http://127.0.0.1:{stranger.getsockname()[1]}"
            note = {"pid": dead.pid, "url": url}
            (tmp_path / "server.json").write_text(json.dumps(note))
            done = CommandLine(tmp_path)("runs")
            with pytest.raises(BlockingIOError):
                stranger.accept()
    assert done.status == 69
    assert f"the server noted in {tmp_path} has ended" in done.err


def test_a_server_that_hangs_is_not_said_to_be_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ServerUnavailable) as raised:
            Client(url, "any", timeout_seconds=0.1).get("/status")
    assert "timed out" in raised.value.message
    assert "server.log" in raised.value.hint
