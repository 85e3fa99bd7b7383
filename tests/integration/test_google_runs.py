"""Runs of an environment that is bound to Google: a real server, Google's own library, and the
Google face of a cloud with real processes."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.support.google_thread import google_beside
from tests.support.real_server import RealServer, Reply, eventually, real_server, shell

AT_ONCE = {"backoff": {"initial": "0.1s", "max": "0.1s"}}
#: Twice Cloud Run's least memory of a container is not enough for it, four times as much is.
HUNGRY = """exec python3 -c 'held = bytes(b"x") * (300 * 2**20); print("had room")'"""
CHATTY = """seq 5; [ $CLOUD_RUN_TASK_INDEX = 0 ] ||
echo '{"severity":"WARNING","message":"low","disk":"sda"}' >&2"""
COUNTING = """echo '{"metric": "rows", "value": 40}'; echo '{"metric": "rows", "value": 2}'
echo 'ERROR: row 17 is odd'"""
REFUSED = "requests.exceptions.ConnectionError: 10.0.0.7 port 5432: Connection refused"
SMALL = {"resources": {"limits": {"cpu": "1", "memory": "256Mi"}}}
PROD = {"provider": "gcp", "googleProject": "shop-prod", "regions": ["us-central1"]}


def two(script: str) -> dict[str, Any]:
    """A job of two tasks."""
    job = shell(script)
    return job | {"template": job["template"] | {"taskCount": 2}}


JOBS = {
    "fine": shell('echo "at $CLOUD_RUN_JOB"'),
    "bad": shell("exit 3"),
    "unreachable": shell(f"echo calling the bank; echo '{REFUSED}' >&2; exit 1"),
    "counting": shell(COUNTING),
    "chatty": two(CHATTY),
    "long": shell("exec sleep 60"),
    "pause": shell("exec sleep 6"),
    "hungry": shell(HUNGRY, **SMALL) | {"retry": AT_ONCE, "recovery": {"memory": {"max": "1Gi"}}},
}


def apply(server: RealServer, jobs: dict[str, Any]) -> Reply:
    text = json.dumps({"project": "shop", "jobs": jobs, "environments": {"prod": PROD}})
    asked = {"files": [{"name": "runyard.yaml", "text": text}], "environment": "prod"}
    return server.ask("POST", "/jobs:apply", asked | {"wait_seconds": 30})


@pytest.fixture(scope="module")
def server() -> Iterator[RealServer]:
    with TemporaryDirectory(prefix="runyard-google-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with (
            google_beside(folder / "cloud") as face,
            real_server(
                google_run_endpoint=face.endpoint,
                google_log_late_seconds="0.3",  # the face tells lines at once
                environment="prod",
            ) as started,
        ):
            refused = apply(started, JOBS)
            assert (refused.status, refused.error["hint"]) == (
                412, "`runyard environments apply` puts it in force",
            )  # fmt: skip
            manifest = folder / "runyard.json"
            manifest.write_text(
                json.dumps({"project": "shop", "jobs": JOBS, "environments": {"prod": PROD}})
            )
            done = started.runyard("environments", "apply", str(manifest))
            assert done.status == 0, done.err
            applied = apply(started, JOBS)
            assert applied.status == 200, applied.body
            yield started


def told(server: RealServer) -> str:
    return " ".join(server.runyard("explain", "@last").out.split())


def test_a_run_is_an_execution_of_the_deployed_job(server: RealServer) -> None:
    assert server.run("fine").status == 0
    run = server.last_run("fine")
    assert (run["state"], run["environment"]) == ("succeeded", "prod")
    prefix = "projects/shop-prod/locations/us-central1/jobs/fine/executions/fine-"
    assert run["handle"].startswith(prefix)
    assert server.runyard("logs", "@last").out == "[0] at fine\n"
    assert "clone" not in told(server)


def test_logs_are_read_and_followed_as_those_of_this_machine(server: RealServer) -> None:
    followed = server.runyard("run", "chatty", "--wait")
    assert followed.status == 0, followed.err
    lines = [f"[{task}] {n}" for task in (0, 1) for n in range(1, 6)]
    assert sorted(line for line in followed.out.splitlines() if line in lines) == lines
    stored = server.runyard("logs", "@last", "--json").lines()
    written = [f"[{one['task']}] {one['text']}" for one in stored if one["stream"] != "system"]
    again = server.runyard("logs", "-f", "@last")
    assert again.out.splitlines() == written
    assert "note: " in again.err  # the machine's own word is told beside it
    assert [one["at"] for one in stored] == sorted(one["at"] for one in stored)
    only = server.runyard("logs", "@last", "--task", "1", "--json").lines()
    for one in (*only, *stored):
        del one["position"]  # it is one among the lines of a task, or of all
    assert only == [one for one in stored if one["task"] == 1]
    (structured,) = [one for one in only if one["fields"]]
    assert (structured["severity"], structured["text"]) == ("WARNING", "low")
    assert (structured["fields"], structured["stream"]) == ({"disk": "sda"}, "stderr")
    run = server.last_run("chatty")["id"]
    first = server.ask("GET", f"/runs/{run}/log?limit=4").document
    rest = server.ask("GET", f"/runs/{run}/log?after={first['after']}").document
    entries = first["entries"] + rest["entries"]
    assert [one["text"] for one in entries] == [one["text"] for one in stored]


def test_logs_are_searched_as_those_of_this_machine(server: RealServer) -> None:
    assert server.run("chatty").status == 0
    run = server.last_run("chatty")["id"]
    (low,) = server.runyard("logs", "search", "lo", "--field", "disk=sda", "--json").lines()[-1:]
    assert (low["run"], low["run_attempt"], low["task"], low["severity"]) == (run, 1, 1, "WARNING")
    assert low["fields"] == {"disk": "sda"}
    found = server.ask("GET", f"/logs:search?run={run}&regex=^[1-5]$").document
    assert sorted(one["text"] for one in found["entries"]) == sorted("1234512345")
    assert (found["complete"], found["unsearched"]) == (True, [])
    hostile = server.runyard("logs", "search", '" OR severity="WARNING', "--run", run)
    assert (hostile.status, hostile.out, hostile.err) == (0, "", "")


def test_a_bundle_has_the_logs_of_attempts_at_google(server: RealServer, tmp_path: Path) -> None:
    assert server.run("unreachable").status == 1
    file = tmp_path / "bundle.zip"
    assert server.runyard("runs", "bundle", "@last", "-o", str(file)).status == 0
    run = server.last_run("unreachable")["id"]
    log = zipfile.ZipFile(file).read(f"{run}/logs/attempt-1.log").decode().splitlines()
    stored = server.runyard("logs", "@last", "--json").lines()
    assert [line.partition(": ")[2] for line in log] == [one["text"] for one in stored]
    assert [line.partition(" ")[0] for line in log] == [one["at"] for one in stored]
    assert any(line.endswith(f": {REFUSED}") for line in log)


def test_a_failure_is_told_with_its_exit_code(server: RealServer) -> None:
    assert server.run("bad").status == 1
    outcome = server.last_run("bad")["attempts"][0]["outcome"]
    assert (outcome["ending"], outcome["reason"]) == ("failed", "NON_ZERO_EXIT_CODE")
    assert outcome["failures"][0]["exit_code"] == 3


def test_a_failure_is_classified_by_what_its_task_wrote_last(server: RealServer) -> None:
    assert server.run("unreachable").status == 1
    outcome = server.last_run("unreachable")["attempts"][0]["outcome"]
    assert outcome["failures"][0]["last_lines"] == ["calling the bank", REFUSED]
    assert outcome["failure"]["failure_class"] == "network"
    assert REFUSED in told(server)
    shown = server.runyard("logs", "@last")
    assert shown.out.splitlines() == ["[0] calling the bank", f"[0] {REFUSED}"]


def test_what_lines_say_is_measured_once_a_run_is_over(server: RealServer) -> None:
    assert server.run("counting").status == 0

    def counted() -> bool:
        found = server.ask("GET", "/jobs/counting/metrics?metric=own.rows").document["metrics"]
        return [line["sum"] for line in found] == [42.0]

    def patterned() -> bool:
        found = server.ask("GET", "/jobs/counting/log-patterns").document["patterns"]
        return [one["count"] for one in found] == [1]

    assert eventually(counted)
    assert eventually(patterned)


def test_a_run_that_is_cancelled_stops_at_google(server: RealServer) -> None:
    begun = server.runyard("run", "long")
    assert begun.status == 0, begun.err
    assert server.runyard("cancel", "@last").status == 0
    assert server.runyard("runs", "wait", "@last").status != 0
    run = server.last_run("long")
    assert run["state"] == "cancelled"
    assert run["attempts"][0]["outcome"]["ending"] == "cancelled"


def test_what_runs_at_google_is_found_again_by_the_next_server(server: RealServer) -> None:
    begun = server.runyard("run", "pause")
    assert begun.status == 0, begun.err
    assert eventually(lambda: bool(server.last_run("pause")["handle"]))
    handle = server.last_run("pause")["handle"]
    assert server.runyard.process("down").status == 0
    server.up()
    assert server.runyard("runs", "wait", "@last").status == 0
    run = server.last_run("pause")
    assert (run["state"], run["handle"], len(run["attempts"])) == ("succeeded", handle, 1)


def test_what_was_killed_for_memory_comes_back_in_a_clone(server: RealServer) -> None:
    assert server.run("hungry").status == 0, told(server)
    run = server.last_run("hungry")
    assert len(run["attempts"]) == 2
    assert run["attempts"][0]["outcome"]["failure"]["shortage"] == "memory"
    assert run["scaled"]["memory_bytes"] == 512 * 2**20
    assert "/jobs/hungry-" in run["handle"]
    said = told(server)
    assert "a clone of job hungry with 512Mi of memory" in said
    assert "RunJob cannot change a job's template for one run" in said


def test_what_is_deployed_is_as_it_was_asked_for(server: RealServer) -> None:
    again = apply(server, JOBS)
    assert {job["change"] for job in again.document["jobs"]} == {"unchanged"}
