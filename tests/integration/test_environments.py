"""Environments over HTTP and on the command line: applied, listed, bound, guarded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api_server import MANIFEST, TOKEN, Api, serving
from tests.support.command_line import CommandLine

ENVIRONMENTS = """\
project: shop
environments:
  dev: {regions: [europe-west1]}
  staging:
    approvals: 1
    freeze:
      - {from: Fri 16:00, until: Mon 08:00, timeZone: Europe/Berlin, reason: a quiet weekend}
      - {from: 2020-01-01T00:00:00Z, until: 2099-01-01T00:00:00Z, reason: the long freeze}
    allow: {change: [ann, bob], approve: [eve]}
  prod: {provider: gcp, googleProject: shop-prod, regions: [us-east1]}
"""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(
        tmp_path_factory.mktemp("api"), regions=("us-central1", "europe-west1", "us-east1")
    ) as started:
        started.apply()
        body = {"files": [{"name": "runyard.yaml", "text": ENVIRONMENTS}]}
        started.post("/environments:apply", body)
        yield started


@pytest.fixture
def runyard(api: Api, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, {"RUNYARD_URL": api.url, "RUNYARD_TOKEN": TOKEN})


def files(text: str, **more: object) -> dict[str, object]:
    return {"files": [{"name": "runyard.yaml", "text": text}], **more}


def test_environments_are_applied_once_and_revised(api: Api) -> None:
    text = "project: bank\nenvironments: {dev: {}, prod: {approvals: 1}}"
    made = api.post("/environments:apply", files(text))["environments"]
    assert [(one["name"], one["change"], one["revision"]) for one in made] == [
        ("dev", "created", 1), ("prod", "created", 1),
    ]  # fmt: skip
    made = api.post("/environments:apply", files(text.replace("1}", "2}")))["environments"]
    assert [(one["name"], one["change"], one["revision"]) for one in made] == [
        ("dev", "unchanged", 1), ("prod", "updated", 2),
    ]  # fmt: skip
    found = api.get("/environments/prod?project=bank")
    assert (found["approvals"], found["revision"], found["applied_by"]) == (2, 2, "admin")


def test_environments_are_listed_with_those_that_only_have_jobs(api: Api) -> None:
    found = api.get("/environments?project=shop")["environments"]
    assert [(one["name"], one["revision"] > 0) for one in found][:1] == [("dev", True)]
    local = next(one for one in found if one["name"] == "local")
    assert (local["revision"], local["jobs"], local["provider"]) == (0, 3, "local")
    assert local["applied_at"] is None
    staging = next(one for one in found if one["name"] == "staging")
    assert staging["frozen"] == "the long freeze"
    assert staging["freeze"][0] == {
        "from": "fri 16:00", "until": "mon 08:00", "timeZone": "Europe/Berlin",
        "reason": "a quiet weekend",
    }  # fmt: skip
    assert staging["allow"] == {"change": ["ann", "bob"], "approve": ["eve"]}


def test_an_environment_is_known_to_the_jobs_that_come_to_it(api: Api) -> None:
    made = api.post("/jobs:apply", files(MANIFEST, environment="dev"))["jobs"]
    regions = {job["name"]: job["regions"] for job in made}
    assert regions["report"] == ["europe-west1"]
    assert api.get("/jobs/report?environment=local")["regions"] == ["us-central1"]


def test_jobs_and_slots_of_environments_are_kept_apart(api: Api) -> None:
    api.post("/jobs:apply", files(MANIFEST, environment="dev"))
    (run,) = api.post("/runs", {"job": "report", "environment": "dev"}, 201)["runs"]
    assert (run["environment"], run["region"]) == ("dev", "europe-west1")
    assert api.get("/runs?filter=environment=dev%20AND%20job=report")["runs"][0]["id"] == run["id"]
    assert api.ask("POST", "/runs", {"job": "report", "environment": "nowhere"}).status == 404


def test_what_is_bound_to_google_is_validated_and_not_run(api: Api) -> None:
    told = api.post("/jobs:validate", files(MANIFEST, environment="prod"))
    assert told["jobs"][0]["regions"] == ["us-east1"]
    assert not [one for one in told["warnings"] if one["path"].endswith("image")]
    answer = api.ask("POST", "/jobs:apply", files(MANIFEST, environment="prod"))
    assert answer.status == 412
    assert "bound to gcp" in answer.error["message"]


def test_a_manifest_that_says_other_than_what_is_in_force(api: Api) -> None:
    here = MANIFEST + "environments: {prod: {provider: local}}\n"
    answer = api.ask("POST", "/jobs:apply", files(here, environment="prod"))
    assert answer.status == 412
    assert "the manifest has prod at local, and in force it is at gcp" in answer.error["message"]
    loose = MANIFEST + "environments: {staging: {approvals: 0}}\n"
    told = api.post("/jobs:validate", files(loose, environment="staging"))["warnings"]
    (warning,) = [one for one in told if one["path"] == "environments.staging"]
    assert "its guards are those" in warning["expected"]
    same = MANIFEST + "environments: {dev: {regions: [europe-west1]}}\n"
    told = api.post("/jobs:validate", files(same, environment="dev"))["warnings"]
    assert not [one for one in told if one["path"].startswith("environments")]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("freeze: [{from: fri 16:00, until: fri 16:00}]", "environments.x.freeze[0].until"),
        (
            "freeze: [{from: fri 16:00, until: sat 08:00, timeZone: Mars/Olympus}]",
            "environments.x.freeze[0].timeZone",
        ),
        ("approvals: many", "environments.x.approvals"),
        ("allow: {change: ['']}", "environments.x.allow.change[0]"),
    ],
)
def test_an_environment_that_makes_no_sense_is_refused(api: Api, text: str, path: str) -> None:
    body = files(f"project: shop\nenvironments: {{good: {{}}, x: {{{text}}}}}")
    answer = api.ask("POST", "/environments:apply", body)
    assert answer.status == 400
    assert [fault["path"] for fault in answer.error["details"]] == [path]
    assert api.ask("GET", "/environments/good").status == 404


def test_an_environment_that_is_not_there_or_is_twice(api: Api) -> None:
    assert api.ask("GET", "/environments/nowhere").status == 404
    text = "project: third\nenvironments: {dev: {}}"
    api.post("/environments:apply", files(text))
    answer = api.ask("GET", "/environments/dev")
    assert answer.status == 412
    assert "several projects" in answer.error["message"]
    assert api.get("/environments/dev?project=third")["project"] == "third"


def test_people_see_environments(runyard: CommandLine) -> None:
    listed = runyard("environments", "--project", "shop").out
    rows = [line.split() for line in listed.splitlines()]
    assert rows[0] == [
        "ENVIRONMENT",
        "PROJECT",
        "PROVIDER",
        "REGIONS",
        "GUARDS",
        "JOBS",
        "REVISION",
    ]
    assert any(row[:4] == ["prod", "shop", "gcp", "us-east1"] for row in rows)
    assert "1 to approve, frozen now, by name" in listed
    page = " ".join(runyard("environments", "get", "staging").out.split())
    assert "frozen: now: the long freeze" in page
    assert "freeze: fri 16:00 until mon 08:00 Europe/Berlin: a quiet weekend" in page
    assert "who may change: ann, bob" in page
    assert runyard("environments", "get", "staging", "--json").document()["approvals"] == 1
    assert runyard("environments", "get", "nowhere").status == 66
    local = runyard("environments", "get", "local", "--project", "shop").out
    assert "none: it was never applied" in local


def test_people_apply_environments(runyard: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "runyard.yaml"
    file.write_text("project: fourth\nenvironments: {dev: {}}")
    done = runyard("environments", "apply", str(file))
    assert done.out.splitlines()[1].split() == ["dev", "fourth", "created", "1"]
    again = runyard("environments", "apply", str(file), "--json").document()
    assert again["environments"] == [
        {"name": "dev", "project": "fourth", "change": "unchanged", "revision": 1}
    ]
    everything = runyard("environments", "--json").document()["environments"]
    assert ("fourth", "dev") in {(one["project"], one["name"]) for one in everything}
