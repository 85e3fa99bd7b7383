"""An HTTP server that answers as it is told and remembers what it was asked: for what Google's
real library sends, and for what it makes of answers. It is a fake, and knows nothing of jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any


@dataclass
class Answers:
    """`replies` are given one after the other, as (status, body); None: no answer before `go`."""

    url: str = ""
    replies: list[tuple[int, Any] | None] = field(default_factory=list)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    go: Event = field(default_factory=Event)


@contextmanager
def answering() -> Iterator[Answers]:
    """A server on this machine, for as long as the block lasts."""
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        """Answers by the script."""

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            answers.asked.append((self.command, self.path, body))
            answers.headers.append(dict(self.headers))
            reply = answers.replies.pop(0)
            if reply is None:
                answers.go.wait(30)
                return
            status, document = reply
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815  # what the library calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    answers.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield answers
    finally:
        answers.go.set()
        server.shutdown()
        server.server_close()
        thread.join()
