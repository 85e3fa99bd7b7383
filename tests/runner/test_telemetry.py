"""The journal, and what a collector gets."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from runyard_runner.rules.masking import Mask
from runyard_runner.rules.tracing import Trace
from runyard_runner.telemetry.journal import Journal, JournalHandler
from runyard_runner.telemetry.meters import Meters
from runyard_runner.telemetry.otlp import Exporter
from runyard_runner.telemetry.watching import Nobody
from tests.runner.site import answer, run, running, serving, until

TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_a_journal_is_json_without_secrets() -> None:
    lines: list[bytes] = []
    journal = Journal(lines.append, lambda: 1_000_000, Mask(["hunter2-secret"]), "INFO", "p")
    journal.record("DEBUG", "not this one")
    journal.record("INFO", "hello hunter2-secret", Trace("t", "s", sampled=False), n=1)
    logger = logging.getLogger("tests.runner.journal")
    logger.handlers, logger.propagate = [JournalHandler(journal)], False
    logger.warning("from %s", "elsewhere")
    logger.log(55, "heavier than anything")
    try:
        raise ZeroDivisionError("by zero")
    except ZeroDivisionError:
        logger.exception("it broke")
    first, second, third, fourth = [orjson.loads(line) for line in lines]
    assert first == {
        "severity": "INFO",
        "time": "1970-01-01T00:00:01Z",
        "message": "hello ***",
        "n": 1,
        "logging.googleapis.com/trace": "projects/p/traces/t",
        "logging.googleapis.com/spanId": "s",
        "logging.googleapis.com/trace_sampled": False,
    }
    assert (second["severity"], second["message"]) == ("WARNING", "from elsewhere")
    assert third["severity"] == "ERROR"
    assert "ZeroDivisionError: by zero" in fourth["stack"]
    assert all(line.endswith(b"}\n") and line.count(b"\n") == 1 for line in lines)


def test_a_collector_gets_metrics_and_traces() -> None:
    async def story() -> None:
        async with serving({"/bad": answer(400)}) as target:
            environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": target.url("/")}
            order = {"endpoints": [target.url("/ok"), target.url("/bad")]}
            async with running(environment) as site:
                parent = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
                await site.execute(order, **parent)
                await site.execute(order, traceparent=f"00-{TRACE}-b7ad6b7169203331-00")
            sent = {each.path: each for each in target.asked}
            metrics = Parse(sent["/v1/metrics"].body, ExportMetricsServiceRequest())
            found = {
                each.name: each for each in metrics.resource_metrics[0].scope_metrics[0].metrics
            }
            (executions,) = found["runner_executions"].sum.data_points
            assert executions.as_int == 2
            assert executions.attributes[0].value.string_value == "failed"
            assert found["runner_endpoint_seconds"].histogram.data_points[0].count == 4
            traces = Parse(sent["/v1/traces"].body, ExportTraceServiceRequest())
            (span,) = traces.resource_spans[0].scope_spans[0].spans
            plain = orjson.loads(sent["/v1/traces"].body)["resourceSpans"][0]["scopeSpans"][0]
            assert plain["spans"][0]["traceId"] == TRACE
            assert plain["spans"][0]["parentSpanId"] == "b7ad6b7169203331"
            assert span.name == "POST /execute"
            assert len(span.events) == 2
            assert span.end_time_unix_nano > span.start_time_unix_nano
            called = next(each for each in target.asked if each.path == "/ok")
            assert called.headers["traceparent"].split("-")[2] == plain["spans"][0]["spanId"]

    run(story())


def test_a_collector_that_is_away_holds_up_nothing_and_is_told_once() -> None:
    async def story() -> None:
        lines: list[Any] = []
        away = True
        sent: list[str] = []

        async def post(path: str, _document: bytes) -> None:
            if away:
                raise OSError("nobody there")
            sent.append(path)

        journal = Journal(lambda line: lines.append(orjson.loads(line)), lambda: 0, Mask([]))
        exporter = Exporter(post, Meters(), journal, lambda: 0, "me", every_seconds=0.001)
        await exporter.stop()  # before it began
        await exporter.send()
        await exporter.send()
        assert [line["message"] for line in lines] == ["the collector takes nothing: nobody there"]
        away = False
        await exporter.send()
        away = True
        await exporter.send()
        assert len(lines) == 2
        away = False
        exporter.start()
        await until(lambda: len(sent) > 2)
        await exporter.stop()

    run(story())


def test_errors_of_a_collector() -> None:
    async def story() -> None:
        async with serving({"/v1/metrics": answer(503)}) as target:
            for url in (target.url(), "http://127.0.0.1:9"):
                async with running({"OTEL_EXPORTER_OTLP_ENDPOINT": url}) as site:
                    pass
                (line,) = [each for each in site.lines if "collector" in each["message"]]
                assert line["severity"] == "WARNING"

    run(story())


def test_mostly_there_is_nobody() -> None:
    async def story() -> None:
        async with serving() as target, running() as site:
            await site.execute({"endpoints": [target.url()]})
            nobody = Nobody()
            nobody.start()
            await nobody.stop()

    run(story())
