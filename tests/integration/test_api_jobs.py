"""Jobs, secrets and the server's own state over HTTP."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from runyard.model.event import Ended
from tests.support.api_server import MANIFEST, START, Api, FakeLoop, serving
from tests.support.stories import outcome


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server with jobs."""
    with serving(tmp_path_factory.mktemp("api")) as started:
        started.apply()
        yield started


def manifest(text: str, **more: object) -> dict[str, object]:
    """A body with one file."""
    return {"files": [{"name": "jobs.yaml", "text": text}], **more}


def test_applying_again_changes_nothing(api: Api) -> None:
    again = api.apply()
    assert [(job["name"], job["change"], job["revision"]) for job in again["jobs"]] == [
        ("report", "unchanged", 1), ("alone", "unchanged", 1), ("everywhere", "unchanged", 1),
    ]  # fmt: skip
    assert again["jobs"][0]["launches_max"] == 2 * 2 * 2
    image = [one for one in again["warnings"] if one["path"].endswith("containers[0].image")]
    assert image[0]["file"] == "runyard.yaml"
    assert image[0]["line"] > 1


def test_a_change_makes_a_revision_in_its_own_environment(api: Api) -> None:
    text = MANIFEST.replace("attempts: 2", "attempts: 3")
    made = api.post("/jobs:apply", manifest(text, environment="dev"))["jobs"]
    assert {(job["environment"], job["change"]) for job in made} == {("dev", "created")}
    changed = MANIFEST.replace("attempts: 2", "attempts: 4")
    made = api.post("/jobs:apply", manifest(changed, environment="dev"))["jobs"]
    assert (made[0]["change"], made[0]["revision"]) == ("updated", 2)
    assert api.get("/jobs/report")["revision"] == 1
    assert api.get("/jobs/report?environment=dev")["revision"] == 2


def test_an_environment_at_google_is_not_run_here_by_mistake(api: Api) -> None:
    bound = "environments: {prod: {provider: gcp, googleProject: shop-prod}}\n"
    answer = api.ask("POST", "/jobs:apply", manifest(bound + MANIFEST, environment="prod"))
    assert answer.status == 412
    assert "bound to gcp" in answer.error["message"]
    assert api.get("/jobs?environment=prod")["jobs"] == []
    told = api.post("/jobs:validate", manifest(bound + MANIFEST, environment="prod"))
    assert len(told["jobs"]) == 3


def test_validating_brings_nothing_into_force(api: Api) -> None:
    text = MANIFEST.replace("report:", "other:").replace("project: shop", "project: none")
    told = api.post("/jobs:validate", manifest(text))
    assert told["jobs"][0] == {
        "project": "none", "environment": "local", "name": "other", "revision": 0, "change": "",
        "launches_max": 8, "regions": ["us-central1"],
    }  # fmt: skip
    assert api.ask("GET", "/jobs/other").status == 404


@pytest.mark.parametrize("verb", ["validate", "apply"])
def test_every_fault_of_a_manifest_is_told_with_its_place(api: Api, verb: str) -> None:
    text = MANIFEST.replace("taskCount: 2", "taskCont: 2").replace("attempts: 2", "attempts: 200")
    answer = api.ask("POST", f"/jobs:{verb}", manifest(text))
    assert (answer.status, answer.error["status"]) == (400, "INVALID_ARGUMENT")
    places = {one["path"]: (one["file"], one["line"]) for one in answer.error["details"]}
    assert places == {
        "jobs.report.template.taskCont": ("jobs.yaml", 6),
        "jobs.report.retry.attempts": ("jobs.yaml", 12),
    }
    assert "did you mean 'taskCount'?" in {one["hint"] for one in answer.error["details"]}


def test_a_job_is_shown_with_its_canonical_manifest(api: Api) -> None:
    job = api.get("/jobs/report")
    assert (job["project"], job["environment"], job["labels"]) == (
        "shop",
        "local",
        {"team": "data"},
    )
    assert (job["placement"], job["priority"], job["launches_max"]) == ("primary", 0, 8)
    assert job["spec"]["template"]["template"]["timeout"] == "600s"
    assert job["applied_by"] == "admin"
    assert any(one["path"].endswith("containers[0].image") for one in job["warnings"])


def test_a_name_in_several_projects_must_say_which(api: Api) -> None:
    text = MANIFEST.replace("project: shop", "project: bank")
    api.post("/jobs:apply", manifest(text, environment="staging"))
    api.post("/jobs:apply", manifest(MANIFEST, environment="staging"))
    answer = api.ask("GET", "/jobs/report?environment=staging")
    assert answer.status == 412
    assert "bank, shop" in answer.error["message"]
    job = api.get("/jobs/report?environment=staging&project=bank")
    assert job["project"] == "bank"
    answer = api.ask("POST", "/runs", {"job": "report", "environment": "staging"})
    assert answer.status == 412
    asked = {"job": "report", "environment": "staging", "project": "bank"}
    assert api.post("/runs", asked, 201)["runs"][0]["project"] == "bank"


def test_jobs_are_listed_in_pages(api: Api) -> None:
    first = api.get("/jobs?page_size=2")
    assert [job["name"] for job in first["jobs"]] == ["alone", "everywhere"]
    rest = api.get(f"/jobs?page_size=2&page_token={first['next_page_token']}")
    assert [job["name"] for job in rest["jobs"]] == ["report"]
    assert rest["next_page_token"] == ""
    assert [job["name"] for job in api.get("/jobs?label=team=data")["jobs"]] == ["report"]
    assert [job["name"] for job in api.get("/jobs?name=alone")["jobs"]] == ["alone"]
    assert api.get("/jobs?name=alone&label=team=data")["jobs"] == []
    assert api.get("/jobs?environment=nowhere")["jobs"] == []
    token = first["next_page_token"]
    assert api.ask("GET", f"/jobs?label=a=b&page_token={token}").status == 400


def test_jobs_are_filtered_and_sorted(api: Api) -> None:
    def names(query: str) -> list[str]:
        return [job["name"] for job in api.get(f"/jobs?{query}")["jobs"]]

    assert names("filter=labels.team=data") == ["report"]
    assert names("filter=NOT%20labels:team") == ["alone", "everywhere"]
    assert names("filter=state=ready") == ["alone", "everywhere", "report"]
    assert names("sort=-name") == ["report", "everywhere", "alone"]
    first = api.get("/jobs?sort=-priority&page_size=2")
    token = first["next_page_token"]
    rest = api.get(f"/jobs?sort=-priority&page_size=2&page_token={token}")
    assert {job["name"] for job in [*first["jobs"], *rest["jobs"]]} == {
        "alone", "everywhere", "report",
    }  # fmt: skip
    assert api.ask("GET", f"/jobs?sort=priority&page_token={token}").status == 400
    answer = api.ask("GET", "/jobs?filter=trigger=manual")
    assert answer.error["details"][0]["expected"].startswith("a field: one of name,")


def test_secrets_are_given_and_never_shown(api: Api) -> None:
    value = base64.b64encode(b"hunter2").decode()
    made = api.post("/secrets", {"name": "db-url", "value_base64": value})
    assert (made["name"], made["version"], made["environment"]) == ("db-url", 1, "local")
    added = api.post("/secrets/db-url:addVersion", {"value_base64": value})
    assert added == made | {"version": 2}
    assert api.get("/secrets") == {"secrets": [added]}
    assert api.ask("POST", "/secrets", {"name": "db-url"}).status == 409
    for name, body in (
        ("db-url", {"value_base64": "hunter2"}),
        ("db-url", {"value": value}),
        ("db%20url", {"value_base64": value}),
        ("db-url", {"value_base64": ""}),
    ):
        answer = api.ask("POST", f"/secrets/{name}:addVersion", body)
        assert answer.status == 400
        assert b"hunter2" not in answer.content
        assert value.encode() not in answer.content


def test_the_server_says_how_it_is(api: Api) -> None:
    api.tell(api.run(), Ended(1, outcome()))
    told = api.get("/status")
    assert (told["version"], told["environment"]) == ("1.2.3", "local")
    assert told["runs"]["succeeded"] >= 1
    assert told["regions"] == [
        {"name": "us-central1", "vcpu": 8, "memory_bytes": 2**33, "running_tasks": 0},
    ]
    assert told["abilities"] == {"cgroup": "v2"}
    assert told["loops"]["due"]["last_tick_at"] == "2026-09-01T12:00:00Z"


def test_metrics_count_what_the_gate_committed(api: Api) -> None:
    api.tell(api.run(), Ended(1, outcome()))
    answer = api.ask("GET", "//metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    lines = answer.content.decode().splitlines()
    name = (
        'runyard_runs_finished_total{class="",job="report",region="us-central1",state="succeeded"} '
    )
    (found,) = [line for line in lines if line.startswith(name)]
    assert float(found.removeprefix(name)) >= 1
    assert 'runyard_loop_ticks_total{loop="due"} 3.0' in lines
    assert any(line.startswith("runyard_effects_pending ") for line in lines)


def test_a_server_is_ready_while_its_loops_look(tmp_path: Path) -> None:
    longest = {"due": timedelta(seconds=60), "rescue": timedelta(seconds=60)}
    with serving(tmp_path, silence_max=longest) as started:
        behind = started.behind
        answer = started.ask("GET", "//ready", headers={"Authorization": ""})
        assert (answer.status, answer.error["status"]) == (503, "UNAVAILABLE")
        assert answer.error["message"] == "these loops have not looked lately: rescue"
        behind.loops.append(FakeLoop("rescue"))
        assert started.ask("GET", "//ready").document == {"status": "ready", "engines": 0}
        behind.now = START + timedelta(seconds=61)
        assert "due, rescue" in started.ask("GET", "//ready").error["message"]
        assert started.ask("GET", "//health").document == {"status": "ok"}


def test_a_server_whose_database_is_gone_is_not_ready(tmp_path: Path) -> None:
    with serving(tmp_path) as started:
        for path in tmp_path.iterdir():
            path.unlink()
        (tmp_path / "runyard.db").mkdir()
        answer = started.ask("GET", "//ready", headers={"Authorization": ""})
        assert answer.status == 503
        assert str(tmp_path).encode() not in answer.content
        listed = started.ask("GET", "/runs")
        assert (listed.status, listed.error["status"]) == (503, "UNAVAILABLE")
        assert listed.headers["retry-after"] == "1"
