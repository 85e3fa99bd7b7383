"""Serves an app over HTTP on a socket that is handed in, until told to stop.

Uvicorn on uvloop and httptools. It handles no signals: who calls `run` does, and calls `stop`.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from runyard.api.protocol import Bounds, bounded
from runyard.api.streams import Streams

KEEP_ALIVE_SECONDS = 75  #: as nginx's default: a client's idle connection is not cut in its hand
CONNECTIONS_WAITING_MAX = 2048
USUAL_BOUNDS = Bounds()


class HttpServer:
    """One server. Made anew for each start. `url` has no slash at its end."""

    def __init__(
        self,
        app: ASGIApp,
        listening: socket.socket,
        streams: Streams,
        *,
        grace_seconds: float,
        bounds: Bounds = USUAL_BOUNDS,
    ) -> None:
        """`listening` is bound; it is closed in the end. A stopping server ends `streams` at once
        and gives other requests `grace_seconds` to finish. What goes beyond `bounds` is refused."""
        self._socket = listening
        # Head and body of an answer are two writes: without this the second one waits for the
        # client's delayed acknowledgement, 40 ms. Connections inherit it (Linux, tcp(7)).
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.url = _url(listening)
        config = uvicorn.Config(
            app,
            http=bounded(bounds),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=CONNECTIONS_WAITING_MAX,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=max(1, round(grace_seconds)),
        )
        self._server = _Server(config, streams)

    async def run(self, on_ready: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop`; `on_ready` is called once requests are answered."""
        self._server.on_ready = on_ready
        await self._server.serve(sockets=[self._socket])

    def stop(self) -> None:
        """Stop soon: no new connections, streams end, requests under way finish. From any thread
        or signal handler; asking again changes nothing."""
        self._server.should_exit = True


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self.on_ready: Callable[[], None] = lambda: None
        self._streams = streams

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._streams.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None are: signals are the wiring's business."""
        yield
