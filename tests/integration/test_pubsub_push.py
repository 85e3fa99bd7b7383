"""Requests to push endpoints over real sockets: what arrives, and what no answer means."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from runyard.localcloud.pubsub.push_requests import PushRequest
from runyard.localcloud.pubsub.sending import Sender


def post(answer: bytes, *, timeout_seconds: float = 10.0) -> tuple[int, bytes]:
    """Send a request to an endpoint that says `answer`; the status, and what had arrived."""
    arrived, ended = bytearray(), asyncio.Event()

    async def endpoint(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        arrived.extend(head + await reader.readexactly(length))
        writer.write(answer)
        with suppress(OSError):  # who has heard enough goes away
            await writer.drain()
            if not answer:
                await reader.read()
            writer.close()
            await writer.wait_closed()
        ended.set()

    async def main() -> int:
        server = await asyncio.start_server(endpoint, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        headers = {"Content-Type": "text/plain", "kind": "order"}
        url = f"http://127.0.0.1:{port}/push?token=x"
        try:
            return await Sender()(PushRequest(url, headers, b"body", timeout_seconds))
        finally:
            await ended.wait()
            server.close()

    return asyncio.run(main()), bytes(arrived)


def test_a_request_arrives_as_it_was_meant() -> None:
    status, arrived = post(b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n")
    assert status == 204
    lines = arrived.decode().split("\r\n")
    assert lines[0] == "POST /push?token=x HTTP/1.1"
    assert lines[1].startswith("Host: 127.0.0.1:")
    assert {"Content-Type: text/plain", "kind: order", "Connection: close"} <= set(lines)
    assert lines[-1] == "body"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 102 Processing\r\n\r\n", 102),
        (b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 200),
        (b"HTTP/1.0 301 Moved\r\nLocation: http://elsewhere/\r\n\r\n", 301),
        (b"HTTP/1.1 503\r\n\r\n", 503),
    ],
)
def test_an_answer_is_its_first_status_that_says_something(answer: bytes, status: int) -> None:
    assert post(answer)[0] == status


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n", b"x" * 2**17, b"HTTP/1.1 "]
)
def test_what_is_no_answer_is_an_error(answer: bytes) -> None:
    with pytest.raises(OSError, match=r"does not speak HTTP|closed without an answer|reset"):
        post(answer)


def test_who_does_not_answer_is_not_waited_for() -> None:
    with pytest.raises(OSError, match="no answer within 0 s"):
        post(b"", timeout_seconds=0.2)


def test_where_nobody_listens_is_an_error() -> None:
    async def main() -> None:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        await Sender()(PushRequest(f"http://127.0.0.1:{port}", {}, b"", 5))

    with pytest.raises(OSError, match=r"[Cc]onnect"):
        asyncio.run(main())
