"""Runs over HTTP: asked for, listed, followed to their end, cancelled, explained."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from runyard.model.event import Ended, Launched, Released
from runyard.model.outcome import Ending, TaskFailure
from runyard.provider.port import TaskView
from tests.support.api_server import MANIFEST, START, Api, serving
from tests.support.stories import outcome


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server with jobs."""
    with serving(tmp_path_factory.mktemp("api")) as started:
        started.apply()
        yield started


def test_a_run_is_asked_for_with_everything_that_can_be_changed(api: Api) -> None:
    (made,) = api.post(
        "/runs",
        {
            "job": "report",
            "environment": "local",
            "region": "us-central1",
            "overrides": {
                "args": ["--month", "3"],
                "env": {"MODE": "x"},
                "task_count": 5,
                "timeout": "1m30s",
            },
            "priority": 3,
            "labels": {"who": "me"},
        },
        201,
    )["runs"]
    assert made["overrides"] == {
        "args": ["--month", "3"], "env": {"MODE": "x"}, "task_count": 5, "timeout": "90s",
    }  # fmt: skip
    assert made["labels"] == {"team": "data", "who": "me"}
    assert (made["task_count"], made["priority"], made["requested_by"]) == (5, 3, "admin")
    assert (made["state"], made["attempt"], made["attempts_max"]) == ("launching", 1, 2)
    assert made["requested_at"].endswith("Z")
    beside = {"attempts": 0, "output": None}
    assert api.get(f"/runs/{made['id']}") | beside == made | beside


def test_a_job_that_is_everywhere_makes_a_run_in_each_region(api: Api) -> None:
    made = api.post("/runs", {"job": "everywhere"}, 201)["runs"]
    assert [run["region"] for run in made] == ["us-central1", "europe-west1"]


def test_the_same_key_gets_the_same_runs(api: Api) -> None:
    asked = {"job": "everywhere", "idempotency_key": "key-1"}
    first = api.post("/runs", asked, 201)
    again = api.post("/runs", asked, 200)
    assert [run["id"] for run in again["runs"]] == [run["id"] for run in first["runs"]]
    other = api.ask("POST", "/runs", asked | {"region": "us-central1"})
    assert (other.status, other.error["status"]) == (409, "ALREADY_EXISTS")


@pytest.mark.parametrize(
    ("asked", "status", "path"),
    [
        ({"job": "nothing"}, 404, None),
        ({"job": "report", "environment": "prod"}, 404, None),
        ({"job": "report", "project": "other"}, 404, None),
        ({"job": "report", "region": "europe-west1"}, 400, "region"),
    ],
)
def test_what_there_is_not_is_said(
    api: Api, asked: dict[str, str], status: int, path: str | None
) -> None:
    answer = api.ask("POST", "/runs", asked)
    assert answer.status == status
    assert [one["path"] for one in answer.error["details"]] == ([path] if path else [])


def test_a_run_is_told_from_its_first_attempt_to_its_cost(api: Api) -> None:
    run = api.run()
    api.tell(run, Launched(1, "report-00001", ("no memory limit here",)))
    failure = TaskFailure(1, 2, "the source is empty", exit_code=4)
    api.tell(run, Ended(1, outcome(Ending.FAILED, "1 task failed", failure)))
    found = api.get(f"/runs/{run}")
    assert found["state"] == "backing_off"
    assert found["due_at"] > found["requested_at"]
    (attempt,) = found["attempts"]
    assert (attempt["number"], attempt["handle"]) == (1, "report-00001")
    assert attempt["outcome"]["failures"][0]["exit_code"] == 4
    assert attempt["charge"]["nano_dollars"] == found["cost_nano_dollars"] > 0
    assert attempt["charge"]["price_table"] == "2026-08-21"
    assert found["cost"] == "$0.0023"

    history = api.get(f"/runs/{run}/history")["events"]
    assert [one["kind"] for one in history] == [
        "requested", "started", "launched", "attempt_ended",
    ]  # fmt: skip
    assert [one["sequence"] for one in history] == [1, 2, 3, 4]
    assert history[3]["data"]["retry_at"].endswith("Z")
    assert api.get(f"/runs/{run}/history?after=3")["events"] == history[3:]

    told = api.get(f"/runs/{run}/explanation")
    assert told["run"]["id"] == run
    sentences = " ".join(told["sentences"])
    for words in (
        "asked for by hand, by admin",
        "Not as on Google Cloud: no memory limit here.",
        "Task 1 ended with exit code 4 after 2 tries: the source is empty.",
        "retry.attempts allows 2 attempts",
        "attempt 2 is due",
        "Attempt 1 cost $0.0023",
    ):
        assert words in sentences


def test_a_run_that_waits_says_for_what(api: Api) -> None:
    first, second = api.run("alone"), api.run("alone")
    assert api.get(f"/runs/{second}")["waiting_on"] == "job/shop/local/alone"
    api.tell(first, Launched(1, "a"))
    api.tell(first, Ended(1, outcome()))
    assert api.get(f"/runs/{second}")["state"] == "launching"
    sentences = api.get(f"/runs/{second}/explanation")["sentences"]
    assert any("its job runs at most 1 at once" in one for one in sentences)


def test_a_cancel_may_be_said_twice_and_not_too_late(api: Api) -> None:
    run = api.run()
    stopping = api.post(f"/runs/{run}:cancel", {"reason": "not needed"})
    assert (stopping["state"], stopping["stop_cause"]) == ("stopping", "cancel")
    assert stopping["reason"] == "cancelled by admin: not needed"
    assert api.post(f"/runs/{run}:cancel", {}) == stopping
    api.tell(run, Ended(1, outcome(Ending.CANCELLED, "cancelled")))
    cancelled = api.post(f"/runs/{run}:cancel", None)
    assert cancelled["state"] == "cancelled"

    done = api.run()
    api.tell(done, Ended(1, outcome()))
    answer = api.ask("POST", f"/runs/{done}:cancel")
    assert (answer.status, answer.error["status"]) == (412, "FAILED_PRECONDITION")
    assert "it is succeeded" in answer.error["message"]


@pytest.mark.parametrize("tail", ["", "/history", "/explanation", "/tasks", "/log", "/events"])
@pytest.mark.parametrize(
    "run", ["run_01m1edeag30000000000099999", "nothing", "%00", "run_" + "i" * 26]
)
def test_a_run_that_is_not_there(api: Api, tail: str, run: str) -> None:
    answer = api.ask("GET", f"/runs/{run}{tail}")
    assert (answer.status, answer.error["status"]) == (404, "NOT_FOUND")


def test_tasks_are_shown_by_attempt(api: Api) -> None:
    run = api.run()
    api.behind.viewer.views[f"{run}/1"] = [
        TaskView(index, "running", started_at=START) for index in range(5)
    ]
    page = api.get(f"/runs/{run}/tasks?first=1&limit=2")
    assert page["attempt"] == 1
    assert [task["index"] for task in page["tasks"]] == [1, 2]
    assert page["tasks"][0] == {
        "index": 1, "state": "running", "attempt": 0, "started_at": "2026-09-01T12:00:00Z",
        "ended_at": None, "exit_code": None, "signal": None, "message": "",
        "cpu_milliseconds": 0, "memory_peak_bytes": 0,
    }  # fmt: skip
    assert api.ask("GET", f"/runs/{run}/tasks?attempt=2").status == 404
    assert api.ask("GET", f"/runs/{run}/tasks?attempt=0").status == 400


def test_a_run_without_an_attempt_has_neither_tasks_nor_log(api: Api) -> None:
    api.apply(MANIFEST.replace("alone:", "lonely:"))
    first, second = api.run("lonely"), api.run("lonely")
    assert api.get(f"/runs/{second}/tasks") == {"attempt": 0, "tasks": []}
    log = {"attempt": 0, "entries": [], "after": 7, "ended": False}
    assert api.get(f"/runs/{second}/log?after=7") == log
    api.post(f"/runs/{second}:cancel", {})
    assert api.get(f"/runs/{second}/log")["ended"] is True
    assert api.get(f"/runs/{first}/tasks")["attempt"] == 1


def test_a_log_is_read_page_by_page(api: Api) -> None:
    run, viewer = api.run(), api.behind.viewer
    viewer.write(f"{run}/1", *(f"line {number}" for number in range(5)))
    viewer.write(f"{run}/1", "of another", task=1)
    viewer.ended.add(f"{run}/1")
    page = api.get(f"/runs/{run}/log?limit=2")
    assert [entry["text"] for entry in page["entries"]] == ["line 0", "line 1"]
    assert (page["attempt"], page["after"], page["ended"]) == (1, 20, False)
    rest = api.get(f"/runs/{run}/log?after=20")
    assert len(rest["entries"]) == 4
    assert rest["ended"] is True
    (entry,) = api.get(f"/runs/{run}/log?task=1")["entries"]
    assert entry == {
        "position": 60, "at": "2026-09-01T12:00:00Z", "task": 1, "attempt": 0, "run_attempt": 1,
        "stream": "stdout", "severity": "DEFAULT", "text": "of another", "fields": {},
    }  # fmt: skip


def test_runs_are_listed_filtered_and_sorted(api: Api) -> None:
    label = {"list": "mine"}
    api.behind.now += timedelta(hours=1)
    made = [api.run(labels=label) for _ in range(5)]
    api.tell(made[0], Ended(1, outcome()))
    first = api.get("/runs?label=list=mine&page_size=2")
    second = api.get(f"/runs?label=list=mine&page_size=2&page_token={first['next_page_token']}")
    last = api.get(f"/runs?label=list=mine&page_size=2&page_token={second['next_page_token']}")
    pages = [first, second, last]
    assert [run["id"] for page in pages for run in page["runs"]] == made[::-1]
    assert last["next_page_token"] == ""

    found = api.get("/runs?label=list=mine&label=team=data&state=succeeded&state=dead")["runs"]
    assert [run["id"] for run in found] == made[:1]
    by_duration = api.get("/runs?label=list=mine&sort=duration")["runs"]
    assert by_duration[0]["id"] == made[0]
    at = by_duration[1]["requested_at"]
    later = api.get(f"/runs?label=list=mine&since={at}&job=report&region=us-central1")["runs"]
    assert at == min(run["requested_at"] for run in later)
    earlier = api.get(f"/runs?label=list=mine&until={at}&trigger=manual")["runs"]
    assert all(run["requested_at"] < at for run in earlier)
    assert len(later) + len(earlier) == 5

    other = api.ask("GET", f"/runs?page_size=2&page_token={first['next_page_token']}")
    assert other.status == 400
    assert "same filter and sort" in other.error["details"][0]["expected"]


def test_runs_are_filtered_by_an_expression(api: Api) -> None:
    label = {"filtered": "mine"}
    made = [api.run(labels=label) for _ in range(3)]
    api.tell(made[1], Ended(1, outcome()))
    text = "labels.filtered = mine AND (state = succeeded OR NOT job = rep*)"
    asked = urlencode({"filter": text})
    assert [run["id"] for run in api.get(f"/runs?{asked}")["runs"]] == [made[1]]
    first = api.get("/runs?page_size=2&filter=labels:filtered")
    token = first["next_page_token"]
    rest = api.get(f"/runs?page_size=2&filter=labels:filtered&page_token={token}")
    assert [run["id"] for run in [*first["runs"], *rest["runs"]]] == made[::-1]
    assert api.ask("GET", f"/runs?page_size=2&page_token={token}").status == 400


def test_a_filter_that_is_not_understood_says_where(api: Api) -> None:
    answer = api.ask("GET", "/runs?" + urlencode({"filter": "job = report AND stat = dead"}))
    assert answer.status == 400
    (fault,) = answer.error["details"]
    assert (fault["path"], fault["column"], fault["hint"]) == (
        "filter", 18, "did you mean 'state'?",
    )  # fmt: skip
    long = api.ask("GET", f"/runs?filter=job={'a' * 3000}")
    assert long.status == 400


def test_what_was_released_is_told(api: Api) -> None:
    run = api.run()
    api.tell(run, Ended(1, outcome()))
    api.tell(run, Released(1, (("folder", 2),)))
    sentences = api.get(f"/runs/{run}/explanation")["sentences"]
    assert any("2 folders" in one for one in sentences)
