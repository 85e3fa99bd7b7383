"""Operations over HTTP: begun by changes of jobs, looked at, followed, decided on by people."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from runyard.cli.sse import read
from runyard.flow.dependants import Dependant
from runyard.model.deployed import Place
from runyard.model.errors import ProviderRefused
from runyard.model.event import Ended
from tests.support.api_server import MANIFEST, Api, serving
from tests.support.stories import outcome

PLACE = Place("shop", "local", "us-central1", "report")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as started:
        yield started


def body(text: str = MANIFEST, **more: object) -> dict[str, object]:
    return {"files": [{"name": "jobs.yaml", "text": text}], **more}


def changed(number: int) -> str:
    return MANIFEST.replace("attempts: 2", f"attempts: {number}")


def events(api: Api, operation: str, last: str = "") -> list[Any]:
    connection = api.connect()
    headers = {"Authorization": f"Bearer {api.token}", "Last-Event-ID": last}
    connection.request("GET", f"/api/v1/operations/{operation}/events", headers=headers)
    reply: HTTPResponse = connection.getresponse()
    assert reply.status == 200
    return list(read(reply))


def test_an_apply_is_an_operation_that_is_complete_when_it_answers(api: Api) -> None:
    made = api.post("/jobs:apply", body(reason="first"))
    operation = made["operation"]
    assert (operation["kind"], operation["state"], operation["reason"]) == (
        "apply", "complete", "first",
    )  # fmt: skip
    assert [job["change"] for job in operation["jobs"]] == ["created"] * 3
    assert {step["state"] for step in operation["steps"]} == {"done"}
    assert api.get(f"/operations/{operation['id']}") == operation
    job = api.get("/jobs/report")
    assert (job["blocked"], job["operation"]) == ("", "")
    assert {one["state"] for one in job["conditions"]} == {"succeeded"}
    assert job["conditions"][-1]["type"] == "Ready"
    history = api.get(f"/operations/{operation['id']}/history")["events"]
    assert history[0]["kind"] == "begun"
    kinds = {step["kind"] for step in operation["steps"]}
    assert len(history) == len(kinds) + 1  # steps of one kind go together
    assert api.post("/jobs:apply", body())["operation"] is None


def test_an_operation_is_followed_to_its_end(api: Api) -> None:
    operation = api.post("/jobs:apply", body())["operation"]
    told = events(api, operation["id"])
    assert [event.kind for event in told] == ["operation", "end"]
    assert told[-1].data == operation
    assert [event.kind for event in events(api, operation["id"], told[-1].id)] == ["end"]
    answer = api.ask("GET", "/operations/op_none/events")
    assert (answer.status, answer.error["message"]) == (404, "there is no operation op_none")


def test_operations_are_listed_in_pages(api: Api) -> None:
    ids = [api.post("/jobs:apply", body(changed(n)))["operation"]["id"] for n in (3, 4, 5)]
    first = api.get("/operations?page_size=2")
    rest = api.get(f"/operations?page_size=2&page_token={first['next_page_token']}")
    listed = [one["id"] for page in (first, rest) for one in page["operations"]]
    assert listed == ids[::-1]
    assert rest["next_page_token"] == ""
    of_job = api.get("/operations?job=report")["operations"]
    assert [one["id"] for one in of_job] == listed
    assert api.get("/operations?job=none")["operations"] == []
    assert api.get("/operations?environment=dev")["operations"] == []
    forged = api.ask("GET", f"/operations?job=alone&page_token={first['next_page_token']}")
    assert forged.status == 400


def test_what_is_undone_is_an_error_for_who_waits_and_a_row_for_who_does_not(api: Api) -> None:
    places = 4  # each is looked at before anything is begun
    api.behind.jobs.fails = [None] * places + [ProviderRefused("no room", hint="make some")]
    refused = api.ask("POST", "/jobs:apply", body())
    assert (refused.status, refused.error["hint"]) == (412, "make some")
    assert refused.error["message"].endswith("was undone: no room")
    assert refused.error["message"].startswith("nothing was changed, op_")
    assert api.get("/jobs")["jobs"] == []
    api.behind.jobs.fails = [None] * (places + 1) + [ProviderRefused("no room")]
    begun = api.post("/jobs:apply", body(wait_seconds=0))["operation"]
    last = events(api, begun["id"])[-1].data
    assert (last["state"], last["error"]) == ("undone", "no room")


def test_a_plan_token_that_is_stale_changes_nothing(api: Api) -> None:
    api.post("/jobs:apply", body())
    answer = api.ask("POST", "/jobs:apply", body(changed(3), plan_token="plan_x-y"))
    assert answer.status == 409
    assert api.get("/jobs/report")["revision"] == 1


def test_what_is_unsafe_waits_for_a_yes(api: Api) -> None:
    api.post("/jobs:apply", body())
    api.behind.jobs.change(PLACE, taskCount=9)
    waiting = api.post("/jobs:apply", body())["operation"]
    assert waiting["state"] == "waiting"
    assert "taskCount" in waiting["unsafe"][0]
    second = api.ask("POST", "/jobs:apply", body(changed(3)))
    assert (second.status, second.error["status"]) == (412, "FAILED_PRECONDITION")
    assert f"is being changed by admin (apply): {waiting['id']}" in second.error["message"]
    api.post(f"/operations/{waiting['id']}:approve", {})
    assert events(api, waiting["id"])[-1].data["state"] == "complete"
    assert api.behind.jobs.jobs[PLACE].template["taskCount"] == 2
    api.behind.jobs.change(PLACE, taskCount=9)
    waiting = api.post("/jobs:apply", body())["operation"]
    refused = api.post(f"/operations/{waiting['id']}:refuse", {"reason": "not now"})
    assert (refused["state"], refused["error"]) == ("undone", "declined by admin: not now")
    assert api.post("/jobs:apply", body(confirm=True))["operation"]["state"] == "complete"


def test_approvals_are_others_to_give(api: Api) -> None:
    guarded = "environments: {local: {approvals: 1}}\n" + MANIFEST
    api.post("/environments:apply", body(guarded))
    waiting = api.post("/jobs:apply", body(guarded))["operation"]
    assert (waiting["state"], waiting["approvals_missing"]) == ("waiting", 1)
    own = api.ask("POST", f"/operations/{waiting['id']}:approve", {})
    assert (own.status, "somebody else has to agree" in own.error["message"]) == (403, True)
    gone = api.post(f"/operations/{waiting['id']}:cancel", {"reason": "no"})
    assert gone["error"] == "cancelled by admin: no"
    late = api.ask("POST", f"/operations/{waiting['id']}:resume", {})
    assert late.status == 412
    assert "it is undone" in late.error["message"]


def test_a_job_is_rolled_back_to_what_it_was(api: Api) -> None:
    for number in (2, 3, 4):
        api.post("/jobs:apply", body(changed(number)))
    assert api.get("/jobs/report")["revision"] == 3
    done = api.post("/jobs/report:rollback", {})["operation"]
    assert (done["kind"], done["jobs"][0]["revision"]) == ("rollback", 4)
    assert api.get("/jobs/report")["spec"]["retry"]["attempts"] == 3
    api.post("/jobs/report:rollback", {"to": 1})
    assert api.get("/jobs/report")["spec"]["retry"]["attempts"] == 2
    assert api.post("/jobs/report:rollback", {"to": 1})["operation"] is None
    assert api.ask("POST", "/jobs/report:rollback", {"to": 99}).status == 404
    only = api.ask("POST", "/jobs/alone:rollback", {})
    assert only.error["message"] == "job alone has no revision before the one in force"
    assert api.ask("POST", "/jobs/none:rollback", {}).status == 404


def test_a_job_is_deleted_and_had_back(api: Api) -> None:
    api.post("/jobs:apply", body())
    run = api.run()
    refused = api.ask("DELETE", "/jobs/report")
    assert refused.status == 412
    assert f"job report: {run} has not ended" in refused.error["message"]
    assert "--force" in refused.error["details"][0]["hint"]
    api.tell(run, Ended(1, outcome()))
    done = _deleted(api, "/jobs/report?reason=old")
    assert done["state"] == "complete"
    assert {"kind": "job", "name": "report in us-central1"} in [
        what for step in done["steps"] for what in step["touched"]
    ]
    assert PLACE not in api.behind.jobs.jobs
    assert api.ask("GET", "/jobs/report").status == 404
    (kept,) = api.get("/deleted-jobs")["jobs"]
    assert (kept["name"], kept["deleted_by"], kept["operation"]) == ("report", "admin", done["id"])
    back = api.post("/jobs/report:undelete", {})["operation"]
    assert (back["kind"], back["jobs"][0]["change"]) == ("undelete", "restored")
    assert api.get("/jobs/report")["revision"] == 1
    assert api.ask("POST", "/jobs/report:undelete", {}).status == 404


def test_a_job_that_something_depends_on_is_not_deleted(tmp_path: Path) -> None:
    found = [Dependant("trigger", "nightly"), Dependant("alert", "late", cascades=False)]

    async def find(environment: str, key: tuple[str, str]) -> list[Dependant]:
        return found if key == ("shop", "report") else []

    with serving(tmp_path, dependants=(find,)) as api:
        api.post("/jobs:apply", body())
        both = api.ask("DELETE", "/jobs/report")
        words = "job report cannot be deleted: trigger nightly, alert late depend on it"
        assert (both.error["message"], both.error["hint"]) == (words, "delete them first")
        assert api.ask("DELETE", "/jobs/report?cascade=true").status == 412
        found.pop()
        assert api.ask("DELETE", "/jobs/report").error["hint"].endswith("or use --cascade")
        assert _deleted(api, "/jobs/report?cascade=true")["state"] == "complete"
        assert _deleted(api, "/jobs/alone")["state"] == "complete"


def test_force_needs_a_reason_and_stops_what_runs(api: Api) -> None:
    api.post("/jobs:apply", body())
    run = api.run()
    unfounded = api.ask("DELETE", "/jobs/report?force=true")
    assert unfounded.error["details"][0]["path"] == "reason"
    begun = _deleted(api, "/jobs/report?force=true&reason=wrong&wait_seconds=0")
    assert begun["state"] == "running"
    asked = api.ask("POST", "/runs", {"job": "report"})
    assert asked.status == 412
    assert (
        f"job report is not ready: it is being deleted by admin: {begun['id']}"
        in (asked.error["message"])
    )
    assert api.get("/jobs/report")["operation"] == begun["id"]
    stopped = api.get(f"/runs/{run}")
    assert stopped["state"] in ("launching", "stopping")


def _deleted(api: Api, path: str) -> Any:
    answer = api.ask("DELETE", path)
    assert answer.status == 200, answer.content
    return answer.document["operation"]
