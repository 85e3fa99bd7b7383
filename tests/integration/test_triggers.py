"""Triggers over HTTP and on the command line: listed, paused, resumed, fired, and their story."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runyard.gate.firing import FireDue
from tests.support.api_server import TOKEN, Api, serving
from tests.support.command_line import CommandLine

MANIFEST = """\
project: shop
jobs:
  report:
    template: {template: {containers: [{image: example.com/report, command: ["true"]}]}}
    triggers:
      - {schedule: "0 * * * *", timeZone: Europe/Berlin, overlap: skip, catchUp: {latest: 1h}}
      - {name: nightly, schedule: "30 2 * * *", overlap: queue, enabled: false}
  other:
    template: {template: {containers: [{image: example.com/other, command: ["true"]}]}}
    triggers:
      - {schedule: "every 5m", windows: [{days: mon-fri}]}
  plain:
    template: {template: {containers: [{image: example.com/plain, command: ["true"]}]}}
"""
SCHEDULE = "/jobs/report/triggers/schedule"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as started:
        started.apply(MANIFEST)
        pass_time(started)
        yield started


@pytest.fixture
def runyard(api: Api, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, {"RUNYARD_URL": api.url, "RUNYARD_TOKEN": TOKEN})


def pass_time(api: Api, hours: float = 0) -> None:
    """Time passes, and an engine looks at what is due."""
    behind = api.behind
    behind.now += timedelta(hours=hours)
    services = behind.services
    api.call(lambda: services.gate.ask(FireDue(behind.now, behind.new_run_id, services.zones)))


def test_triggers_are_listed_in_pages(api: Api) -> None:
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        page = api.get(f"/triggers?page_size=2&page_token={token}")
        found += page["triggers"]
        token = page["next_page_token"]
        if not token:
            break
    assert [(one["job"], one["name"], one["state"]) for one in found] == [
        ("other", "schedule", "enabled"),
        ("report", "nightly", "paused"),
        ("report", "schedule", "enabled"),
    ]
    of_job = api.get("/triggers?job=report")["triggers"]
    assert [one["name"] for one in of_job] == ["nightly", "schedule"]
    assert of_job[0]["said_by"] == "the manifest"
    assert of_job[1]["next_instant"] == "2026-09-01T13:00:00Z"
    assert of_job[1]["spec"]["catchUp"] == {"latest": "3600s"}
    assert api.get(SCHEDULE) == of_job[1]


def test_the_story_of_a_trigger_is_told_in_pages(api: Api) -> None:
    for _ in range(3):
        pass_time(api, 1)
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        page = api.get(f"{SCHEDULE}/instants?page_size=2&page_token={token}")
        found += page["instants"]
        token = page["next_page_token"]
        if not token:
            break
    assert [(one["at"], one["fate"], one["origin"]) for one in found] == [
        ("2026-09-01T15:00:00Z", "overlap", ""),
        ("2026-09-01T14:00:00Z", "overlap", ""),
        ("2026-09-01T13:00:00Z", "run", ""),
    ]
    (run,) = found[-1]["runs"]
    assert found[0]["reason"] == f"{run} had not ended"
    shown = api.get(f"/runs/{run}")
    assert shown["triggered_by"] == {
        "trigger": "shop/local/report/schedule",
        "instant": "2026-09-01T13:00:00Z",
        "start_by": None,
        "after": [],
    }
    explained = api.get(f"/runs/{run}/explanation")["sentences"]
    assert "was asked for by schedule, by shop/local/report/schedule" in explained[0]


def test_pause_and_resume(api: Api) -> None:
    paused = api.post(f"{SCHEDULE}:pause", {"reason": "stocktaking"})
    assert (paused["state"], paused["said_by"], paused["reason"], paused["next_at"]) == (
        "paused",
        "admin",
        "stocktaking",
        None,
    )
    assert api.ask("POST", f"{SCHEDULE}:pause", {}).status == 412
    pass_time(api, 2)
    resumed = api.post(f"{SCHEDULE}:resume", {})
    assert (resumed["state"], resumed["next_at"]) == ("enabled", "2026-09-01T15:00:00Z")
    (kept,) = api.get(f"{SCHEDULE}/instants")["instants"]
    assert (kept["count"], kept["reason"]) == (2, "paused by admin: stocktaking")
    assert api.ask("POST", f"{SCHEDULE}:resume", {}).status == 412


def test_a_person_has_it_fire_with_all_its_policies(api: Api) -> None:
    done = api.post(f"{SCHEDULE}:fire", {})
    assert (done["fate"], done["origin"]) == ("run", "by hand of admin")
    assert api.get(f"/runs/{done['runs'][0]}")["trigger"] == "schedule"
    refused = api.ask("POST", f"{SCHEDULE}:fire", {})
    assert refused.status == 412
    assert refused.error["message"].endswith(f"{done['runs'][0]} had not ended")
    assert "runyard run report" in refused.error["hint"]
    assert api.post("/jobs/report/triggers/nightly:fire", {})["fate"] == "run"  # though paused


@pytest.mark.parametrize(
    ("path", "status", "hint"),
    [
        ("/jobs/report/triggers/daily", 404, "job report has nightly, schedule"),
        ("/jobs/plain/triggers/daily", 404, "`runyard triggers` lists all there are"),
        (f"/jobs/report/triggers/{'x' * 200}", 404, "job report has nightly, schedule"),
    ],
)
def test_what_there_is_not_is_said(api: Api, path: str, status: int, hint: str) -> None:
    answer = api.ask("GET", path)
    assert answer.status == status
    assert answer.error["hint"] == hint


def test_two_projects_want_one_named(api: Api) -> None:
    api.apply(MANIFEST.replace("project: shop", "project: bank"))
    answer = api.ask("GET", SCHEDULE)
    assert answer.status == 412
    assert "bank, shop" in answer.error["message"]
    assert api.get(f"{SCHEDULE}?project=bank")["project"] == "bank"


def test_the_command_line_shows_and_does_it(api: Api, runyard: CommandLine) -> None:
    pass_time(api, 1)
    shown = runyard("triggers").out
    assert "0 * * * * Europe/Berlin" in shown
    assert "by the manifest: enabled is false" in shown
    assert runyard("triggers", "list", "--job", "plain").out.count("\n") == 1
    one = runyard("triggers", "get", "other").out
    assert "windows" in one
    assert "from 00:00" in one
    paused = runyard("triggers", "pause", "other", "--reason", "moving")
    assert paused.out == "other/schedule is paused\n"
    assert runyard("triggers", "resume", "other", "--json").document()["state"] == "enabled"
    assert runyard("triggers", "pause", "other", "--json").document()["said_by"] == "admin"
    assert "enabled, next" in runyard("triggers", "resume", "other").out
    history = runyard("triggers", "history", "report", "schedule").out
    assert "the clock" in history
    assert runyard("triggers", "history", "other", "--json").document()["instants"]
    assert runyard("triggers", "get", "other", "--json").document()["job"] == "other"
    assert runyard("triggers", "fire", "report", "nightly").out.startswith("run_")
    assert runyard("triggers", "fire", "report", "nightly", "--json").document()["fate"] == "run"
    several = runyard("triggers", "get", "report")
    assert several.status == 64
    assert "one of nightly, schedule" in several.err
    none = runyard("triggers", "get", "plain")
    assert "job plain has no triggers" in none.err


def test_a_backfill_is_foreseen_asked_for_once_and_ended(api: Api, runyard: CommandLine) -> None:
    asked = {"since": "2026-09-01T08:00:00Z", "until": "2026-09-01T11:00:00Z"}
    seen = api.post(f"{SCHEDULE}:backfill", asked | {"preview": True})
    assert seen["instants"] == [f"2026-09-01T{hour}:00:00Z" for hour in ("08", "09", "10")]
    assert (seen["id"], seen["runs"]) == ("", [])
    words = ("triggers", "backfill", "report", "schedule", "--from", "2026-09-01T08:00", "--to")
    dry = runyard(*words, "2026-09-01T11:00Z", "--dry-run").out
    assert dry.endswith("3 instants would get a run\n")
    done = runyard(*words, "2026-09-01T11:00Z", "--parallelism", "2").out
    assert "3 instants got a run" in done
    identity = done.splitlines()[-1].partition(":")[0]
    assert len(api.get(f"/runs?label=backfill={identity}")["runs"]) == 3
    again = runyard(*words, "2026-09-01T11:00Z", "--json").document()
    assert (again["id"], len(again["there"])) == ("", 3)
    ended = runyard("triggers", "cancel-backfill", "report", "schedule", identity)
    assert ended.out == f"3 runs of {identity} had not ended and are being ended\n"
    last = runyard("triggers", "cancel-backfill", "report", "schedule", identity, "--json")
    assert last.document()["runs"] == 2  # which are being stopped
    many = runyard(*words, "2026-09-01T08:00Z", "--again")
    assert many.status == 64
    assert "an instant after 2026-09-01T08:00:00Z" in many.err
    odd = runyard(*words, "noon")
    assert "--to is not understood" in odd.err
    long = ("triggers", "backfill", "other", "--from", "2026-08-31T08:00Z", "--to")
    assert "and 2 more" in runyard(*long, "2026-08-31T09:00Z", "--dry-run").out
    one = '{schedule: "every 5m", windows: [{days: mon-fri}]}'
    api.apply(MANIFEST.replace(one, "{after: {job: report}}"))
    refused = api.ask("POST", "/jobs/other/triggers/chain:backfill", asked | {"preview": True})
    assert refused.status == 412


def test_a_schedule_is_previewed(api: Api) -> None:
    asked = "schedule=30+2+*+*+*&time_zone=Europe/Berlin&since=2026-03-28T00:00:00Z&count=2"
    found = api.get(f"/schedules:preview?{asked}")
    assert [one["utc"] for one in found["instants"]] == [
        "2026-03-28T01:30:00Z",
        "2026-03-29T01:00:00Z",
    ]
    assert found["instants"][1]["transition"] == "gap"
    assert found["dst"] == {"gap": "run_after", "overlap": "first"}
    skips = api.get(f"/schedules:preview?{asked}&gap=skip")
    assert skips["instants"][1]["utc"] == "2026-03-30T00:30:00Z"
    now = api.get("/schedules:preview?schedule=@hourly")
    assert now["instants"][0]["utc"] == "2026-09-01T13:00:00Z"
    zone = api.ask("GET", "/schedules:preview?schedule=@hourly&time_zone=Europe/Berln")
    assert zone.error["details"][0]["hint"] == "did you mean Europe/Berlin?"
    odd = api.ask("GET", "/schedules:preview?schedule=at+noon")
    assert odd.error["details"][0]["path"] == "schedule"
