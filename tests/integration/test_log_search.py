"""Logs are searched over the API and on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runyard.model.event import Launched
from tests.support.api_server import TOKEN, Api, serving
from tests.support.command_line import CommandLine


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(tmp_path_factory.mktemp("api")) as started:
        started.apply()
        yield started


@pytest.fixture
def run(api: Api) -> str:
    run = api.run()
    api.tell(run, Launched(1, "a"))
    api.behind.viewer.write(f"{run}/1", "one", "two\x1b[31m")
    return run


@pytest.fixture
def runyard(api: Api, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, {"RUNYARD_URL": api.url, "RUNYARD_TOKEN": TOKEN})


def test_what_is_asked_reaches_the_logs(api: Api, run: str) -> None:
    query = "text=o&regex=t.o&severity=error&task=3&field=user.name=a%3Db&limit=5&job=report"
    answer = api.ask("GET", f"/logs:search?{query}")
    assert answer.status == 400  # severities are written as they are
    found = api.get(f"/logs:search?{query.replace('error', 'ALERT')}&environment=local")
    assert [(one["text"], one["run"], one["run_attempt"]) for one in found["entries"]][-1] == (
        "two\x1b[31m", run, 1
    )  # fmt: skip
    wanted = api.behind.viewer.wanted
    assert wanted is not None
    assert (wanted.text, wanted.pattern, wanted.task) == ("o", "t.o", 3)
    assert wanted.severities == ("ALERT", "EMERGENCY")
    assert wanted.fields == (("user.name", "a=b"),)


def test_only_the_runs_asked_for_are_searched(api: Api, run: str) -> None:
    def runs(query: str) -> set[str]:
        found = api.get(f"/logs:search?limit=1000&{query}")
        assert found["complete"]
        return {one["run"] for one in found["entries"]}

    assert runs(f"run={run}") == {run}
    assert runs(f"run={run}&job=alone") == set()
    assert runs("job=alone") == set()
    assert run in runs("since=2026-01-01T00:00:00Z")
    assert runs("until=2026-01-01T00:00:00Z") == set()
    assert runs("environment=elsewhere") == set()
    assert api.get("/logs:search?limit=1")["complete"] is False
    assert api.ask("GET", "/logs:search?run=run_00000000000000000000000000").status == 404


def test_an_expression_that_is_none_is_refused(api: Api) -> None:
    (fault,) = api.ask("GET", "/logs:search?regex=(a").error["details"]
    assert (fault["path"], fault["value"]) == ("regex", "'(a'")
    assert "unterminated" in fault["hint"]


def test_the_command_prints_lines_with_whose_they_are(runyard: CommandLine, run: str) -> None:
    shown = runyard("logs", "search", "o", "--run", run, "--since", "1h", "--severity", "info")
    assert shown.status == 0, shown.err
    assert [line.partition("report ")[2] for line in shown.out.splitlines()] == [
        f"{run}/1 [0] one", f"{run}/1 [0] two\\x1b[31m"
    ]  # fmt: skip
    lines = runyard("logs", "search", "--regex", "-?o", "--limit", "1", "--json")
    assert lines.lines()[0]["run"] == run
    assert "not all logs were searched" in lines.err
    assert runyard("logs", run).out.splitlines() == ["[0] one", "[0] two\x1b[31m"]


def test_what_cannot_be_searched_is_said(api: Api, runyard: CommandLine, run: str) -> None:
    assert api.get(f"/logs:search?run={run}")["unsearched"] == []
    api.behind.viewer.unsearched = ("logs in Google's project shop-prod: no role\x1b[31m",)
    try:
        found = api.get(f"/logs:search?run={run}")
        assert (found["complete"], len(found["entries"]), len(found["unsearched"])) == (False, 2, 1)
        shown = runyard("logs", "search", "o", "--run", run)
    finally:
        api.behind.viewer.unsearched = ()
    assert (shown.status, len(shown.out.splitlines())) == (0, 2)
    assert "not searched: logs in Google's project shop-prod: no role\\x1b[31m" in shown.err
