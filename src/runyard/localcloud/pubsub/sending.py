"""Sends requests to push endpoints: HTTP/1.1, a connection for each, no redirects, no proxies.

Nothing but the status of an answer is read. A request can be given up at any moment, so that nobody
waits for an endpoint when a server stops.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

from runyard.localcloud.pubsub.push_requests import PushRequest

SENT_MAX = 16  #: requests at once, to whichever endpoints: each is an open file
USER_AGENT = "runyard-pubsub"
_CONTINUE = 100

#: Sends a request; the status of the answer. Raises OSError when there is none.
Send = Callable[[PushRequest], Awaitable[int]]


class Sender:
    """`Send` over HTTP. Made and used in one event loop."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(SENT_MAX)

    async def __call__(self, request: PushRequest) -> int:
        """See `Send`."""
        async with self._room:
            try:
                async with asyncio.timeout(request.timeout_seconds):
                    return await _post(request)
            except TimeoutError:
                words = f"no answer within {request.timeout_seconds:.0f} s"
                raise OSError(words) from None


async def _post(request: PushRequest) -> int:
    parts = urlsplit(request.url)
    secure = ssl.create_default_context() if parts.scheme == "https" else None
    port = parts.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure)
    try:
        writer.write(_head(parts, request) + request.body)
        await writer.drain()
        while (status := await _status(reader)) == _CONTINUE:
            await _skip_head(reader)
        return status
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _head(parts: SplitResult, request: PushRequest) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc}", f"User-Agent: {USER_AGENT}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    lines += [f"Content-Length: {len(request.body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")


async def _status(reader: asyncio.StreamReader) -> int:
    """The status of the next head. Raises OSError when there is none."""
    line = await _line(reader)
    version, _, rest = line.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise OSError("what answered does not speak HTTP")
    return int(rest[:3])


async def _skip_head(reader: asyncio.StreamReader) -> None:
    while (await _line(reader)).strip():
        pass


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError:
        raise OSError("the connection was closed without an answer") from None
    except asyncio.LimitOverrunError:
        raise OSError("what answered does not speak HTTP") from None
