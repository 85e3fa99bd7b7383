"""HTTP to a Runyard server: the standard library's client, one kept connection.

`requests` and `httpx` would add 60 to 80 ms to the start of every command.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from runyard import __version__
from runyard.cli import remote_errors, sse
from runyard.model.errors import ServerUnavailable

TIMEOUT_SECONDS = 30.0
#: The server sends a comment every 15 s (REST contract); three missed ones mean it is gone.
STREAM_TIMEOUT_SECONDS = 45.0
_START_IT = "start it with `runyard up`"
_LOOK_AT_IT = "it is there and does not answer in time: see server.log in its state folder"

Query = Mapping[str, str | int | Sequence[str] | None]


@dataclass(slots=True)
class Client:
    """Speaks to one server. Not for several threads at once."""

    url: str
    token: str
    timeout_seconds: float = TIMEOUT_SECONDS
    _kept: HTTPConnection | None = field(default=None, repr=False)

    def get(self, path: str, query: Query | None = None) -> Any:
        """The JSON document at `path` (below /api/v1); raises what the server's error says."""
        return self._call("GET", path, query, None, again=True)

    def post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        query: Query | None = None,
        again: bool = False,
    ) -> Any:
        """The answer to a JSON `body`. `again`: the call may be repeated, its effect is the same,
        so a connection that breaks in the middle of it is no error yet."""
        return self._call("POST", path, query, json.dumps(body).encode(), again=again)

    def download(self, path: str) -> bytes:
        """The file at `path`; raises what the server's error says."""
        try:
            reply, content = self._exchange("GET", self._target(path, {}), None)
        except (OSError, HTTPException) as error:
            self.close()
            raise self._unavailable(error) from error
        if reply.status >= 400:
            raise remote_errors.from_reply(reply.status, _document(content))
        return content

    def delete(self, path: str, query: Query | None = None) -> Any:
        """What was at `path` and is no more."""
        return self._call("DELETE", path, query, None, again=False)

    def close(self) -> None:
        """Gives the connection back."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def stream(self, path: str, query: Query, last_id: str = "") -> Iterator[sse.Event]:
        """Server-sent events after `last_id` until the server closes the stream.

        Raises `ServerUnavailable` when the connection cannot be made or breaks.
        """
        connection = self._connect(STREAM_TIMEOUT_SECONDS)
        headers = self._headers() | {"Accept": "text/event-stream"}
        if last_id:
            headers["Last-Event-ID"] = last_id
        try:
            connection.request("GET", self._target(path, query), headers=headers)
            reply = connection.getresponse()
            if reply.status != 200:
                raise remote_errors.from_reply(reply.status, _document(reply.read()))
            yield from sse.read(reply)
        except (OSError, HTTPException) as error:
            raise self._unavailable(error) from error
        finally:
            connection.close()

    def _call(
        self, method: str, path: str, query: Query | None, body: bytes | None, *, again: bool
    ) -> Any:
        kept = self._kept is not None
        try:
            reply, content = self._exchange(method, self._target(path, query or {}), body)
        except (OSError, HTTPException) as error:
            self.close()
            # A kept connection that the server has closed meanwhile fails at once: no news.
            if not (again and (kept or isinstance(error, ConnectionResetError))):
                raise self._unavailable(error) from error
            return self._call(method, path, query, body, again=False)
        if reply.status >= 400:
            raise remote_errors.from_reply(reply.status, _document(content))
        document = _document(content)
        if document is None:
            raise remote_errors.from_reply(reply.status, None)
        return document

    def _exchange(self, method: str, target: str, body: bytes | None) -> tuple[HTTPResponse, bytes]:
        connection = self._kept = self._kept or self._connect(self.timeout_seconds)
        connection.request(method, target, body, self._headers())
        reply = connection.getresponse()
        return reply, reply.read()

    def _connect(self, timeout_seconds: float) -> HTTPConnection:
        parts = urlsplit(self.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=timeout_seconds)
        try:
            connection.connect()
        except OSError as error:
            raise self._unavailable(error) from error
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "User-Agent": f"runyard-cli/{__version__}",
        }

    def _target(self, path: str, query: Query) -> str:
        given = {name: value for name, value in query.items() if value not in (None, "")}
        prefix = urlsplit(self.url).path.rstrip("/")
        question = f"?{urlencode(given, doseq=True)}" if given else ""
        return f"{prefix}/api/v1{path}{question}"

    def _unavailable(self, error: Exception) -> ServerUnavailable:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        hint = _LOOK_AT_IT if isinstance(error, TimeoutError) else _START_IT
        return ServerUnavailable(
            f"no answer from {self.url}: {why or type(error).__name__}", hint=hint
        )


def not_running(why: str) -> ServerUnavailable:
    """The error of a command that needs a server when there is none."""
    return ServerUnavailable(why, hint=_START_IT)


def segment(name: str) -> str:
    """`name` as one segment of a path."""
    return quote(name, safe="")


def _document(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
