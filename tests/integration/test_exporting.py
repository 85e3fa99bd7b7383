"""A collector gets traces and metrics, as OpenTelemetry's own schema reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from runyard.config import Config
from runyard.exporting import WAITING_MAX, Exporter, exporting, poster
from runyard.flow.tracing import traceparent
from runyard.model.errors import StoreUnavailable
from runyard.model.event import AttemptEnded, Ended, Launched, Released
from runyard.model.ids import RunId
from runyard.model.outcome import Ending
from runyard.model.run import State
from runyard.provider.port import TaskView
from runyard.wiring import Rows
from tests.support.api_server import START, Api, serving
from tests.support.collector import Collector, collecting
from tests.support.runs import NOW, make_outcome, make_run

ENDED = AttemptEnded(1, make_outcome(), "done", "")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(tmp_path_factory.mktemp("api")) as started:
        started.apply()
        yield started


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as started:
        yield started


def exporter_of(api: Api, url: str) -> Exporter:
    services = api.behind.services
    return Exporter(Rows(services.database, services.store), services.viewer, poster(url))


def finish(api: Api, ending: Ending = Ending.SUCCEEDED) -> str:
    run = api.run("alone")
    api.tell(run, Launched(1, "a"))
    end = START + timedelta(seconds=9)
    api.behind.viewer.views[f"{run}/1"] = [TaskView(0, "succeeded", 0, START, end)]
    api.tell(run, Ended(1, make_outcome(ending)))
    api.tell(run, Released(1))
    return run


def test_a_run_that_ended_is_sent_as_one_trace(api: Api, collector: Collector) -> None:
    services = api.behind.services
    config = Config.load({"RUNYARD_OTLP_ENDPOINT": f"{collector.url}/"})
    rows = Rows(services.database, services.store)

    async def scene() -> str:
        async with exporting(config, rows, services.measures, services.viewer):
            return await asyncio.to_thread(finish, api, Ending.FAILED)

    run = api.call(scene)
    spans = {span.name: span for span in collector.spans()}
    assert set(spans) == {"run alone", "wait", "attempt 1", "launch", "task 0"}
    _, trace, attempt, _ = traceparent(RunId(run), 1).split("-")
    assert {span.trace_id.hex() for span in spans.values()} == {trace}
    assert spans["task 0"].parent_span_id.hex() == attempt
    assert spans["run alone"].parent_span_id == b""
    assert spans["run alone"].status.code == 2
    assert spans["task 0"].status.code == 1
    assert spans["task 0"].end_time_unix_nano - spans["task 0"].start_time_unix_nano == 9 * 10**9
    found = {one.key: one.value for one in spans["run alone"].attributes}
    assert found["runyard.job"].string_value == "alone"
    assert found["runyard.revision"].int_value == 1


def test_a_minute_that_is_over_is_sent_as_metrics(api: Api, collector: Collector) -> None:
    services, exporter = api.behind.services, exporter_of(api, collector.url)
    services.measures.closed = exporter.closed
    finish(api)
    later = START + timedelta(minutes=5)
    api.call(lambda: services.measures.flush(later))
    api.call(lambda: exporter.tick(later))
    metrics = {
        one.name: one
        for request in collector.metrics
        for one in request.resource_metrics[0].scope_metrics[0].metrics
    }
    runs = metrics["runyard_runs"].sum
    assert (runs.is_monotonic, runs.aggregation_temporality) == (True, 1)
    assert sum(point.as_int for point in runs.data_points) >= 1
    (point, *_) = metrics["runyard_run_duration_seconds"].histogram.data_points
    assert metrics["runyard_run_duration_seconds"].unit == "s"
    assert sum(point.bucket_counts) == point.count >= 1
    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
    assert {"job", "region", "state"} <= {one.key for one in point.attributes}
    assert point.time_unix_nano - point.start_time_unix_nano == 60 * 10**9


def test_a_collector_that_is_away_is_asked_again_and_one_that_refuses_is_not(
    api: Api, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = exporter_of(api, collector.url)
    run = make_run(State.SUCCEEDED)
    exporter.observe([(run.evolve(id=RunId(finish(api))), Released(1), NOW)])
    api.call(lambda: exporter.tick(NOW))
    assert collector.traces == []  # a release is no end
    exporter.observe([(run.evolve(id=RunId(finish(api))), ENDED, NOW)])
    collector.answers = [503, 429]
    for words in ("answers 503", "answers 429"):
        with pytest.raises(StoreUnavailable, match=words):
            api.call(lambda: exporter.tick(NOW))
    api.call(lambda: exporter.tick(NOW))
    assert len(collector.traces) == 1
    exporter.observe([(run.evolve(id=RunId(finish(api))), ENDED, NOW)])
    collector.answers = [400]
    api.call(lambda: exporter.tick(NOW))
    api.call(lambda: exporter.tick(NOW))
    assert len(collector.traces) == 1
    assert "refuses /v1/traces with 400" in caplog.text
    nowhere = exporter_of(api, "http://127.0.0.1:1")
    nowhere.observe([(run, ENDED, NOW)] * (WAITING_MAX + 5))
    with pytest.raises(StoreUnavailable, match="takes nothing"):
        api.call(lambda: nowhere.tick(NOW))
