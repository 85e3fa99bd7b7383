"""What others changed at the provider: seen by a plan, and adopted, taken back or left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runyard.model.deployed import Place
from tests.support.api_server import MANIFEST, TOKEN, Api, serving
from tests.support.command_line import CommandLine

PLACE = Place("shop", "local", "us-central1", "report")
IGNORING = MANIFEST.replace(
    "    labels: {team: data}\n",
    "    labels: {team: data}\n    ignore_drift: [template.taskCount]\n",
)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as started:
        started.apply()
        started.behind.jobs.change(PLACE, taskCount=9)
        yield started


@pytest.fixture
def runyard(api: Api, tmp_path: Path) -> CommandLine:
    (tmp_path / "runyard.yaml").write_text(MANIFEST)
    return CommandLine(tmp_path, {"RUNYARD_URL": api.url, "RUNYARD_TOKEN": TOKEN})


def body(text: str = MANIFEST, **more: object) -> dict[str, object]:
    return {"files": [{"name": "a.yaml", "text": text}], **more}


def report(api: Api, text: str = MANIFEST, **more: object) -> dict[str, Any]:
    jobs: list[dict[str, Any]] = api.post("/jobs:plan", body(text, **more))["jobs"]
    return next(job for job in jobs if job["name"] == "report")


def live(api: Api) -> int:
    async def look() -> int:
        (found,) = await api.behind.jobs.deployed([PLACE])
        assert found
        return int(found.template["taskCount"])

    return api.call(look)


def test_drift_is_seen_and_has_to_be_confirmed(api: Api) -> None:
    job = report(api)
    assert (job["action"], job["base_revision"], job["revision"]) == ("update", 1, 1)
    assert job["drift"] == [
        {
            "region": "us-central1", "path": "template.taskCount", "applied": 2, "live": 9,
            "verdict": None,
        }
    ]  # fmt: skip
    assert job["unsafe"] == [
        "template.taskCount: a change that somebody made in us-central1 is taken back"
    ]
    waiting = api.post("/jobs:apply", body(wait_seconds=5))["operation"]
    assert waiting["state"] == "waiting"
    assert live(api) == 9


@pytest.mark.parametrize(
    ("verdict", "tasks", "revision", "spec"), [("revert", 2, 1, 2), ("adopt", 9, 2, 9)]
)
def test_drift_is_taken_back_or_becomes_ours(
    api: Api, verdict: str, tasks: int, revision: int, spec: int
) -> None:
    said = {"report.template.taskCount": verdict}
    job = report(api, drift=said)
    assert (job["unsafe"], job["revision"]) == ([], revision)
    token = api.post("/jobs:plan", body(drift=said))["token"]
    api.post("/jobs:apply", body(drift=said, plan_token=token, wait_seconds=10))
    assert live(api) == tasks
    found = api.get("/jobs/report")
    assert (found["revision"], found["spec"]["template"]["taskCount"]) == (revision, spec)
    assert report(api)["drift"] == [] or verdict == "adopt"


def test_what_the_manifest_ignores_stays(api: Api) -> None:
    job = report(api, IGNORING)
    assert [drift["verdict"] for drift in job["drift"]] == ["ignore"]
    assert [field["path"] for field in job["fields"]] == ["ignore_drift[template.taskCount]"]
    api.post("/jobs:apply", body(IGNORING, wait_seconds=10))
    assert live(api) == 9
    assert report(api, IGNORING)["action"] == "unchanged"


def test_a_token_is_stale_once_anything_moves(api: Api) -> None:
    token = api.post("/jobs:plan", body())["token"]
    api.behind.jobs.change(PLACE, taskCount=10)
    answer = api.ask("POST", "/jobs:apply", body(plan_token=token))
    assert answer.status == 409
    assert "the plan is stale" in answer.error["message"]
    assert live(api) == 10
    text = MANIFEST.replace("attempts: 2", "attempts: 3")
    token = api.post("/jobs:plan", body(text))["token"]
    other = api.ask("POST", "/jobs:apply", body(plan_token=token))
    assert other.status == 409
    assert "another manifest" in other.error["message"]
    done = api.post("/jobs:apply", body(text, plan_token=token, wait_seconds=10))["operation"]
    assert (done["state"], live(api)) == ("complete", 2)
    again = api.ask("POST", "/jobs:apply", body(text, plan_token=token))
    assert again.status == 409


def test_people_see_drift_and_decide(runyard: CommandLine, api: Api, tmp_path: Path) -> None:
    file = str(tmp_path / "runyard.yaml")
    shown = runyard("plan", file)
    line = (
        "    ? template.taskCount is 9 in us-central1, and was applied as 2: it is taken back, "
        "since nobody decided: --drift report.template.taskCount=adopt|revert|ignore"
    )
    assert line in shown.out.splitlines()
    assert "what is marked ! has to be confirmed" in shown.out
    done = runyard("apply", file, "--drift", "report=adopt")
    assert done.status == 0, done.err
    assert api.get("/jobs/report")["spec"]["template"]["taskCount"] == 9
