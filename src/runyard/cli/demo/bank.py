"""A bank that is away until it is opened: its port refuses every connection before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *words: Any) -> None:
        """Nothing: its callers tell what they heard."""


@dataclass(slots=True)
class Bank:
    """Has a port of this machine, and answers there once it is open."""

    server: ThreadingHTTPServer
    thread: Thread | None = None

    @property
    def port(self) -> int:
        """Its port."""
        return self.server.server_port

    def open(self) -> None:
        """From now on it answers. Asking twice does no harm."""
        if self.thread is None:
            self.server.server_activate()
            serve = self.server.serve_forever
            self.thread = Thread(target=serve, kwargs={"poll_interval": 0.05}, daemon=True)
            self.thread.start()


@contextmanager
def away() -> Iterator[Bank]:
    """A bank that is not open yet."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler, bind_and_activate=False)
    try:
        server.server_bind()
        bank = Bank(server)
        yield bank
        if bank.thread is not None:
            server.shutdown()
            bank.thread.join()
    finally:
        server.server_close()
