"""What there is to know of the service: `/`, `/health`, `/metrics`, and the example tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from importlib import import_module
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from runyard_runner.faults import RequestError
from runyard_runner.model.result import dump, instant
from runyard_runner.telemetry.meters import Meters
from runyard_runner.web.openapi import openapi
from runyard_runner.web.requests import Door, json_response

#: Method and path, and what is there.
PATHS = {
    "GET /": "This page: HTML for a browser, JSON for a program.",
    "GET /health": "Whether the service is alive. Open to everybody.",
    "POST /execute": "Call the endpoints, and answer with what came of each.",
    "GET /execute": "The same with what is configured, one after the other.",
    "GET /metrics": "Counts, for Prometheus.",
    "GET /openapi.json": "This API as OpenAPI.",
}
_TASKS = {
    f"{method} /task{n}": f"Example task {n}." for n in (1, 2, 3) for method in ("GET", "POST")
}


@dataclass(frozen=True, slots=True)
class About:
    """What the service says of itself. `endpoints` are as anybody may see them."""

    version: str
    revision: str
    endpoints: Sequence[Any]
    example_tasks: bool

    @property
    def paths(self) -> dict[str, str]:
        """What can be called."""
        return PATHS | (_TASKS if self.example_tasks else {})


class Pages:
    """The handlers."""

    def __init__(self, door: Door, about: About, meters: Meters, clock: Callable[[], int]) -> None:
        self._door = door
        self._about = about
        self._meters = meters
        self._clock = clock

    async def health(self, _request: Request) -> Response:
        """Alive."""
        return json_response({"status": "ok", "timestamp": instant(self._clock())})

    async def index(self, request: Request) -> Response:
        """The documentation."""
        await self._door.enter(request)
        about = self._about
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(page(about))
        said = {
            "name": "Runyard runner",
            "version": about.version,
            "status": "running",
            "endpoints": list(about.endpoints),
            "configured_endpoints": len(about.endpoints),
            "api": about.paths,
            "timestamp": instant(self._clock()),
        }
        return json_response(said | ({"revision": about.revision} if about.revision else {}))

    async def metrics(self, request: Request) -> Response:
        """The counts."""
        await self._door.enter(request)
        shown = import_module("runyard_runner.telemetry.exposition")
        return Response(shown.exposition(self._meters), media_type=shown.MEDIA_TYPE)

    async def openapi(self, request: Request) -> Response:
        """The API as a program reads it."""
        await self._door.enter(request)
        return json_response(openapi(self._about.version))

    async def task(self, request: Request) -> Response:
        """One of the example tasks: says that it was done, and with what."""
        await self._door.enter(request)
        number = request.url.path.removeprefix("/task")
        body = await self._door.body(request)
        try:
            data = orjson.loads(body) if body.strip() else {}
        except orjson.JSONDecodeError as error:
            raise RequestError(f"The body is not JSON: {error}.") from None
        return json_response(
            {
                "message": f"Task {number} executed successfully",
                "data": data,
                "timestamp": instant(self._clock()),
            }
        )


def page(about: About) -> str:
    """The documentation for a browser. It loads nothing from elsewhere."""
    rows = "".join(
        f"<tr><td><code>{escape(path)}</code></td><td>{escape(words)}</td></tr>"
        for path, words in about.paths.items()
    )
    endpoints = "".join(
        f"<li><code>{escape(each if isinstance(each, str) else dump(each).decode())}</code></li>"
        for each in about.endpoints
    )
    revision = f", revision {escape(about.revision)}" if about.revision else ""
    listed = f"<ol>{endpoints}</ol>" if endpoints else "<p>None.</p>"
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Runyard runner</title>"
        "<style>body{font:16px/1.5 system-ui;max-width:50rem;margin:2rem auto;padding:0 1rem}"
        "td{padding:.2rem 1rem .2rem 0;vertical-align:top}</style></head><body>"
        f"<h1>Runyard runner</h1><p>Version {escape(about.version)}{revision}.</p>"
        f"<h2>What can be called</h2><table>{rows}</table>"
        f"<h2>Configured endpoints</h2>{listed}</body></html>"
    )
