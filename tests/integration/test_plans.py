"""Plans over HTTP and on the command line: what would change, what it costs, what a token is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runyard.cli import terminal
from runyard.model.event import Ended
from tests.support.api_server import MANIFEST, TOKEN, Api, serving
from tests.support.command_line import CommandLine
from tests.support.stories import outcome

MORE = (
    MANIFEST
    + """\
  fresh:
    template:
      template:
        containers:
          - image: example/fresh:1
            env: [{name: DB_PASSWORD, value: hunter2}, {name: LEVEL, value: info}]
"""
)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as started:
        started.apply()
        yield started


@pytest.fixture
def runyard(api: Api, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, {"RUNYARD_URL": api.url, "RUNYARD_TOKEN": TOKEN})


def plan(api: Api, text: str, **more: Any) -> Any:
    return api.post("/jobs:plan", {"files": [{"name": "a.yaml", "text": text}], **more})


def test_what_is_in_force_needs_no_change(api: Api) -> None:
    found = plan(api, MANIFEST)
    assert (found["has_changes"], found["is_safe"]) == (False, True)
    assert {job["action"] for job in found["jobs"]} == {"unchanged"}
    assert found["token"] == plan(api, MANIFEST)["token"]


def test_a_plan_says_what_changes_and_changes_nothing(api: Api) -> None:
    text = MORE.replace("attempts: 2", "attempts: 3")
    found = plan(api, text)
    jobs = {job["name"]: job for job in found["jobs"]}
    report, fresh = jobs["report"], jobs["fresh"]
    assert (report["action"], report["base_revision"], report["revision"]) == ("update", 1, 2)
    assert report["fields"] == [{"path": "retry.attempts", "before": 2, "after": 3, "unsafe": ""}]
    assert (fresh["action"], fresh["base_revision"], fresh["revision"]) == ("create", 0, 1)
    assert fresh["estimate"] == {
        "launches_max": 4, "runs_measured": 0, "run_nano_dollars": None, "run_cost": None,
        "month_nano_dollars": None, "month_cost": None,
        "why_unknown": "no run of it has ended that was billed",
    }  # fmt: skip
    room = {(one["name"], one["where"]): one for one in found["headroom"]}
    jobs_here = room["jobs", "us-central1"]
    assert (jobs_here["after"] - jobs_here["used"], jobs_here["limit"]) == (1, 1000)
    assert api.ask("GET", "/jobs/fresh").status == 404
    assert api.get("/jobs/report")["revision"] == 1


def test_a_token_is_of_one_plan(api: Api) -> None:
    changed = MANIFEST.replace("attempts: 2", "attempts: 3")
    tokens = {
        plan(api, MANIFEST)["token"],
        plan(api, changed)["token"],
        plan(api, changed, environment="dev")["token"],
        plan(api, changed, drift={"*": "adopt"})["token"],
    }
    assert len(tokens) == 4


def test_a_price_is_measured(api: Api) -> None:
    run = api.run("alone")
    api.tell(run, Ended(1, outcome()))
    cost = api.get(f"/runs/{run}")["attempts"][0]["charge"]["nano_dollars"]
    found = {job["name"]: job for job in plan(api, MANIFEST)["jobs"]}["alone"]["estimate"]
    assert (found["runs_measured"], found["run_nano_dollars"]) == (1, cost)
    assert found["month_nano_dollars"] is None
    assert found["why_unknown"].startswith("it has no schedule")


NIGHTLY = (
    MANIFEST
    + """\
  nightly:
    template: {template: {containers: [{image: example/nightly:1}]}}
    triggers:
      - name: at-night
        schedule: 30 2 * * *
        timeZone: Europe/Berlin
        with: {env: {API_TOKEN: hunter2}}
"""
)


def nightly(found: Any) -> Any:
    return next(job for job in found["jobs"] if job["name"] == "nightly")


def test_a_plan_says_what_a_schedule_means(api: Api) -> None:
    [trigger] = nightly(plan(api, NIGHTLY))["triggers"]
    assert (trigger["name"], trigger["kind"], trigger["action"]) == (
        "at-night", "schedule", "create",
    )  # fmt: skip
    assert trigger["says"] == "30 2 * * * in Europe/Berlin"
    assert len(trigger["instants"]) == 3
    assert {at["local"][11:16] for at in trigger["instants"]} <= {"02:30", "03:00"}
    assert trigger["words"][0] == "An instant is skipped while a run of it is under way."


def test_a_plan_says_what_becomes_of_schedules(
    api: Api, runyard: CommandLine, tmp_path: Path
) -> None:
    api.post("/jobs:apply", {"files": [{"name": "a.yaml", "text": NIGHTLY}]})
    assert nightly(plan(api, NIGHTLY))["action"] == "unchanged"
    changed = NIGHTLY.replace("hunter2", "hunter3").replace("30 2 * * *", "30 4 * * *")
    job = nightly(plan(api, changed))
    assert {one["path"] for one in job["fields"]} == {
        "triggers[at-night].schedule", "triggers[at-night].with.env.API_TOKEN",
    }  # fmt: skip
    assert "hunter" not in str(job)
    (tmp_path / "next.yaml").write_text(changed)
    told = runyard("plan", str(tmp_path / "next.yaml")).out
    assert "    ~ triggers[at-night].schedule: 30 2 * * * -> 30 4 * * *\n" in told
    assert "    ~ trigger at-night: 30 4 * * * in Europe/Berlin\n" in told
    assert "04:30:00 +0" in told
    (tmp_path / "gone.yaml").write_text(NIGHTLY.partition("    triggers:")[0])
    told = runyard("plan", str(tmp_path / "gone.yaml")).out
    assert "    - trigger at-night: 30 2 * * * in Europe/Berlin\n" in told
    assert "        It asks for no runs any more.\n" in told


def test_a_schedule_makes_the_price_of_a_month(api: Api) -> None:
    run = api.run("alone")
    api.tell(run, Ended(1, outcome()))
    text = MANIFEST.replace("  alone:\n", "  alone:\n    triggers: [{schedule: 0 9 * * *}]\n")
    assert text != MANIFEST
    found = {job["name"]: job for job in plan(api, text)["jobs"]}["alone"]["estimate"]
    assert found["month_nano_dollars"] == 30 * found["run_nano_dollars"]
    assert found["why_unknown"] == ""


def test_a_schedule_of_a_zone_that_is_not_there_is_refused(api: Api) -> None:
    body = {"files": [{"name": "a.yaml", "text": NIGHTLY.replace("Berlin", "Berln")}]}
    for path in ("/jobs:validate", "/jobs:plan", "/jobs:apply"):
        answer = api.ask("POST", path, body)
        assert answer.status == 400
        [fault] = answer.error["details"]
        assert fault["path"] == "jobs.nightly.triggers[0].timeZone"
        assert fault["hint"] == "did you mean Europe/Berlin?"


def test_what_may_be_a_secret_is_not_shown(api: Api) -> None:
    text = MORE.replace("hunter2", "hunter3")
    api.post("/jobs:apply", {"files": [{"name": "a.yaml", "text": MORE}]})
    fields = next(job for job in plan(api, text)["jobs"] if job["name"] == "fresh")["fields"]
    assert [one["path"] for one in fields] == [
        "template.template.containers[0].env[DB_PASSWORD].value"
    ]
    removed = plan(api, MORE.replace("{name: DB_PASSWORD, value: hunter2}, ", ""))
    for shown in (str(fields), str(removed)):
        assert "hunter" not in shown
        assert "a value that is not shown" in shown


def test_a_bad_manifest_and_a_bad_verdict_are_refused(api: Api) -> None:
    body: dict[str, Any] = {"files": [{"name": "a.yaml", "text": "jobs: 3"}]}
    assert api.ask("POST", "/jobs:plan", body).status == 400
    body = {"files": [{"name": "a.yaml", "text": MANIFEST}], "drift": {"*": "forget"}}
    answer = api.ask("POST", "/jobs:plan", body)
    assert answer.status == 400
    assert "adopt, revert, ignore" in answer.error["details"][0]["expected"]


def test_an_environment_at_google_is_planned(api: Api) -> None:
    bound = "environments: {prod: {provider: gcp, googleProject: shop-prod}}\n"
    found = plan(api, bound + MANIFEST, environment="prod")
    assert {job["action"] for job in found["jobs"]} == {"create"}
    assert {job["environment"] for job in found["jobs"]} == {"prod"}


def test_people_read_a_plan(runyard: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "runyard.yaml"
    file.write_text(MANIFEST)
    same = runyard("plan", str(file), "--exit-code")
    assert same.status == 0
    assert same.out.splitlines()[-1] == "0 to create, 0 to update, 0 to delete, 3 unchanged"
    file.write_text(MORE.replace("attempts: 2", "attempts: 3").replace("limit: 2", "limit: 5"))
    found = runyard("plan", str(file), "--exit-code")
    assert found.status == 2
    lines = found.out.splitlines()
    assert "~ report update, revision 1 -> 2 in us-central1" in lines
    assert "    ~ retry.attempts: 2 -> 3" in lines
    assert any(line.startswith("+ fresh create in us-central1") for line in lines)
    assert any("its price is unknown: no run of it has ended" in line for line in lines)
    assert lines[-1].startswith("apply exactly this: runyard apply --plan plan_")
    assert runyard("plan", str(file)).status == 0
    document = runyard("plan", str(file), "--json", "--drift", "report=revert").document()
    assert document["has_changes"] is True
    wrong = runyard("plan", str(file), "--drift", "report")
    assert wrong.status == 64


def test_lines_of_a_plan_are_coloured_by_their_sign(capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["+ made", "    - gone", "~ other", "    ! why", "    ? drift", "      plain"]
    terminal.changes(lines)
    assert capsys.readouterr().out.splitlines() == lines
