"""Metrics and traces to a collector: OTLP over HTTP, as JSON. Loaded when one is configured.

One span per execution, with an event for every endpoint; the endpoints' own spans hang below it,
because calls carry its id. What cannot be delivered is dropped, and the log says so once until a
delivery succeeds again: a collector that is away never holds up an execution.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from runyard_runner.model.result import Result, Summary, dump
from runyard_runner.rules.statuses import Verdict
from runyard_runner.rules.tracing import Trace
from runyard_runner.telemetry.journal import Journal
from runyard_runner.telemetry.meters import (
    BOUNDS_SECONDS,
    COUNTERS,
    HISTOGRAMS,
    Histogram,
    Meters,
)

#: Sends a document to a path below the collector's URL. Raises OSError.
Post = Callable[[str, bytes], Awaitable[None]]

EVERY_SECONDS = 15.0
_SPANS_MAX = 2048
_EVENTS_MAX = 128
_CUMULATIVE = 2
_SERVER = 2
_OK, _ERROR = 1, 2


@dataclass
class Exporter:
    """Keeps spans until they are sent, and sends the counts as they are."""

    post: Post
    meters: Meters
    journal: Journal
    clock: Callable[[], int]
    service: str
    every_seconds: float = EVERY_SECONDS
    _spans: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_SPANS_MAX))
    _task: asyncio.Task[None] | None = None
    _began_at: int = 0
    _failing: bool = False

    def start(self) -> None:
        """Send from now on, every few seconds."""
        self._began_at = self.clock()
        self._task = asyncio.get_running_loop().create_task(self._forever())

    async def stop(self) -> None:
        """Send what is left."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
            await self.send()

    def note(self, summary: Summary, trace: Trace) -> None:
        """Keep the span of an execution, if its trace is wanted at all."""
        if trace.sampled:
            self._spans.append(_span(summary, trace))

    async def send(self) -> None:
        """Send what there is."""
        spans = list(self._spans)
        self._spans.clear()
        try:
            await self.post("/v1/metrics", dump(self._metrics()))
            if spans:
                scope = {"scope": {"name": "runyard-runner"}, "spans": spans}
                resource = {"resource": self._resource(), "scopeSpans": [scope]}
                await self.post("/v1/traces", dump({"resourceSpans": [resource]}))
            self._failing = False
        except OSError as error:
            if not self._failing:
                words = f"the collector takes nothing: {error}"
                self.journal.record("WARNING", words, dropped_spans=len(spans))
            self._failing = True

    async def _forever(self) -> None:
        while True:
            await asyncio.sleep(self.every_seconds)
            await self.send()

    def _resource(self) -> dict[str, Any]:
        return {"attributes": _attributes({"service.name": self.service})}

    def _metrics(self) -> dict[str, Any]:
        moments = {
            "startTimeUnixNano": str(self._began_at * 1000),
            "timeUnixNano": str(self.clock() * 1000),
        }
        metrics = [
            _sum(
                name,
                words,
                [
                    {"asInt": str(count), "attributes": _attributes({label: value}), **moments}
                    for value, count in getattr(self.meters, attribute).items()
                ],
            )
            for name, (attribute, label, words) in COUNTERS.items()
        ]
        retries = {"asInt": str(self.meters.retries), **moments}
        metrics.append(_sum("runner_retries", "Further attempts.", [retries]))
        for name, (attribute, words) in HISTOGRAMS.items():
            point = _point(getattr(self.meters, attribute)) | moments
            histogram = {"aggregationTemporality": _CUMULATIVE, "dataPoints": [point]}
            metrics.append(
                {"name": name, "description": words, "unit": "s", "histogram": histogram}
            )
        scope = {"scope": {"name": "runyard-runner"}, "metrics": metrics}
        return {"resourceMetrics": [{"resource": self._resource(), "scopeMetrics": [scope]}]}


def _span(summary: Summary, trace: Trace) -> dict[str, Any]:
    began = round(summary.started_at.timestamp() * 1_000_000) * 1000
    failed = bool(summary.of(Verdict.FAILED))
    span = {
        "traceId": trace.trace_id,
        "spanId": trace.span_id,
        "name": "POST /execute",
        "kind": _SERVER,
        "startTimeUnixNano": str(began),
        "endTimeUnixNano": str(began + round(summary.duration_ms * 1_000_000)),
        "attributes": _attributes(
            {
                "runner.mode": summary.mode,
                "runner.endpoints": len(summary.results),
                "http.response.status_code": summary.http_status,
            }
        ),
        "events": [_event(each) for each in summary.results[:_EVENTS_MAX]],
        "status": {"code": _ERROR if failed else _OK},
    }
    return span | ({"parentSpanId": trace.parent_span_id} if trace.parent_span_id else {})


def _event(result: Result) -> dict[str, Any]:
    return {
        "timeUnixNano": str(round(result.ended_at.timestamp() * 1_000_000) * 1000),
        "name": f"endpoint {result.verdict}",
        "attributes": _attributes(
            {
                "url.full": result.endpoint,
                "http.request.method": result.method,
                "http.response.status_code": result.status_code,
                "runner.attempts": result.attempts,
                "error.message": result.error,
            }
        ),
    }


def _attributes(values: dict[str, str | int]) -> list[dict[str, Any]]:
    return [
        {
            "key": key,
            "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value},
        }
        for key, value in values.items()
        if value != ""
    ]


def _sum(name: str, words: str, points: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "description": words,
        "sum": {
            "aggregationTemporality": _CUMULATIVE,
            "isMonotonic": True,
            "dataPoints": points,
        },
    }


def _point(histogram: Histogram) -> dict[str, Any]:
    return {
        "count": str(sum(histogram.counts)),
        "sum": histogram.sum_seconds,
        "bucketCounts": [str(each) for each in histogram.counts],
        "explicitBounds": list(BOUNDS_SECONDS),
    }
