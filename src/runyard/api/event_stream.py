"""A response that goes on: server-sent events until the stream ends or the client goes away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runyard.model.errors import PlatformError

LOGGER = logging.getLogger("runyard.api")
RETRY = b"retry: 1000\n\n"  #: milliseconds after which a browser comes back


class EventStream(Response):
    """Sends what `chunks` yields. A client that goes away ends it at once, also between events."""

    media_type = "text/event-stream"

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        writing = asyncio.create_task(self._write(send), name="event-stream")
        leaving = asyncio.create_task(_disconnected(receive), name="event-stream-end")
        try:
            await asyncio.wait({writing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (writing, leaving):
                task.cancel()
            results = await asyncio.gather(writing, leaving, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _write(self, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": 200, "headers": self.raw_headers},
        )
        await send({"type": "http.response.body", "body": RETRY, "more_body": True})
        try:
            async for chunk in self._chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except PlatformError as error:  # who follows comes back, and is told the error if it stays
            LOGGER.warning("a stream of events broke off: %s", error.message)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
