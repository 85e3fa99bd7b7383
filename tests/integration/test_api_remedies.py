"""What can be done about an incident, over HTTP and on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runyard.gate.replaying import AdvanceReplays
from runyard.model.event import Ended
from runyard.model.outcome import Ending, Outcome, TaskFailure
from tests.integration.test_api_incidents import told
from tests.support.api_server import TOKEN, Api, serving
from tests.support.command_line import CommandLine
from tests.support.runs import make_outcome

JOB = """\
project: shop
jobs:
  report:
    template: {{template: {{maxRetries: 0, containers: [{{image: example.com/report:{version}}}]}}}}
    triggers:
      - {{name: nightly, schedule: "30 2 * * *"}}
      - {{name: hourly, schedule: "0 * * * *"}}
"""


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """A server with a job whose first revision succeeded."""
    with serving(tmp_path) as started:
        started.apply(JOB.format(version=1))
        end(started, make_outcome())
        yield started


@pytest.fixture
def runyard(api: Api, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, {"RUNYARD_URL": api.url, "RUNYARD_TOKEN": TOKEN})


def end(api: Api, outcome: Outcome) -> str:
    """A run that comes to its end."""
    run = api.run()
    api.tell(run, Ended(1, outcome))
    return run


FAILED = make_outcome(Ending.FAILED)
KILLED = replace(
    FAILED, failures=(TaskFailure(0, 1, "out of memory", signal=9, out_of_memory=True),)
)


def failing(api: Api, outcome: Outcome = FAILED, *, times: int = 1, version: int = 2) -> str:
    """A newer revision whose runs are dead; the path of the incident."""
    api.apply(JOB.format(version=version))
    for _ in range(times):
        end(api, outcome)
        told(api)
    (incident,) = api.get("/incidents?open=true")["incidents"]
    return f"/incidents/{incident['id']}"


def suggested(api: Api, path: str) -> dict[str, tuple[str, ...]]:
    """What makes sense now."""
    actions = api.get(f"{path}/remedies")["actions"]
    return {one["action"]: tuple(one["target"]) for one in actions if one["suggested"]}


def job(api: Api) -> dict[str, Any]:
    found = api.get("/jobs/report")
    assert isinstance(found, dict)
    return found


def image(api: Api) -> str:
    containers = job(api)["spec"]["template"]["template"]["containers"]
    return str(containers[0]["image"])


def test_a_job_that_fails_since_a_revision_is_rolled_back_once(api: Api) -> None:
    path = failing(api)
    assert suggested(api, path) == {"rollback": ("1",)}
    asked = {"reason": "it fails since", "idempotency_key": "k1"}
    done = api.post(f"{path}:rollback", asked)
    assert done["remedy"]["what"] == "job report back to revision 1"
    assert done["operation"]["reason"] == f"{path.removeprefix('/incidents/')}: it fails since"
    assert (done["operation"]["kind"], done["seen"]) == ("rollback", False)
    number = done["operation"]["id"]
    assert done["operation"]["state"] == "complete"
    assert (job(api)["revision"], image(api)) == (3, "example.com/report:1")
    again = api.post(f"{path}:rollback", asked)
    assert (again["seen"], again["operation"]["id"]) == (True, number)
    assert (again["remedy"], job(api)["revision"]) == (done["remedy"], 3)
    assert list(suggested(api, path)) == ["replay"], "on what is in force now"
    (entry,) = api.get("/audit?action=incident.rollback")["entries"]
    assert entry["target"] == path[1:].replace("incidents", "incident")
    assert api.get(f"{path}/timeline")["events"][-1]["data"]["operation"] == number
    same = api.post(f"{path}:rollback", {"to": 1})
    assert (same["remedy"], same["operation"], same["seen"]) == (None, None, False)
    assert api.ask("POST", f"{path}:pause", asked).status == 409
    assert api.ask("POST", f"{path}:rollback", {"to": 9}).status == 404


def test_more_memory_is_given_to_what_lacked_it(api: Api) -> None:
    path = failing(api, KILLED)
    found = {one["action"]: one for one in api.get(f"{path}/remedies")["actions"]}
    assert found["raise_memory"]["target"] == ["1Gi"]
    assert "was killed for memory with 512Mi" in found["raise_memory"]["reason"]
    done = api.post(f"{path}:raise-memory", None)
    assert done["remedy"]["what"] == "1Gi of memory for the tasks of job report instead of 512Mi"
    limits = job(api)["spec"]["template"]["template"]["containers"][0]["resources"]["limits"]
    assert limits["memory"] == "1Gi"
    refused = api.ask("POST", f"{path}:raise-memory", {"to": "1Gi"})
    assert refused.status == 400
    assert refused.error["details"][0]["path"] == "to", refused.error
    assert api.ask("POST", f"{path}:raise-memory", {"to": "64Gi"}).status == 400
    done = api.post(f"{path}:raise-memory", {"to": "32Gi"})
    assert api.ask("POST", f"{path}:raise-memory", None).status == 412


def test_schedules_are_paused(api: Api) -> None:
    path = failing(api, times=3)
    assert suggested(api, path)["pause"] == ("hourly", "nightly")
    done = api.post(f"{path}:pause", {"trigger": "nightly", "reason": "noise"})
    assert done["remedy"]["triggers"] == ["nightly"]
    assert api.post(f"{path}:pause", {})["remedy"]["triggers"] == ["hourly"]
    rows = {one["name"]: one for one in api.get("/triggers")["triggers"]}
    assert {one["state"] for one in rows.values()} == {"paused"}
    assert rows["nightly"]["reason"] == f"{path.removeprefix('/incidents/')}: noise"
    assert api.post(f"{path}:pause", {"trigger": "nightly"})["remedy"] is None
    assert api.ask("POST", f"{path}:pause", {"trigger": "yearly"}).status == 404


def test_nothing_is_done_for_a_job_that_is_gone(api: Api) -> None:
    path = failing(api)
    assert api.ask("DELETE", "/jobs/report?wait_seconds=20").status == 200
    for verb in ("rollback", "raise-memory", "pause"):
        refused = api.ask("POST", f"{path}:{verb}", {})
        assert refused.status == 412
        assert "report is not in force any more" in refused.error["message"]
    assert suggested(api, path) == {}


def test_a_revision_that_never_succeeded_is_no_place_to_go_back_to(api: Api) -> None:
    api.apply(JOB.format(version=2).replace("report:", "other:").replace("shop", "shop"))
    run = api.run("other")
    api.tell(run, Ended(1, FAILED))
    told(api)
    (incident,) = api.get("/incidents?job=other")["incidents"]
    refused = api.ask("POST", f"/incidents/{incident['id']}:rollback", {})
    assert refused.status == 412
    assert "no revision of it is known to have succeeded" in refused.error["message"]


def test_who_may_deal_with_incidents_only_may_not_change_jobs(api: Api) -> None:
    path = failing(api)
    api.post("/principals", {"name": "eve", "grants": [{"role": "viewer"}]}, 201)
    token = api.post("/tokens", {"principal": "eve"}, 201)["token"]
    for verb in ("rollback", "raise-memory", "pause"):
        asked = api.ask("POST", f"{path}:{verb}", {}, {"Authorization": f"Bearer {token}"})
        assert asked.status == 403


def test_on_the_command_line(runyard: CommandLine, api: Api) -> None:
    failing(api, KILLED, times=3)
    shown = runyard("incidents", "show", "@last").out
    for verb in ("rollback", "pause", "raise-memory"):
        assert f"runyard incidents {verb} inc_" in shown, shown
    done = runyard("incidents", "rollback", "@last", "--reason", "since revision 2")
    assert done.out == "job report back to revision 1\nreport updated, revision 3\n", done.err
    assert "takes it back" in done.err
    done = runyard("incidents", "pause", "@last", "--trigger", "hourly")
    assert done.out == "hourly of job report paused\n"
    assert "`runyard triggers resume report hourly`" in done.err
    assert runyard("incidents", "pause", "@last", "--json").document()["remedy"]["triggers"]
    assert runyard("incidents", "pause", "@last").out.startswith("nothing to do")
    assert "nothing to do" in runyard("incidents", "rollback", "@last", "--to", "1").out
    done = runyard("incidents", "raise-memory", "@last", "--to", "2Gi", "--json")
    assert done.document()["operation"]["state"] == "complete"
    timeline = runyard("incidents", "show", "@last").out
    assert "admin: job report back to revision 1: since revision 2" in timeline
    wrong = runyard("incidents", "raise-memory", "@last", "--to", "much")
    assert wrong.status != 0
    assert "much" in wrong.err


def test_a_month_is_summed_up(runyard: CommandLine, api: Api) -> None:
    path = failing(api)
    runyard("incidents", "ack", "@last")
    runyard("incidents", "pause", "@last")
    api.post(f"{path}:resolve", {})
    one = api.get(path)
    assert 0 < one["seconds_to_acknowledge"] < one["seconds_to_resolve"]
    found = api.get("/incidents:summary")
    assert (found["month"], found["incidents"], found["by_people"]) == ("2026-09", 1, 1)
    assert found["by_severity"] == {"critical": 0, "error": 1, "warning": 0, "info": 0}
    assert found["to_resolve"]["p90_seconds"] == one["seconds_to_resolve"]
    assert found["rules"][0]["rule"] == "dead"
    assert found["actions"] == {"pause": 1}
    assert api.get("/incidents:summary?month=2026-08")["incidents"] == 0
    assert api.get("/incidents:summary?job=other")["incidents"] == 0
    assert api.ask("GET", "/incidents:summary?month=2026-13").status == 400
    shown = runyard("incidents", "summary").out
    for words in ("2026-09", "1 error", "1 pause", "0 of 1", "dead", "(p50)"):
        assert words in shown, shown
    assert runyard("incidents", "summary", "--json").document() == found
    assert "0" in runyard("incidents", "summary", "--month", "2026-01").out
    wrong = runyard("incidents", "summary", "--month", "november")
    assert wrong.status != 0
    assert "a month such as 2026-11" in wrong.err
    assert "after" in runyard("incidents", "show", "@last").out


def advance(api: Api) -> int:
    """What an engine does for replays that are due."""
    behind = api.behind
    command = AdvanceReplays(behind.clock(), behind.new_run_id)
    return api.call(lambda: behind.services.gate.ask(command))


def test_dead_runs_are_replayed_the_first_before_the_others(api: Api) -> None:
    path = failing(api, times=3)
    assert "replay" not in suggested(api, path), "they would end the same way"
    api.apply(JOB.format(version=3))
    targets = suggested(api, path)["replay"]
    assert len(targets) == 3
    asked = {"reason": "a new image", "idempotency_key": "k1", "per_minute": 6000}
    done = api.post(f"{path}:replay", asked)
    assert done["remedy"]["what"] == "3 dead runs of job report replayed"
    assert done["remedy"]["replay"].startswith("rp_")
    again = api.post(f"{path}:replay", asked)
    assert (again["seen"], again["remedy"]) == (True, done["remedy"])
    assert "replay" not in suggested(api, path)
    assert advance(api) == 1
    assert advance(api) == 0, "the first has to succeed"
    live = api.get("/runs?state=launching")["runs"]
    assert [(one["revision"], one["job"]) for one in live] == [(3, "report")]
    api.tell(live[0]["id"], Ended(1, make_outcome()))
    assert advance(api) == 1
    refused = api.ask("POST", f"{path}:replay", {})
    assert refused.status == 412
    assert "no dead run of it waits for somebody" in refused.error["message"]
    (entry,) = api.get("/audit?action=incident.replay")["entries"]
    assert entry["reason"] == "a new image"


def test_one_dead_run_is_replayed_on_the_command_line(runyard: CommandLine, api: Api) -> None:
    path = failing(api, times=2)
    api.apply(JOB.format(version=3))
    first, second = suggested(api, path)["replay"]
    wrong = runyard("incidents", "replay", "@last", "--run", "run_" + "0" * 26)
    assert wrong.status != 0
    assert "no dead run of it that waits" in wrong.err
    done = runyard("incidents", "replay", "@last", "--run", first, "--all-at-once")
    assert done.out == "1 dead run of job report replayed\n", done.err
    assert "goes on by itself" in done.err
    assert suggested(api, path)["replay"] == (second,)
    done = runyard("incidents", "replay", "@last", "--json")
    assert done.document()["remedy"]["action"] == "replay"
    assert "admin: 1 dead run of job report replayed" in runyard("incidents", "show", "@last").out


def test_what_is_over_offers_a_change_of_the_watch(runyard: CommandLine, api: Api) -> None:
    lines = ("12:00:01 starting", "12:00:02 ERROR cannot reach the ledger: refused")
    failures = (TaskFailure(0, 1, "it failed", 1, last_lines=lines),)
    path = failing(api, replace(FAILED, failures=failures), times=3)
    assert api.get(f"{path}/watch-changes") == {"changes": []}
    assert "nothing is offered" in runyard("incidents", "suggest", "@last").out
    refused = api.ask("POST", f"{path}:change-watch", {"name": "limit-failing"})
    assert refused.status == 404
    done = runyard("incidents", "resolve", "@last")
    assert "`runyard incidents suggest @last`" in done.err
    shown = runyard("incidents", "suggest", "@last").out
    assert "~ limit-failing: if it was not worth telling" in shown, shown
    assert "~ add-log-1: a run wrote it before it died" in shown
    assert '"text": "ERROR cannot reach the ledger: refused"' in shown
    offers = runyard("incidents", "suggest", "@last", "--json").document()["changes"]
    assert [one["name"] for one in offers] == ["limit-failing", "add-log-1"]
    done = runyard("incidents", "suggest", "@last", "--apply", "add-log-1", "--reason", "again")
    assert done.out == "watch of job report changed: add-log-1\nreport updated, revision 3\n", (
        done.err
    )
    (rule,) = job(api)["spec"]["alerts"]
    assert rule["log"]["text"] == "ERROR cannot reach the ledger: refused"
    asked = {"name": "limit-failing", "idempotency_key": "k1"}
    done = api.post(f"{path}:change-watch", asked)
    assert done["operation"]["reason"] == path.removeprefix("/incidents/")
    again = api.post(f"{path}:change-watch", asked)
    assert (again["seen"], again["remedy"]) == (True, done["remedy"])
    rules = {one["name"]: one for one in job(api)["spec"]["alerts"]}
    assert rules["failing"]["consecutiveFailures"] == 5
    wrong = api.ask("POST", f"{path}:change-watch", {"name": "add-log-1"})
    assert wrong.status == 404
    assert "there are limit-failing" in wrong.error["message"] + str(wrong.error)
    timeline = runyard("incidents", "show", "@last").out
    assert "admin: watch of job report changed: add-log-1: again" in timeline
    assert api.ask("DELETE", "/jobs/report?wait_seconds=20&force=true&reason=x").status == 200
    assert api.get(f"{path}/watch-changes") == {"changes": []}


def test_what_was_over_by_itself_may_be_so_for_longer(api: Api) -> None:
    path = failing(api)
    end(api, make_outcome())
    told(api)
    (change,) = api.get(f"{path}/watch-changes")["changes"]
    assert (change["name"], change["rule"]) == ("hold-dead", "dead")
    assert "before anybody had it" in change["reason"]
