"""The two ends of a measured service: targets that answer at once or late, and callers in a loop.

Both are bare protocols on uvloop, so that what they cost does not hide what is measured.
`python -m benchmarks._wire MILLISECONDS` serves a target on a free port, which it prints, until its
standard input ends.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import cast

import uvloop

_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n"
    b'{"status":"ok"}'
)


class _Target(asyncio.Protocol):
    """Answers each request, whatever it is, `delay_seconds` after it came."""

    def __init__(self, delay_seconds: float) -> None:
        self._delay_seconds = delay_seconds
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (length := _length(self._buffer)) is not None:
            self._buffer = self._buffer[length:]
            if self._delay_seconds:
                asyncio.get_running_loop().call_later(self._delay_seconds, self._answer)
            else:
                self._transport.write(_ANSWER)

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_ANSWER)


def _length(buffer: bytes) -> int | None:
    """How long the first message in `buffer` is; `None` when it has not all come."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = buffer[:end].lower()
    at = head.find(b"content-length:")
    body = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    length = end + 4 + body
    return length if len(buffer) >= length else None


async def serve(delay_seconds: float) -> None:
    """A target on a free port, which is printed, until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Target(delay_seconds), "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


@dataclass(slots=True)
class Load:
    """What callers saw: how many answers, how long each took, and how long it all went on."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    refused: bytes = b""  #: an answer that was no 200

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds


class _Caller(asyncio.Protocol):
    """Sends the same request again and again, each after the answer to the one before."""

    def __init__(self, request: bytes, until: float, load: Load, done: Callable[[], None]) -> None:
        self._request, self._until, self._load, self._done = request, until, load, done
        self._chunks: deque[bytes] = deque()
        self._missing = 0
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._chunks.append(data)
        self._missing -= len(data)
        if self._missing > 0:
            return
        buffer = b"".join(self._chunks)
        length = _length(buffer)
        if length is None:
            self._chunks = deque([buffer])
            self._missing = _missing(buffer)
            return
        if not buffer.startswith(b"HTTP/1.1 200"):
            self._load.refused = buffer[:1000]
            self._transport.close()
            return
        now = perf_counter()
        self._load.latencies.append(now - self._sent_at)
        if now < self._until:
            self._send()
        else:
            self._transport.close()

    def _send(self) -> None:
        self._chunks.clear()
        self._missing = 0
        self._sent_at = perf_counter()
        self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        self._done()


def _missing(buffer: bytes) -> int:
    """How many bytes are surely still to come."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return 1
    head = buffer[:end].lower()
    at = head.find(b"content-length:")
    return end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0]) - len(buffer)


def post(path: str, body: bytes, headers: str = "") -> bytes:
    """A POST of JSON, as it goes over the wire."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{headers}"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def call(port: int, request: bytes, callers: int, seconds: float) -> Load:
    """`callers` in a loop for `seconds`; each ends with the answer that it then waits for."""
    return uvloop.run(_call(port, request, callers, seconds))


async def _call(port: int, request: bytes, callers: int, seconds: float) -> Load:
    loop = asyncio.get_running_loop()
    load, ended = Load(), asyncio.Event()
    left = callers

    def done() -> None:
        nonlocal left
        left -= 1
        if not left:
            ended.set()

    began = perf_counter()
    for _ in range(callers):
        await loop.create_connection(
            lambda: _Caller(request, began + seconds, load, done), "127.0.0.1", port
        )
    await ended.wait()
    load.seconds = perf_counter() - began
    if load.refused or len(load.latencies) < callers:
        raise RuntimeError(f"a caller was not answered: {load.refused!r}")
    return load


if __name__ == "__main__":
    uvloop.run(serve(float(sys.argv[1]) / 1000))
