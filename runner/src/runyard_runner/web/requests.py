"""What a request says: who it is from, in which trace, with what body. And its answer, as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from runyard_runner.execution.service import Service, Visit
from runyard_runner.faults import RequestError, RunnerError, TooLargeError
from runyard_runner.identity.access import Access
from runyard_runner.model.result import dump
from runyard_runner.rules.tracing import read_trace


def json_response(value: Any, status: int = 200) -> Response:
    """`value` as JSON."""
    return Response(dump(value), status, media_type="application/json")


def error_response(error: RunnerError) -> Response:
    """What is wrong, as JSON."""
    response = json_response(error.as_json(), error.http_status)
    if error.http_status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _headers(request: Request) -> dict[str, str]:
    """The headers, each as it stands first: looked up often, so they are read once."""
    found = reversed(request.scope["headers"])
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in found}


@dataclass(frozen=True, slots=True)
class Door:
    """Lets callers in, and reads what they bring."""

    access: Access
    service: Service
    new_id: Callable[[int], str]
    bytes_max: int

    async def enter(self, request: Request) -> Visit:
        """Who it is. Raises Unauthenticated or Forbidden, which is written down."""
        headers = _headers(request)
        trace = read_trace(
            headers.get("traceparent"), headers.get("x-cloud-trace-context"), self.new_id
        )
        job = headers.get("x-cloudscheduler-jobname", "")[:1000]
        time = headers.get("x-cloudscheduler-scheduletime", "")[:100]
        scheduled = headers.get("x-scheduler-trigger", "").lower() == "true"
        peer = request.client.host if request.client else ""
        try:
            caller = await self.access.caller(
                headers.get("x-api-key"), headers.get("authorization"), peer
            )
        except RunnerError as error:
            self.service.refused(Visit("unknown", trace, job, time, scheduled), error)
            raise
        return Visit(caller, trace, job, time, scheduled)

    async def body(self, request: Request) -> bytes:
        """The whole body. Raises TooLargeError before it is all here."""
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self.bytes_max:
            raise self._too_large()
        pieces, size = [], 0
        while True:
            message: Message = await request.receive()
            if message["type"] == "http.disconnect":
                raise RequestError("The request ended before its body did.")
            piece = message.get("body", b"")
            size += len(piece)
            if size > self.bytes_max:
                raise self._too_large()
            pieces.append(piece)
            if not message.get("more_body", False):
                return b"".join(pieces)

    def _too_large(self) -> TooLargeError:
        return TooLargeError(
            f"The body is larger than {self.bytes_max} bytes.",
            hint="Send less, or set REQUEST_BYTES_MAX.",
        )
