"""The history of a job, and what differs between its revisions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api_server import MANIFEST, TOKEN, Api, serving
from tests.support.command_line import CommandLine


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(tmp_path_factory.mktemp("api")) as started:
        for attempts in range(2, 7):
            started.apply(MANIFEST.replace("attempts: 2", f"attempts: {attempts}"))
        text = MANIFEST.replace("attempts: 2", "attempts: 6").replace(
            "    labels: {team: data}\n", "    labels: {team: ml}\n    placement: all\n"
        )
        unsafe = {"files": [{"name": "a.yaml", "text": text}], "confirm": True, "wait_seconds": 10}
        started.post("/jobs:apply", unsafe)
        yield started


@pytest.fixture
def runyard(api: Api, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, {"RUNYARD_URL": api.url, "RUNYARD_TOKEN": TOKEN})


def test_revisions_are_listed_in_pages_newest_first(api: Api) -> None:
    found, token = [], ""
    while True:
        page = api.get(f"/jobs/report/revisions?page_size=2&page_token={token}")
        found += page["revisions"]
        token = page["next_page_token"]
        if not token:
            break
    assert [one["revision"] for one in found] == [6, 5, 4, 3, 2, 1]
    assert [one["changed"] for one in found] == [
        ["labels.team", "placement"], *[["retry.attempts"]] * 4, [],
    ]  # fmt: skip
    assert found[-1]["spec"]["retry"]["attempts"] == 2
    assert {one["applied_by"] for one in found} == {"admin"}
    first = api.get("/jobs/report/revisions?page_size=2")["next_page_token"]
    assert api.ask("GET", f"/jobs/alone/revisions?page_token={first}").status == 400


def test_two_revisions_are_compared(api: Api) -> None:
    last = api.get("/jobs/report/revisions:diff")
    assert (last["since"], last["to"]) == (5, 6)
    assert [(one["path"], one["before"], one["after"]) for one in last["fields"]] == [
        ("labels.team", "data", "ml"), ("placement", "primary", "all"),
    ]  # fmt: skip
    assert [bool(one["unsafe"]) for one in last["fields"]] == [False, True]
    far = api.get("/jobs/report/revisions:diff?since=1&to=3")["fields"]
    assert [(one["path"], one["before"], one["after"]) for one in far] == [("retry.attempts", 2, 4)]
    back = api.get("/jobs/report/revisions:diff?since=3&to=1")["fields"]
    assert [(one["before"], one["after"]) for one in back] == [(4, 2)]
    alone = api.get("/jobs/alone/revisions:diff")
    assert (alone["since"], alone["to"], alone["fields"]) == (1, 1, [])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/jobs/nobody/revisions", 404),
        ("/jobs/nobody/revisions:diff", 404),
        ("/jobs/report/revisions:diff?to=9", 404),
        ("/jobs/report/revisions:diff?since=0", 400),
        ("/jobs/report/revisions?environment=nowhere", 404),
        ("/jobs/report/revisions?project=bank", 404),
    ],
)
def test_what_there_is_not_is_said(api: Api, path: str, status: int) -> None:
    assert api.ask("GET", path).status == status


def test_people_read_a_history(runyard: CommandLine) -> None:
    rows = [line.split() for line in runyard("jobs", "history", "report").out.splitlines()]
    assert rows[0] == ["REVISION", "APPLIED", "BY", "CHANGED"]
    assert [row[0] for row in rows[1:]] == ["6", "5", "4", "3", "2", "1"]
    assert rows[1][-2:] == ["labels.team,", "placement"]
    limited = runyard("jobs", "history", "report", "--limit", "2")
    assert "there are more" in limited.err
    document = runyard("jobs", "history", "report", "--json").document()
    assert len(document["revisions"]) == 6


def test_people_read_a_difference(runyard: CommandLine) -> None:
    assert runyard("jobs", "diff", "report", "1", "3").out.splitlines() == [
        "report, revision 1 -> 3", "~ retry.attempts: 2 -> 4",
    ]  # fmt: skip
    last = runyard("jobs", "diff", "report").out.splitlines()
    assert last[1:3] == ["~ labels.team: data -> ml", "~ placement: primary -> all"]
    assert last[3].startswith("! placement: ")
    assert "nothing differs" in runyard("jobs", "diff", "alone").out
    assert runyard("jobs", "diff", "report", "--json").document()["to"] == 6
    assert runyard("jobs", "diff", "report", "9").status == 66


def test_a_job_of_two_projects_is_told_apart(api: Api) -> None:
    for project in ("bank", "shop"):
        text = MANIFEST.replace("project: shop", f"project: {project}")
        body = {"files": [{"name": "a.yaml", "text": text}], "environment": "twice"}
        api.post("/jobs:apply", body)
    answer = api.ask("GET", "/jobs/report/revisions?environment=twice")
    assert answer.status == 412
    found = api.get("/jobs/report/revisions?environment=twice&project=bank")
    assert found["revisions"][0]["spec"]["project"] == "bank"
