"""Serves the cloud on this machine as Google's Cloud Run API, where the settings ask for it.

At this machine's own address alone, with a token of its own: programs that hold it may change and
run every job of this cloud, and read no secret and no run of Runyard's.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from runyard.api.protocol import Bounds
from runyard.api.server import HttpServer
from runyard.api.streams import Streams
from runyard.api.tokens import admin_token
from runyard.cloud_wiring import Cloud, google_face
from runyard.config import Config
from runyard.model.errors import ServerUnavailable
from runyard.premises import listening_socket

HOST = "127.0.0.1"
CONNECTIONS_MAX = 64  #: six clients of Google's, each with all the connections it keeps open


def token_file(folder: Path) -> Path:
    """Where the token of the Google API is, in the state folder."""
    return folder / "google-api-token"


@asynccontextmanager
async def google_api(
    config: Config, cloud: Cloud, say: Callable[[str], None]
) -> AsyncIterator[str]:
    """Serves it for as long as the block lasts, and gives its endpoint; empty: nobody wants it.

    Raises ServerUnavailable when the port is not free, ConfigError for a token file that is not to
    be trusted.
    """
    if config.google_api_port is None:
        yield ""
        return
    path = token_file(config.state_folder)
    token = await asyncio.to_thread(admin_token, path, lambda: secrets.token_urlsafe(32))
    bounds = Bounds(connections_max=CONNECTIONS_MAX)
    with _listening(config.google_api_port) as listening:
        async with google_face(cloud, token) as app:
            server = HttpServer(app, listening, Streams(), grace_seconds=1, bounds=bounds)
            task = asyncio.create_task(server.run(), name="google-api")
            say(f"Google's Cloud Run API is at {server.url}, its token in {path}")
            try:
                yield server.url
            finally:
                server.stop()
                await task


def _listening(port: int) -> socket.socket:
    try:
        return listening_socket(HOST, port)
    except ServerUnavailable as error:
        raise ServerUnavailable(
            error.message,
            hint="stop what uses it, or take another port for Google's API "
            "(RUNYARD_GOOGLE_API_PORT, `runyard up --google-api N`; 0 takes a free one)",
        ) from error
