"""Somebody who is told: a program that takes what a webhook channel sends, and believes none that
is not signed (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
"""

from __future__ import annotations

import base64
import json
import queue
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from runyard.cli.surroundings import now
from runyard.flow.webhook.proving import doubt
from runyard.model.trigger.senders import StandardSender

Document = dict[str, Any]
KEY_BYTES = 32
_BODY_BYTES_MAX = 1 << 16
KEY_NAME = "receiver-key"  #: of the secret that holds its key
_SENDER = StandardSender(kind="standard", secret=KEY_NAME)


@dataclass(frozen=True, slots=True)
class Receiver:
    """Listens at `url`. `key` is what it wants its messages signed with."""

    url: str
    key: str
    heard: queue.Queue[Document]

    def next(self, seconds: float) -> Document | None:
        """The next message, once there is one; None when none comes for so long."""
        try:
            return self.heard.get(timeout=seconds)
        except queue.Empty:
            return None


@contextmanager
def listening() -> Iterator[Receiver]:
    """A receiver on a port of its own, on this machine alone."""
    key = "whsec_" + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    heard: queue.Queue[Document] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length", 0)), _BODY_BYTES_MAX)
            content = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            taken = not doubt(_SENDER, [key.encode()], headers, content, now())
            self.send_response(204 if taken else 401)
            self.end_headers()
            if taken:
                heard.put(json.loads(content))

        def log_message(self, *words: Any) -> None:
            """Nothing: what it hears is told where it belongs."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield Receiver(f"http://127.0.0.1:{server.server_port}/", key, heard)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
