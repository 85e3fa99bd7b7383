"""What an engine without a face answers: is it there, is it at work or standing by, and what it
measures, which wants a token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from runyard.api.answers import answer
from runyard.api.edge.bearer import Asked, Bearer
from runyard.api.errors import error_answer
from runyard.flow.access import SOMEWHERE, Permission, check
from runyard.model.errors import PlatformError
from runyard.telemetry.metrics import CONTENT_TYPE


def make_health_app(
    look: Callable[[], Awaitable[str]],
    measured: Callable[[], Awaitable[bytes]],
    sign_in: Asked,
    clock: Callable[[], datetime],
) -> ASGIApp:
    """An app with `/health`, `/ready` and `/metrics`. `look` says how it is in a word, `measured`
    what it measures in Prometheus' text; where they raise PlatformError, that is the answer."""

    async def health(request: Request) -> Response:
        return answer({"status": "ok"})

    async def ready(request: Request) -> Response:
        try:
            return answer({"status": await look()})
        except PlatformError as error:
            return error_answer(error)

    async def metrics(request: Request) -> Response:
        try:
            check(request.state.caller, Permission.METRICS_READ, SOMEWHERE, clock())
            return Response(await measured(), headers={"Content-Type": CONTENT_TYPE})
        except PlatformError as error:
            return error_answer(error)

    routes = {"/health": health, "/ready": ready, "/metrics": metrics}
    return Bearer(Starlette(routes=[Route(*route) for route in routes.items()]), sign_in, clock)
