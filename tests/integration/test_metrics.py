"""What was measured of a job, over the API and on the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from runyard.flow.patterns import Miner
from runyard.measures import open_series
from runyard.model.errors import StoreError
from runyard.model.event import Ended, Launched
from runyard.model.log_pattern import LogExample
from runyard.model.metric import Metric, Series
from runyard.telemetry.log_patterns import LogPatterns
from runyard.telemetry.recorder import Recorder
from tests.support.api_server import START, TOKEN, Api, serving
from tests.support.command_line import CommandLine
from tests.support.runs import NOW, make_outcome

DURATION = Series("local", "shop", "report", "us-central1", Metric.RUN_DURATION)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(tmp_path_factory.mktemp("api")) as started:
        started.apply()
        for _ in range(3):
            run = started.run()
            started.tell(run, Launched(1, "a"))
            started.tell(run, Ended(1, make_outcome()))
        yield started


@pytest.fixture
def runyard(api: Api, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, {"RUNYARD_URL": api.url, "RUNYARD_TOKEN": TOKEN})


def test_a_jobs_metrics(api: Api) -> None:
    found = api.get("/jobs/report/metrics")
    assert (found["job"], found["step_seconds"], found["regression"]) == ("report", 3600, None)
    lines = {line["metric"]: line for line in found["metrics"]}
    assert lines["runs"]["labels"] == {"state": "succeeded"}
    assert (lines["runs"]["count"], lines["runs"]["per_hour"]) == (3, 3 / 24)
    assert lines["runs"]["p50"] is None
    assert lines["attempts"]["labels"] == {"ending": "succeeded", "verdict": "done"}
    assert lines["run_duration_seconds"]["p95"] > 0
    assert lines["cost_dollars"]["sum"] == pytest.approx(3 * lines["cost_dollars"]["max"])
    assert sum(step["count"] for step in lines["runs"]["steps"]) == 3
    narrow = api.get("/jobs/report/metrics?metric=runs&region=us-central1&step_seconds=1800")
    assert [line["metric"] for line in narrow["metrics"]] == ["runs"]
    assert len(narrow["metrics"][0]["steps"]) == 48
    assert api.get("/jobs/report/metrics?region=europe-west1")["metrics"] == []
    assert api.get("/jobs/everywhere/metrics")["metrics"] == []


@pytest.mark.parametrize(
    ("query", "status", "path"),
    [
        ("metric=runz", 400, "metric"),
        ("since=2026-09-02T00:00:00Z&until=2026-09-01T00:00:00Z", 400, "since"),
        ("since=2026-01-01T00:00:00Z&step_seconds=60", 400, "step_seconds"),
        ("environment=elsewhere", 404, ""),
    ],
)
def test_what_is_not_right_is_said(api: Api, query: str, status: int, path: str) -> None:
    answer = api.ask("GET", f"/jobs/report/metrics?{query}")
    assert answer.status == status
    assert path in str(answer.error["details"])
    assert api.ask("GET", "/jobs/nothing/metrics").status == 404


def test_the_command_prints_a_table_with_charts(api: Api, runyard: CommandLine) -> None:
    shown = runyard("metrics", "report", "--since", "2d")
    assert shown.status == 0, shown.err
    head, *rows = shown.out.splitlines()
    assert head.split() == ["METRIC", "LABELS", "COUNT", "P50", "P95", "MAX", "SUM", "CHART"]
    (runs,) = [row for row in rows if row.startswith("runs ")]
    assert runs.split()[:3] == ["runs", "state=succeeded", "3"]
    assert "█" in runs
    assert "·" in runs
    assert runyard("metrics", "report", "--metric", "runs", "--json").document()["metrics"]
    assert runyard("metrics", "report", "--since", "soon").status == 64


def test_a_slower_revision_is_told_everywhere(api: Api, runyard: CommandLine) -> None:
    measures = api.behind.services.measures
    for revision, seconds in ((0, 60.0), (1, 90.0)):
        labels = (("revision", str(revision)), ("state", "succeeded"))
        for place in range(20):
            at = START + timedelta(seconds=place)
            measures.add(at, DURATION._replace(job="alone", labels=labels), seconds + place / 10)
    found = api.get("/jobs/alone/metrics")["regression"]
    assert (found["revision"], found["of"], found["since"]["runs"]) == (1, "p50", 20)
    out = runyard("metrics", "alone").out
    assert "slower since revision 1: p50 of 20 runs is 1m 30s, and was 1m 1s in the 20" in out
    run = api.run("alone")
    api.tell(run, Launched(1, "a"))
    api.tell(run, Ended(1, make_outcome()))
    assert "Runs of alone take longer since revision 1" in runyard("explain", run).out


def test_prometheus_own_parser_reads_what_is_measured(api: Api) -> None:
    text = api.ask("GET", "//metrics").content.decode()
    families = {one.name: one for one in text_string_to_metric_families(text)}
    (finished,) = [
        sample
        for sample in families["runyard_runs_finished"].samples
        if sample.name.endswith("_total") and sample.labels["job"] == "report"
    ]
    assert finished.value == 3
    for name, kind in (
        ("runyard_start_latency_seconds", "histogram"),
        ("runyard_cost_dollars", "counter"),
        ("runyard_dead_letters", "counter"),
        ("runyard_schedule_lateness_seconds", "histogram"),
    ):
        assert families[name].type == kind
    (cost,) = [
        sample
        for sample in families["runyard_cost_dollars"].samples
        if sample.name.endswith("_total") and sample.labels["job"] == "report"
    ]
    assert cost.value > 0


def test_a_damaged_file_is_put_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"

    async def scene() -> None:
        path.write_bytes(b"this is no database, and long enough to be seen as none" * 100)
        database = await open_series(path)
        await Recorder(database, "a", timedelta(days=1)).flush(NOW)
        await database.close()
        with pytest.raises(StoreError):
            await open_series(tmp_path / "nowhere" / "telemetry.db")

    asyncio.run(scene())
    assert len(list(tmp_path.glob("telemetry.db.damaged-*"))) == 1


def test_patterns_of_errors_are_shown(api: Api, runyard: CommandLine) -> None:
    assert api.get("/jobs/report/log-patterns")["patterns"] == []
    run = api.run()
    line = LogExample(START, f"{run}/1", "order 7: no route to 10.0.0.1")
    database = api.behind.services.measures.database
    pattern = Miner().add(line)
    assert pattern is not None
    put = LogPatterns(database.dialect).put
    api.call(lambda: database.write(lambda tx: put(tx, ("shop", "local", "report"), [pattern])))
    (found,) = api.get("/jobs/report/log-patterns")["patterns"]
    assert (found["template"], found["count"]) == ("order <number>: no route to <ip>", 1)
    assert found["examples"] == [
        {"at": found["first_seen_at"], "run": run, "attempt": 1, "text": line.text}
    ]
    shown = runyard("logs", "patterns", "report")
    assert shown.out.splitlines()[1].endswith("order <number>: no route to <ip>")
    assert line.text in runyard("logs", "patterns", "report", "--examples").out
    document = runyard("logs", "patterns", "report", "--json").document()
    assert document["patterns"] == [found]
    assert runyard("logs", "patterns", "nothing").status == 66
