"""The application: which path leads where, and what becomes of errors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runyard_runner.faults import RunnerError
from runyard_runner.telemetry.journal import Journal
from runyard_runner.web.execute import Execute
from runyard_runner.web.pages import Pages
from runyard_runner.web.requests import error_response, json_response

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def application(
    pages: Pages, execute: Execute, journal: Journal, example_tasks: bool, lifespan: Lifespan
) -> Starlette:
    """The application, with or without the example tasks."""

    async def told(_request: Request, error: Exception) -> Response:
        return error_response(cast(RunnerError, error))

    async def unknown(_request: Request, raised: Exception) -> Response:
        error = cast(HTTPException, raised)
        code = "NOT_FOUND" if error.status_code == 404 else "INVALID_ARGUMENT"
        said = {"code": code, "message": f"{error.detail}.", "hint": "See /."}
        response = json_response({"success": False, "error": said}, error.status_code)
        response.headers.update(error.headers or {})
        return response

    async def fault(request: Request, error: Exception) -> Response:
        journal.fault(f"{request.method} {request.url.path} failed", error)
        return error_response(RunnerError("The runner itself failed; its log says how."))

    routes = [
        Route("/execute", execute.handle, methods=["POST", "GET"]),
        Route("/health", pages.health),
        Route("/", pages.index),
        Route("/metrics", pages.metrics),
        Route("/openapi.json", pages.openapi),
    ]
    if example_tasks:
        routes += [Route(f"/task{n}", pages.task, methods=["GET", "POST"]) for n in (1, 2, 3)]
    handlers = {RunnerError: told, HTTPException: unknown, Exception: fault}
    return Starlette(routes=routes, exception_handlers=handlers, lifespan=lifespan)
