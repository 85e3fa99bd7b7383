"""A collector on this machine: hears OTLP over HTTP and reads it by OpenTelemetry's own schema."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass
class Collector:
    """What was heard. Each of `answers` is given once, then 200."""

    url: str = ""
    traces: list[Any] = field(default_factory=list)
    metrics: list[Any] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def hear(self, path: str, content: bytes) -> int:
        """One request; its status."""
        status = self.answers.pop(0) if self.answers else 200
        if status == 200 and path == "/v1/traces":
            self.traces.append(
                ParseDict(_with_ids(json.loads(content)), ExportTraceServiceRequest())
            )
        elif status == 200 and path == "/v1/metrics":
            self.metrics.append(ParseDict(json.loads(content), ExportMetricsServiceRequest()))
        return status if path in ("/v1/traces", "/v1/metrics") else 404

    def spans(self) -> list[Any]:
        """Every span that was heard."""
        return [
            span
            for request in self.traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


def _with_ids(document: Any) -> Any:
    """OTLP's JSON has ids in hexadecimal digits, where protobuf's has base 64."""
    if isinstance(document, dict):
        return {
            key: base64.b64encode(bytes.fromhex(value)).decode()
            if key in ("traceId", "spanId", "parentSpanId")
            else _with_ids(value)
            for key, value in document.items()
        }
    return [_with_ids(one) for one in document] if isinstance(document, list) else document


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/json"
            self.send_response(collector.hear(self.path, content))
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
