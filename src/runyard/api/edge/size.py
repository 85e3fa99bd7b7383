"""A body over the limit is refused: at once when it says its length, else when it gets there."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runyard.api.errors import error_answer
from runyard.model.errors import Fault, InvalidSpec

DRAINED_BYTES_MAX = 128 * 1024 * 1024
"""Of a refused body so much is read and dropped: who is still sending reads no answer, and gets a
broken connection in place of one if it is closed on him."""


_DIGITS_MAX = 18  #: of a length; a longer one is far beyond any limit, cut off or not


class _TooMuch(Exception):
    """Carries out of the handler, whatever it is doing, that the body is over the limit."""


class BodyLimit:
    """Lets at most `bytes_max` bytes of a body in."""

    def __init__(self, app: ASGIApp, bytes_max: int) -> None:
        self._app = app
        self._bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _announced(scope) > self._bytes_max:
            await self._refuse(scope, receive, send)
            return
        got = 0

        async def receiving() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > self._bytes_max:
                raise _TooMuch
            return message

        try:
            await self._app(scope, receiving, send)
        except _TooMuch:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _waits_for_go_ahead(scope):
            await _drain(receive)
        expected = f"at most {self._bytes_max} bytes"
        fault = Fault("body", "", expected, "split it, or raise the setting")
        hint = "the setting request_bytes_max is the limit"
        error = InvalidSpec("the request is too large", hint=hint, faults=(fault,))
        response = error_answer(error, 413)
        response.headers["Connection"] = "close"
        await response(scope, receive, send)


def _announced(scope: Scope) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return max((int(value[:_DIGITS_MAX]) for value in lengths if value.isdigit()), default=0)


def _waits_for_go_ahead(scope: Scope) -> bool:
    return any(name == b"expect" for name, _ in scope["headers"])


async def _drain(receive: Receive) -> None:
    dropped = 0
    while dropped < DRAINED_BYTES_MAX:
        message = await receive()
        dropped += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return
