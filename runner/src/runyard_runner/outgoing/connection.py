"""One connection: a request out, a response in, bounded in size and time.

It promises that `exchange` ends by its deadline, keeps at most the bytes it was allowed, and
leaves the connection either clean for the next request or closed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import cast

import httptools

from runyard_runner.outgoing.failures import CallFailed, Failure

#: More than any server sends; what is longer is an attack or a mistake.
HEAD_BYTES_MAX = 64 << 10
_NO_BODY = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response. The names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection(asyncio.Protocol):
    """A connection to one address. Used by one exchange at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Response] | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self._reset("GET", 0)
        self.idle_since = 0.0
        #: whether a byte of the current response has come
        self.answered = False

    # what asyncio tells us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.answered = True
        if self._parser is None or self._waiter is None:
            self.close()  # a server that talks unasked is not talked to again
            return
        if not self._in_body:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX + self._bytes_max:
                self._fail(Failure.TOO_LARGE, f"its headers are longer than {HEAD_BYTES_MAX} bytes")
                return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(Failure.PROTOCOL, f"it does not speak HTTP/1.1: {error}")
        except httptools.HttpParserUpgrade:
            self._fail(Failure.PROTOCOL, "it wants to speak another protocol")

    def eof_received(self) -> bool:
        self._ended()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._ended()

    # what the parser tells us

    def on_message_begin(self) -> None:
        """A response begins; one that nobody asked for ends the connection."""
        if self._waiter is None or self._waiter.done():
            self._keep = False
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; those that come twice are joined, as HTTP allows."""
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        before = self._headers.get(key)
        self._headers[key] = text if before is None else f"{before}, {text}"
        self._head_bytes_of_response += len(name) + len(value) + 4
        if self._head_bytes_of_response > HEAD_BYTES_MAX:
            self._fail(Failure.TOO_LARGE, f"its headers are longer than {HEAD_BYTES_MAX} bytes")

    def on_headers_complete(self) -> None:
        """All headers are there: what body is to come?"""
        parser = cast(httptools.HttpResponseParser, self._parser)
        self._status = parser.get_status_code()
        if self._status == 101:
            self._fail(Failure.PROTOCOL, "it wants to speak another protocol")
            return
        if self._status < 200:
            return
        self._in_body = True
        declared = self._headers.get("content-length", "")
        if self._method != "HEAD" and declared.isdigit() and int(declared) > self._bytes_max:
            self._too_large()
        elif self._method == "HEAD":
            self._keep = False  # the parser waits for a body that never comes
            self._complete()
        elif not declared and "transfer-encoding" not in self._headers:
            self._until_end = self._status not in _NO_BODY

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._size += len(body)
        if self._size > self._bytes_max:
            self._too_large()
        else:
            self._pieces.append(body)

    def on_message_complete(self) -> None:
        """The end of a response, or of one that only announces another."""
        if self._status < 200:
            self._in_body = False
            self._headers.clear()
            return
        parser = cast(httptools.HttpResponseParser, self._parser)
        self._keep = self._keep and parser.should_keep_alive()
        self._complete()

    # what the client asks for

    @property
    def is_open(self) -> bool:
        """Whether another request may be sent."""
        return self._transport is not None and not self._transport.is_closing()

    async def exchange(
        self, request: bytes, method: str, bytes_max: int, deadline: float
    ) -> Response:
        """Send `request`, and give the response. Raises CallFailed."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise CallFailed(Failure.CLOSED, "the connection was closed before the request")
        self._reset(method, bytes_max)
        self._parser = httptools.HttpResponseParser(self)
        waiter: asyncio.Future[Response] = self._loop.create_future()
        self._waiter = waiter
        timer = self._loop.call_at(deadline, self._expired)
        transport.write(request)
        try:
            return await waiter
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            timer.cancel()
            self._waiter = None
            if not self._keep:
                self.close()

    def close(self) -> None:
        """Close at once; nothing more is sent or read."""
        if self._transport is not None:
            self._transport.abort()

    def _reset(self, method: str, bytes_max: int) -> None:
        self._method, self._bytes_max = method, bytes_max
        self._status = 0
        self._headers = {}
        self._pieces = []
        self._size = self._head_bytes = self._head_bytes_of_response = 0
        self._in_body = self._until_end = self.answered = False
        self._keep = True

    def _complete(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            pieces = self._pieces
            body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            self._waiter.set_result(Response(self._status, self._headers, body))
            self._headers = {}

    def _ended(self) -> None:
        if self._until_end and self._in_body:
            self._keep = False
            self._complete()
        elif not self.answered:
            self._fail(Failure.CLOSED, "it closed the connection without an answer")
        else:
            self._fail(Failure.PROTOCOL, "it closed the connection in the middle of its answer")

    def _expired(self) -> None:
        where = "in the middle of its answer" if self.answered else "without an answer"
        self._fail(Failure.TIMEOUT, f"its time was up {where}")

    def _too_large(self) -> None:
        self._fail(
            Failure.TOO_LARGE,
            f"its response is larger than {self._bytes_max} bytes (RESPONSE_BYTES_MAX)",
        )

    def _fail(self, failure: Failure, words: str) -> None:
        self._keep = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(CallFailed(failure, words, self._status))
        self.close()
