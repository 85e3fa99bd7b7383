"""`deploy.sh`, `smoke.sh`, `rollback.sh`: with a real runner, and a stand-in of `gcloud`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivery.rig import KEY, TOKEN, Cloud, runner

SERVICE = ("runner", "us-central1")
SETTINGS = {
    "SERVICE": "runner",
    "REGION": "us-central1",
    "PORT": "5000",
    "ENDPOINTS": """["https://x/it's", {"url": "https://y", "headers": {"a": "${B}"}}]""",
    "SERVICE_ACCOUNT": "runner@my-project.iam.gserviceaccount.com",
    "API_KEY": KEY,
}
IMAGE = "us-central1-docker.pkg.dev/my-project/runyard/runyard-runner@sha256:" + "0" * 64
#: Nobody listens there.
BROKEN = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A runner that wants its key."""
    log = tmp_path_factory.mktemp("guarded") / "log"
    with runner({"API_KEY": KEY}, log) as url:
        yield url
    assert KEY not in log.read_text()
    assert TOKEN not in log.read_text()


@pytest.fixture(scope="module")
def wide_open(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A runner that answers everybody."""
    log = tmp_path_factory.mktemp("open") / "log"
    with runner({"ALLOW_UNAUTHENTICATED": "true"}, log) as url:
        yield url


def test_a_runner_that_works(guarded: str, tmp_path: Path) -> None:
    cloud = Cloud.made(tmp_path, guarded)
    done = cloud.run("smoke.sh", guarded, "https://audience", API_KEY=KEY)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"smoke: {guarded} works\n"
    (asked,) = cloud.asked("auth", "print-identity-token")
    assert asked[2:] == ["--audiences=https://audience"]


def test_a_borrowed_identity_is_asked_for_its_address_too(guarded: str, tmp_path: Path) -> None:
    cloud = Cloud.made(tmp_path, guarded)
    done = cloud.run("smoke.sh", guarded, API_KEY=KEY, SMOKE_SERVICE_ACCOUNT="a@b")
    assert done.returncode == 0, done.stderr
    (asked,) = cloud.asked("auth", "print-identity-token")
    assert asked[2:] == [
        f"--audiences={guarded}",
        "--impersonate-service-account=a@b",
        "--include-email",
    ]


def test_without_iam_no_token_is_asked_for(guarded: str, tmp_path: Path) -> None:
    cloud = Cloud.made(tmp_path, guarded)
    done = cloud.run("smoke.sh", f"{guarded}/", API_KEY=KEY, SMOKE_IAM="off")
    assert done.returncode == 0, done.stderr
    assert cloud.calls == []


def test_the_wrong_key_fails_and_is_not_told(guarded: str, tmp_path: Path) -> None:
    done = Cloud.made(tmp_path, guarded).run("smoke.sh", guarded, API_KEY="wrong-key")
    assert done.returncode == 1
    assert "GET / answered 401, expected 200" in done.stderr
    assert "wrong-key" not in done.stdout + done.stderr
    assert TOKEN not in done.stdout + done.stderr


def test_nobody_there_fails(tmp_path: Path) -> None:
    done = Cloud.made(tmp_path, BROKEN).run("smoke.sh", BROKEN)
    assert done.returncode == 1
    assert "onnect" in done.stderr


def test_a_runner_that_lets_everybody_in_fails(wide_open: str, tmp_path: Path) -> None:
    done = Cloud.made(tmp_path, wide_open).run("smoke.sh", wide_open, SMOKE_IAM="off")
    assert done.returncode == 1
    assert "a stranger may not execute: POST /execute answered 400" in done.stderr


def test_the_first_deployment_has_no_candidate(guarded: str, tmp_path: Path) -> None:
    cloud = Cloud.made(tmp_path, guarded)
    done = cloud.run("deploy.sh", IMAGE, **SETTINGS)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"deploy: runner serves runner-00001 at {guarded}"
    (words,) = cloud.asked("run", "deploy")
    assert {f"--image={IMAGE}", "--port=5000", "--no-allow-unauthenticated"} <= set(words)
    assert not {"--no-traffic", "--tag=candidate"} & set(words)
    assert cloud.state["serving"] == "runner-00001"


def test_settings_reach_the_service_as_they_are(guarded: str, tmp_path: Path) -> None:
    cloud = Cloud.made(tmp_path, guarded)
    more = {"RUNNER_SETTINGS": '{"ALLOW_UNAUTHENTICATED": "true", "ENDPOINTS_MAX": 7}'}
    done = cloud.run(
        "deploy.sh", IMAGE, **SETTINGS, **more, RUNNER_SECRETS="B=b:1", REQUEST_TIMEOUT_SECONDS="60"
    )
    assert done.returncode == 0, done.stderr
    (call,) = [call for call in cloud.calls if call["words"][1] == "deploy"]
    assert json.loads(call["file"]) == {
        "ENDPOINTS": SETTINGS["ENDPOINTS"],
        "TOTAL_DEADLINE_SECONDS": "50",
        "ALLOW_UNAUTHENTICATED": "true",
        "ENDPOINTS_MAX": "7",
    }
    assert {"--set-secrets=B=b:1", "--timeout=60"} <= set(call["words"])
    left = [path.name for path in tmp_path.iterdir()]
    assert sorted(left) == ["bin", "calls", "state.json"]  # the settings file is gone


def _second(folder: Path, url: str, candidate_url: str) -> Cloud:
    return Cloud.made(
        folder, url, candidate_url, revisions=["runner-00001"], serving="runner-00001"
    )


def test_a_candidate_that_works_is_served(guarded: str, tmp_path: Path) -> None:
    cloud = _second(tmp_path, guarded, guarded)
    done = cloud.run("deploy.sh", IMAGE, **SETTINGS)
    assert done.returncode == 0, done.stderr
    (words,) = cloud.asked("run", "deploy")
    assert {"--no-traffic", "--tag=candidate"} <= set(words)
    assert cloud.state["serving"] == "runner-00002"
    assert cloud.state["tags"] == {}
    assert len(cloud.asked("auth")) == 2  # the candidate was tried, then the service


def test_a_candidate_that_does_not_work_is_never_served(guarded: str, tmp_path: Path) -> None:
    cloud = _second(tmp_path, guarded, BROKEN)
    done = cloud.run("deploy.sh", IMAGE, **SETTINGS)
    assert done.returncode == 1
    assert "runner-00002 does not work" in done.stderr
    assert "rollback: runner serves runner-00001" in done.stderr
    sent_to = [each[5] for each in cloud.asked("run", "services", "update-traffic")]
    assert "--to-revisions=runner-00002=100" not in sent_to
    assert cloud.state["serving"] == "runner-00001"
    assert cloud.state["tags"] == {}


def test_a_service_that_fails_once_it_is_served_goes_back(guarded: str, tmp_path: Path) -> None:
    cloud = _second(tmp_path, BROKEN, guarded)
    done = cloud.run("deploy.sh", IMAGE, **SETTINGS)
    assert done.returncode == 1
    sent_to = [each[5] for each in cloud.asked("run", "services", "update-traffic")]
    assert sent_to == [
        "--to-revisions=runner-00002=100",
        "--to-revisions=runner-00001=100",
        "--remove-tags=candidate",
    ]
    assert cloud.state["serving"] == "runner-00001"


def test_a_first_deployment_that_fails_says_that_there_is_no_way_back(tmp_path: Path) -> None:
    cloud = Cloud.made(tmp_path, BROKEN)
    done = cloud.run("deploy.sh", IMAGE, **SETTINGS)
    assert done.returncode == 1
    assert "no revision before it" in done.stderr
    assert cloud.asked("run", "services", "update-traffic") == []


def test_a_deployment_that_gcloud_refuses_changes_nothing(guarded: str, tmp_path: Path) -> None:
    folder = tmp_path
    cloud = Cloud.made(
        folder, guarded, revisions=["runner-00001"], serving="runner-00001", refuses=True
    )
    done = cloud.run("deploy.sh", IMAGE, **SETTINGS)
    assert done.returncode == 1
    assert "did not start" in done.stderr
    assert cloud.state["serving"] == "runner-00001"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"ENDPOINTS": "[oops"}, "must be JSON"),
        ({"RUNNER_SETTINGS": "[1]"}, "must be JSON"),
        ({"RUNNER_SETTINGS": '{"PORT": "1"}'}, "Cloud Run sets PORT itself"),
        ({"REQUEST_TIMEOUT_SECONDS": "soon"}, "must be JSON, the timeout a number"),
        ({"SERVICE": ""}, "SERVICE"),
    ],
)
def test_settings_that_make_no_sense_reach_nobody(
    tmp_path: Path, change: dict[str, str], told: str
) -> None:
    cloud = Cloud.made(tmp_path, BROKEN)
    done = cloud.run("deploy.sh", IMAGE, **{**SETTINGS, **change})
    assert done.returncode != 0
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert cloud.calls == []


def test_traffic_to_several_revisions_is_left_to_a_person(guarded: str, tmp_path: Path) -> None:
    cloud = _second(tmp_path, guarded, guarded)
    two = [{"revisionName": "a", "percent": 90}, {"revisionName": "b", "percent": 10}]
    program = tmp_path / "bin" / "gcloud"
    listed = json.dumps([{"status": {"traffic": two}}])
    program.write_text(f"#!/bin/sh\necho '{listed}'\n")
    done = cloud.run("deploy.sh", IMAGE, **SETTINGS)
    assert done.returncode == 1
    assert "several revisions" in done.stderr


def test_rollback_by_hand(tmp_path: Path) -> None:
    cloud = Cloud.made(tmp_path, BROKEN, revisions=["runner-00041"], tags={"candidate": "x"})
    done = cloud.run("rollback.sh", *SERVICE, "runner-00041")
    assert done.returncode == 0, done.stderr
    assert (cloud.state["serving"], cloud.state["tags"]) == ("runner-00041", {})
    assert cloud.run("rollback.sh", *SERVICE).returncode != 0


@pytest.mark.parametrize(
    ("there", "verb", "flag"),
    [
        ("", "create", "--notification-channels=c1,c2"),
        ("projects/p/alertPolicies/1", "update", "--set-notification-channels=c1,c2"),
    ],
)
def test_alerts_are_created_or_updated(tmp_path: Path, there: str, verb: str, flag: str) -> None:
    cloud = Cloud.made(tmp_path, BROKEN, policies=there)
    done = cloud.run("alerts.sh", "my-runner", "my-job", "europe-west1", "c1", "c2")
    assert done.returncode == 0, done.stderr
    calls = [call for call in cloud.calls if call["words"][3] == verb]
    assert len(calls) == 5
    for call in calls:
        assert flag in call["words"]
        assert "SERVICE" not in call["file"]
        assert "JOB" not in call["file"]
        assert "REGION" not in call["file"]
        assert "my-runner" in call["file"] or "my-job" in call["file"]
