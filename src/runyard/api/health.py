"""What an engine without a face answers: is it there, and is it at work or standing by."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runyard.api.answers import answer
from runyard.api.errors import error_answer
from runyard.model.errors import PlatformError

Look = Callable[[], Awaitable[str]]


def make_health_app(look: Look) -> Starlette:
    """An app with `/health` and `/ready`. `look` says how it is in a word, or raises
    PlatformError, which `/ready` answers with."""

    async def health(request: Request) -> Response:
        return answer({"status": "ok"})

    async def ready(request: Request) -> Response:
        try:
            return answer({"status": await look()})
        except PlatformError as error:
            return error_answer(error)

    return Starlette(routes=[Route("/health", health), Route("/ready", ready)])
