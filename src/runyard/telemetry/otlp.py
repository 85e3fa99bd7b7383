"""What a collector gets: OTLP over HTTP, as JSON. Pure.

Ids stand in it as hexadecimal digits, instants as nanoseconds in texts
(https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). Metrics are what was seen in
each minute (delta); histograms have the bounds of `BOUNDS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runyard.flow.tracing import Span
from runyard.model.instants import to_micros
from runyard.model.metric import COUNTED, Series
from runyard.model.sketch import Sketch, bounds

Document = dict[str, Any]
BOUNDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600, 14_400, 86_400)
_DELTA = 1
_INTERNAL = 1
_OK, _ERROR = 1, 2
_UNITS = {"_seconds": "s", "_ratio": "1", "_dollars": "{USD}"}


def traces(version: str, each: Sequence[tuple[str, Sequence[Span]]]) -> Document:
    """Whole traces: each with its id and its spans, all of which have ended."""
    spans = [_span(trace, span) for trace, spans in each for span in spans]
    scope = {"scope": {"name": "runyard", "version": version}, "spans": spans}
    return {"resourceSpans": [{"resource": _resource(version), "scopeSpans": [scope]}]}


def metrics(version: str, points: Sequence[tuple[Series, int, int, Sketch]]) -> Document:
    """Points: of which series, from when to when (microseconds), what was seen."""
    named: dict[str, list[Document]] = {}
    for series, since, to, sketch in points:
        moments = {"startTimeUnixNano": str(since * 1000), "timeUnixNano": str(to * 1000)}
        labels = {
            "job": series.job,
            "project": series.project,
            "environment": series.environment,
            "region": series.region,
        } | dict(series.labels)
        point = moments | {"attributes": attributes(labels)} | _value(series.metric, sketch)
        named.setdefault(series.metric, []).append(point)
    scope = {
        "scope": {"name": "runyard", "version": version},
        "metrics": [_metric(name, several) for name, several in named.items()],
    }
    return {"resourceMetrics": [{"resource": _resource(version), "scopeMetrics": [scope]}]}


def attributes(values: Mapping[str, str | int | float]) -> list[Document]:
    """Names and values as OTLP has them; empty texts are left out."""
    return [{"key": key, "value": _any(value)} for key, value in values.items() if value != ""]


def _any(value: str | int | float) -> Document:
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}


def _resource(version: str) -> Document:
    values = {"service.name": "runyard", "service.version": version}
    return {"attributes": attributes(values)}


def _span(trace: str, span: Span) -> Document:
    document = {
        "traceId": trace,
        "spanId": span.id,
        "name": span.name,
        "kind": _INTERNAL,
        "startTimeUnixNano": str(to_micros(span.started_at) * 1000),
        "endTimeUnixNano": str(to_micros(span.ended_at or span.started_at) * 1000),
        "attributes": attributes(dict(span.attributes)),
        "status": {"code": _ERROR, "message": span.message} if span.failed else {"code": _OK},
    }
    return document | ({"parentSpanId": span.parent} if span.parent else {})


def _metric(name: str, points: list[Document]) -> Document:
    unit = next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "1")
    document: Document = {"name": f"runyard_{name}", "unit": unit}
    if name in COUNTED:
        return document | {
            "sum": {"aggregationTemporality": _DELTA, "isMonotonic": True, "dataPoints": points}
        }
    return document | {"histogram": {"aggregationTemporality": _DELTA, "dataPoints": points}}


def _value(metric: str, sketch: Sketch) -> Document:
    if metric in COUNTED:
        return {"asInt": str(sketch.count)}
    counts = [0] * (len(BOUNDS) + 1)
    for bucket, count in sketch.buckets.items():
        middle = sum(bounds(bucket)) / 2
        counts[sum(bound < middle for bound in BOUNDS)] += count
    return {
        "count": str(sketch.count),
        "sum": sketch.total,
        "min": sketch.low,
        "max": sketch.high,
        "explicitBounds": list(BOUNDS),
        "bucketCounts": [str(count) for count in counts],
    }
