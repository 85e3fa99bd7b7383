"""An exception nobody expected: the log gets all of it, the caller an id to find it by.

A client that went away is none, nor is a process that has no file descriptor left.
"""

from __future__ import annotations

import errno
import logging
import os

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runyard.api.answers import answer
from runyard.api.errors import error_answer, error_document
from runyard.model.errors import Code, ServerUnavailable

LOGGER = logging.getLogger("runyard.api")
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)
_EXHAUSTED = ServerUnavailable(
    "the server has as many files and connections open as it may",
    hint="close some, or start it with a higher limit (`ulimit -n 4096`)",
)


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
        except ClientDisconnect:
            return
        except Exception as error:
            if scope["type"] != "http":
                raise
            response = _told(error, scope)
            if not begun:  # else the server sees a part of an answer, and drops the connection
                await response(scope, receive, send)


def _told(error: Exception, scope: Scope) -> Response:
    """The answer to `error`, which the log gets too."""
    if isinstance(error, OSError) and error.errno in _NO_DESCRIPTOR:
        LOGGER.error("%s: %s", _EXHAUSTED.message, _EXHAUSTED.hint)
        return error_answer(_EXHAUSTED)
    identity = f"error_{os.urandom(8).hex()}"
    LOGGER.error("%s: %s %s failed", identity, scope["method"], scope["path"], exc_info=error)
    message = f"this should not have happened; the server's log tells more ({identity})"
    return answer(error_document(500, Code.INTERNAL, message), 500)
