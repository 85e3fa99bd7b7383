"""A run as a trace, over the API and on the command line; tasks are told their place in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from runyard.engine.launching import Orders
from runyard.flow.tracing import traceparent
from runyard.model.event import Ended, Launched
from runyard.model.ids import RunId
from runyard.model.outcome import Ending
from runyard.model.run import Overrides, Run, State
from runyard.provider.port import TaskView
from tests.support.api_server import START, TOKEN, Api, serving
from tests.support.command_line import CommandLine
from tests.support.runs import make_outcome, make_run


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(tmp_path_factory.mktemp("api")) as started:
        started.apply()
        yield started


def finished(api: Api) -> str:
    run = api.run("alone")
    api.tell(run, Launched(1, "a"))
    ended = START + timedelta(seconds=30)
    api.behind.viewer.views[f"{run}/1"] = [
        TaskView(0, "succeeded", 0, START, ended),
        TaskView(1, "failed", 0, START, ended, message="it\nbroke"),
    ]
    api.tell(run, Ended(1, make_outcome(Ending.FAILED)))
    return run


def test_a_trace_has_every_part_of_the_run(api: Api) -> None:
    run = finished(api)
    found = api.get(f"/runs/{run}/trace")
    assert found["run"] == run
    assert found["trace_id"] == traceparent(RunId(run), 1).split("-")[1]
    spans = found["spans"]
    assert [one["name"] for one in spans] == [
        "run alone", "wait", "attempt 1", "launch", "task 0", "task 1"
    ]  # fmt: skip
    assert spans[0]["parent_span_id"] == ""
    assert {one["parent_span_id"] for one in spans[3:]} == {spans[2]["span_id"]}
    assert spans[2]["span_id"] == traceparent(RunId(run), 1).split("-")[2]
    assert spans[0]["attributes"]["runyard.job"] == "alone"
    assert (spans[4]["duration_seconds"], spans[5]["message"]) == (30.0, "it\nbroke")


def test_the_command_draws_a_tree(api: Api, tmp_path: Path) -> None:
    runyard = CommandLine(tmp_path, {"RUNYARD_URL": api.url, "RUNYARD_TOKEN": TOKEN})
    run = finished(api)
    out = runyard("trace", run).out
    head, whole, wait, attempt, launch, first, second = out.splitlines()
    assert head.endswith(f"of {run}")
    assert whole.startswith("run alone failed: ")
    assert wait.startswith("├ wait")
    assert attempt.startswith("└ attempt 1 failed: it failed")
    assert launch.startswith("  ├ launch")
    assert first.startswith("  ├ task 0")
    assert "30s" in first
    assert "█" * 40 in first
    assert second.startswith("  └ task 1 failed: it\\nbroke")
    assert runyard("trace", run, "--json").document()["run"] == run
    waiting = api.run()
    assert "goes on" in runyard("trace", waiting).out


def test_tasks_are_told_their_place_unless_they_have_one(api: Api) -> None:
    services = api.behind.services
    orders = Orders(services.database, services.store)

    def env(run: Run) -> dict[str, str]:
        return dict(api.call(lambda: orders.order(run)).overrides.env)

    plain = make_run(State.LAUNCHING, job="alone")
    assert env(plain) == {"TRACEPARENT": traceparent(plain.id, 1)}
    given = Overrides(env=(("TRACEPARENT", "mine"),))
    assert env(make_run(State.LAUNCHING, job="alone", overrides=given)) == {"TRACEPARENT": "mine"}
    api.apply(
        "project: shop\njobs:\n  traced:\n    template: {template: {containers: [{image: a/b, "
        "command: ['true'], env: [{name: TRACEPARENT, value: theirs}]}]}}\n"
    )
    assert env(make_run(State.LAUNCHING, job="traced")) == {}


def test_a_run_that_is_gone_has_no_trace(api: Api) -> None:
    assert api.ask("GET", "/runs/run_00000000000000000000000000/trace").status == 404
