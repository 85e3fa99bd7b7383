"""`runyard-runner serve`: the service itself."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


def configure(parser: ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=5000, help="port to listen on")


def run(arguments: Namespace) -> int:
    """Serve until the process is told to stop."""
    app = Starlette(routes=[Route("/health", _health)])
    uvicorn.run(app, host=arguments.host, port=arguments.port, log_level="warning")
    return 0


async def _health(_request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})
