"""Runs of an environment that is bound to Google: a real server, Google's own library, and the
Google face of a cloud with real processes."""

from __future__ import annotations

import json
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
SMALL = {"resources": {"limits": {"cpu": "1", "memory": "256Mi"}}}
PROD = {"provider": "gcp", "googleProject": "shop-prod", "regions": ["us-central1"]}
JOBS = {
    "fine": shell('echo "at $CLOUD_RUN_JOB"'),
    "bad": shell("exit 3"),
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
            real_server(google_run_endpoint=face.endpoint, environment="prod") as started,
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
    log = server.runyard("logs", "@last")
    assert "its log is kept by Cloud Logging: gcloud logging read 'labels." in log.err
    assert "--project shop-prod" in log.err
    assert "clone" not in told(server)


def test_a_failure_is_told_with_its_exit_code(server: RealServer) -> None:
    assert server.run("bad").status == 1
    outcome = server.last_run("bad")["attempts"][0]["outcome"]
    assert (outcome["ending"], outcome["reason"]) == ("failed", "NON_ZERO_EXIT_CODE")
    assert outcome["failures"][0]["exit_code"] == 3


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
