"""What schedules will do, over HTTP and on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runyard.model.event import Ended
from tests.support.api_server import TOKEN, Api, serving
from tests.support.command_line import CommandLine
from tests.support.stories import outcome

JOB = "template: {template: {containers: [{image: example/job:1}]}}"
MANIFEST = f"""\
project: shop
jobs:
  poll:
    regions: [us-central1, asia-east2]
    {JOB}
    triggers:
      - {{name: often, schedule: "*/15 * * * *"}}
      - {{name: far, schedule: "0 3 * * *", with: {{region: asia-east2}}}}
      - {{name: more, schedule: "0 4 * * *", with: {{taskCount: 3}}}}
  copy:
    regions: [us-central1, europe-west1]
    placement: all
    {JOB}
    triggers: [{{after: {{job: poll}}}}, {{event: {{topic: things}}}}]
""" + "".join(
    f"""\
  night-{number}:
    {JOB}
    triggers: [{{name: night, schedule: 0 2 * * *}}]
"""
    for number in range(12)
)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path, region_runs_max=5) as started:
        started.apply(MANIFEST)
        yield started


@pytest.fixture
def runyard(api: Api, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, {"RUNYARD_URL": api.url, "RUNYARD_TOKEN": TOKEN})


def jobs_of(found: Any) -> dict[str, Any]:
    return {one["name"]: one for one in found["jobs"]}


def test_a_forecast_says_when_how_many_and_for_how_much(api: Api) -> None:
    api.tell(api.run("poll"), Ended(1, outcome()))
    found = api.get("/schedules:forecast?days=2")
    assert found["runs"] == 2 * (96 + 2 + 2 * 98 + 12)
    assert found["step_seconds"] == 3600
    assert sum(one["runs"] for one in found["steps"]) == found["runs"]
    regions = {one["name"]: one for one in found["regions"]}
    assert sorted(regions) == ["asia-east2", "europe-west1", "us-central1"]
    here = regions["us-central1"]
    assert (here["starts"]["count"], here["limit"], here["is_passed"]) == (14, 5, True)
    (herd,) = found["herds"]
    assert (herd["starts"], herd["triggers_in_all"], herd["times"]) == (14, 14, 2)
    assert len(herd["triggers"]) == 10
    (advice,) = found["advice"]
    assert advice["triggers"] == 13
    assert "14 runs start at" in advice["says"]


def test_prices_are_those_of_what_each_trigger_asks_for(api: Api) -> None:
    api.tell(api.run("poll"), Ended(1, outcome()))
    found = api.get("/schedules:forecast?days=1&job=poll")
    poll = jobs_of(found)["poll"]
    assert (poll["runs"], poll["runs_measured"], poll["cost"]) == (98, 1, None)
    assert poll["run_nano_dollars"] > 0
    assert poll["why_unknown"] == "it was measured with 1 tasks, and will have 3"
    api.apply(MANIFEST.replace(", with: {taskCount: 3}", ""))
    poll = jobs_of(api.get("/schedules:forecast?days=1&job=poll"))["poll"]
    assert poll["nano_dollars"] > 98 * poll["run_nano_dollars"]  # one is in a dearer region
    assert found["unpriced"] == 1


def test_assumptions_are_said(api: Api) -> None:
    found = api.get("/schedules:forecast")
    words = " / ".join(found["assumptions"])
    assert "14 jobs of 14 had no run to measure" in words
    assert "wait for events, which come when they come (1)" in words
    night = jobs_of(found)["night-0"]
    assert (night["typical_seconds"], night["runs_measured"]) == (600, 0)
    assert night["why_unknown"] == "no run of it has ended that was billed"


def test_what_is_not_there_or_wrong_is_told(api: Api) -> None:
    assert api.ask("GET", "/schedules:forecast?job=nope").status == 404
    assert api.ask("GET", "/schedules:forecast?job=poll&project=other").status == 404
    assert api.ask("GET", "/schedules:forecast?days=93").status == 400
    assert api.get("/schedules:forecast?project=other")["runs"] == 0


def test_people_read_it(runyard: CommandLine) -> None:
    done = runyard("schedules", "forecast", "--days", "3", "--limit", "2")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].startswith("918 runs until ")
    assert lines[0].endswith("$0.00; the price of 14 jobs is not known")
    assert any("█" * 30 in line for line in lines)
    assert any(line.startswith("us-central1: ") and "they will wait" in line for line in lines)
    assert "night-0/night, night-1/night, night-10/night and 10 more" in done.out
    assert "and 12 more; `--limit` lists them" in done.out
    assert "- every run is taken to succeed" in done.out
    assert "HOUR" in runyard("schedules", "forecast", "--days", "1").out
    document = runyard("schedules", "forecast", "--days", "3", "--json").document()
    assert document["runs"] == 918


def test_an_environment_without_schedules_has_a_forecast(runyard: CommandLine) -> None:
    done = runyard("schedules", "forecast", "--environment", "dev")
    assert done.status == 0
    assert done.out.startswith("0 runs until ")
