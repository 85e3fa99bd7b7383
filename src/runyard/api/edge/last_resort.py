"""An exception nobody expected: the log gets all of it, the caller an id to find it by."""

from __future__ import annotations

import logging
import os

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runyard.api.answers import answer
from runyard.api.errors import error_document
from runyard.model.errors import Code

LOGGER = logging.getLogger("runyard.api")


class LastResort:
    """Answers 500 in the one shape, or breaks the connection when an answer has begun."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            if scope["type"] != "http":
                raise
            identity = f"error_{os.urandom(8).hex()}"
            LOGGER.exception("%s: %s %s failed", identity, scope["method"], scope["path"])
            if begun:
                return  # the server sees that the answer is not whole and drops the connection
            message = f"this should not have happened; the server's log tells more ({identity})"
            body = error_document(500, Code.INTERNAL, message)
            await answer(body, 500)(scope, receive, send)
