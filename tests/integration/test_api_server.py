"""The server itself: on the socket it is given, and gone soon after it is told to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from http.client import HTTPConnection
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from runyard.api.server import HttpServer
from runyard.api.streams import Streams
from runyard.database.signals import Listener
from tests.support.api_server import serving

STOPPED_SECONDS = 5.0  #: a server without a request under way is gone long before


class Slow:
    """An app whose answer waits until it is let go."""

    def __init__(self) -> None:
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        self.asked.set()
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


def run(scene: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await scene()

    asyncio.run(bounded())


def fetched(server: HttpServer) -> bytes:
    """What a client is answered."""
    connection = HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read()
    finally:
        connection.close()


def test_a_request_under_way_is_finished_and_no_new_one_begun() -> None:
    async def scene() -> None:
        app, listening = Slow(), socket.create_server(("127.0.0.1", 0))
        streams, closing = Streams(), Listener()
        server = HttpServer(app, listening, streams, grace_seconds=10)
        serving_it = asyncio.create_task(server.run())
        answer = asyncio.create_task(asyncio.to_thread(fetched, server))
        await app.asked.wait()
        with streams.opened(closing):
            server.stop()
            await closing.wait()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.to_thread(fetched, server)
        app.go.set()
        assert await answer == b"done"
        await serving_it

    run(scene)


def test_a_request_that_never_ends_is_cut_off_after_the_grace() -> None:
    async def scene() -> None:
        app, listening = Slow(), socket.create_server(("127.0.0.1", 0))
        server = HttpServer(app, listening, Streams(), grace_seconds=0)
        serving_it = asyncio.create_task(server.run())
        answer = asyncio.create_task(asyncio.to_thread(fetched, server))
        await app.asked.wait()
        server.stop()
        await serving_it
        answer.cancel()

    run(scene)


def test_it_says_when_it_is_ready_and_where() -> None:
    async def scene() -> None:
        app, listening = Slow(), socket.create_server(("127.0.0.1", 0))
        app.go.set()
        server, ready = HttpServer(app, listening, Streams(), grace_seconds=1), asyncio.Event()
        assert server.url == f"http://127.0.0.1:{listening.getsockname()[1]}"
        serving_it = asyncio.create_task(server.run(ready.set))
        await ready.wait()
        assert await asyncio.to_thread(fetched, server) == b"done"
        server.stop()
        server.stop()
        await serving_it

    run(scene)


def test_an_answer_waits_for_no_acknowledgement() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        HttpServer(Slow(), listening, Streams(), grace_seconds=1)
        with socket.create_connection(listening.getsockname()):
            connection, _ = listening.accept()
            with connection:
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_address_of_version_6_stands_in_brackets() -> None:
    try:
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with listening:
        server = HttpServer(Slow(), listening, Streams(), grace_seconds=1)
        assert server.url == f"http://[::1]:{listening.getsockname()[1]}"


def test_a_server_with_idle_connections_and_streams_stops_soon(tmp_path: Path) -> None:
    with serving(tmp_path) as started:
        started.apply()
        run_id = started.run()
        idle, followed = started.connect(), started.connect()
        headers = {"Authorization": f"Bearer {started.token}"}
        idle.request("GET", "/health")
        assert idle.getresponse().read() == b'{"status":"ok"}'
        followed.request("GET", f"/api/v1/runs/{run_id}/events", headers=headers)
        reply = followed.getresponse()
        assert reply.readline() == b"retry: 1000\n"
        begun = started.loop.time()
        started.server.stop()
        reply.read()
        assert started.loop.time() - begun < STOPPED_SECONDS


def test_streams_that_open_while_the_server_stops_end_at_once() -> None:
    streams = Streams()
    listener = Listener()
    with streams.opened(listener):
        assert len(streams) == 1
        streams.close()
        assert asyncio.run(listener.wait(0))
    assert len(streams) == 0
    assert streams.is_closing
