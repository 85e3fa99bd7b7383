"""What a connection is given: a time in which a request comes, and a place among others."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvloop
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from runyard.api.protocol import Bounds
from runyard.api.server import HttpServer
from runyard.api.streams import Streams

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(f"{len(body)} bytes")(scope, receive, send)


@contextmanager
def _serving(bounds: Bounds) -> Iterator[socket.socket]:
    """Gives the listening socket of a server that counts bytes, within `bounds`."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = HttpServer(_echo, listening, Streams(), grace_seconds=1, bounds=bounds)
    ready = threading.Event()

    def serve() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.run(ready.set))

    thread = threading.Thread(target=serve)
    thread.start()
    assert ready.wait(30)
    try:
        yield listening
    finally:
        server.stop()
        thread.join(30)


def _connect(listening: socket.socket, content: bytes = b"") -> socket.socket:
    connection = socket.create_connection(listening.getsockname(), timeout=30)
    connection.sendall(content)
    return connection


def _answer(connection: socket.socket) -> bytes:
    """What comes until an answer is whole, or the connection ends."""
    content = b""
    while b"bytes" not in content and (part := connection.recv(65536)):
        content += part
    return content


def _error(content: bytes) -> Any:
    return json.loads(content.partition(b"\r\n\r\n")[2])["error"]


def test_a_request_that_does_not_come_is_not_waited_for() -> None:
    with _serving(Bounds(request_seconds_max=0.2)) as listening:
        for half in (b"", b"G", GET[:-2]):
            with _connect(listening, half) as connection:
                assert _error(_answer(connection))["status"] == "DEADLINE_EXCEEDED"
        half_a_body = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"
        with _connect(listening, half_a_body) as connection, suppress(ConnectionResetError):
            assert _answer(connection) == b""


def test_a_connection_that_is_kept_is_waited_for_longer() -> None:
    with _serving(Bounds(request_seconds_max=0.2)) as listening, _connect(listening) as connection:
        for _ in range(3):
            connection.sendall(GET)
            assert b"0 bytes" in _answer(connection)
            threading.Event().wait(0.3)  # longer than a request may take, and idle
        connection.sendall(GET[:10])
        assert _error(_answer(connection))["code"] == 408


def test_one_connection_too_many_is_told_so_and_others_are_served() -> None:
    with _serving(Bounds(connections_max=2)) as listening:
        first, second = _connect(listening, GET), _connect(listening, GET)
        assert b"0 bytes" in _answer(first)
        assert b"0 bytes" in _answer(second)
        with _connect(listening) as third:
            assert _error(_answer(third))["status"] == "UNAVAILABLE"
        first.sendall(GET)
        assert b"0 bytes" in _answer(first)
        first.close()
        second.sendall(GET)
        assert b"0 bytes" in _answer(second)
        with _connect(listening, GET) as fourth:
            assert b"0 bytes" in _answer(fourth)
        second.close()


def test_a_head_is_bounded_and_a_body_is_not_counted_to_it() -> None:
    with _serving(Bounds(head_bytes_max=1000)) as listening:
        with _connect(listening, b"GET / HTTP/1.1\r\nX: " + b"x" * 2000) as connection:
            assert _error(_answer(connection))["code"] == 431
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\n"
        with _connect(listening, (head + b"x" * 50_000) * 2 + GET) as connection:
            whole = _answer(connection)
            while whole.count(b"bytes") < 3:
                whole += connection.recv(65536)
            assert whole.count(b"50000 bytes") == 2
