"""HTTP on one connection, bounded before any of our code sees a request.

Uvicorn's protocol bounds neither the head of a request nor the time in which it comes, and so a
few clients that send slowly, or send headers without end, would hold a server's connections and
memory (https://en.wikipedia.org/wiki/Slowloris). What is refused here is told in the one shape of
every error.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from runyard.api.errors import error_document
from runyard.model.errors import Code

_REASONS = {
    400: "Bad Request",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one server takes. `connections_max` are open at the same time; a request has come
    whole within `request_seconds_max`, and its head is at most `head_bytes_max` long."""

    connections_max: int = 2000
    request_seconds_max: float = 60.0
    head_bytes_max: int = 64 * 1024  # twice what nginx and Apache take by default


class BoundedProtocol(HttpToolsProtocol):
    """Uvicorn's protocol within `bounds`, which `bounded` sets."""

    bounds = Bounds()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._patience: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """See asyncio. One connection too many is told so, and closed."""
        super().connection_made(transport)
        if len(self.connections) > self.bounds.connections_max:
            hint = "come back in a while, or close connections that are not needed"
            self._refuse(503, Code.UNAVAILABLE, "too many connections are open", hint)
            return
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._come()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        if self._in_head:
            self._head_bytes += len(data)
            if self._patience is None:
                self._wait()
        super().data_received(data)
        if self._in_head and self._head_bytes > self.bounds.head_bytes_max:
            hint = f"address and headers have at most {self.bounds.head_bytes_max} bytes"
            self._refuse(431, Code.INVALID_ARGUMENT, "the head of the request is too long", hint)

    def on_headers_complete(self) -> None:
        """See httptools."""
        self._in_head, self._head_bytes = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """See httptools."""
        self._come()
        self._in_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """See uvicorn."""
        hint = "this is an HTTP server; the API is described at /docs"
        self._refuse(400, Code.INVALID_ARGUMENT, msg, hint)

    def _unsupported_upgrade_warning(self) -> None:
        """Who asks for a WebSocket is answered as if he had not; that is nothing to log."""

    def _wait(self) -> None:
        self._patience = self.loop.call_later(self.bounds.request_seconds_max, self._lose_patience)

    def _come(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _lose_patience(self) -> None:
        self._patience = None
        if self._in_head:
            said = "the request did not come in time"
            self._refuse(408, Code.DEADLINE_EXCEEDED, said, "send it at once")
        else:  # its handler waits for the body, and may have begun to answer
            self.transport.abort()

    def _refuse(self, status: int, code: Code, message: str, hint: str) -> None:
        if self.transport.is_closing():
            return
        body = orjson.dumps(error_document(status, code, message, hint))
        head = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self._come()
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()


def bounded(bounds: Bounds) -> type[BoundedProtocol]:
    """A protocol class within `bounds`, as uvicorn wants one."""
    return type("Protocol", (BoundedProtocol,), {"bounds": bounds})
