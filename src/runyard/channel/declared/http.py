"""One POST over HTTP, for the channels that are met by it. No redirect is followed: what is sent
holds a secret, or is signed for exactly there."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message
from functools import cached_property
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from runyard.model.errors import ChannelError, ChannelRefused

TIMEOUT_SECONDS = 15.0
REPLY_BYTES_MAX = 4096  #: as much of an answer as words of an error need
AGAIN_SECONDS_MAX = 3600.0  #: the longest pause that a far side is given
AGENT = "runyard"
TOO_MANY = 429
_SENT = range(200, 300)
#: What may be mended over there, or by other settings here, and then goes: a wrong key or address,
#: a conflict, a time-out.
MENDABLE = frozenset({401, 403, 404, 405, 407, 408, 409, 410, 425, TOO_MANY})


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered: the status, how long to stay away (0: not said), the words."""

    status: int
    again_seconds: float
    text: str

    @property
    def is_sent(self) -> bool:
        """True when it was taken."""
        return self.status in _SENT


class Poster:
    """Posts, each in a thread of its own few: a far side that hangs holds up no other work."""

    def __init__(self, trust: Callable[[], ssl.SSLContext], threads: ThreadPoolExecutor) -> None:
        self._trust = trust
        self._threads = threads

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """The answer of `url`, whatever its status. Raises ChannelError when there is none; its
        words never hold the address, which may be a secret."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._post, url, body, headers)

    @cached_property
    def _opener(self) -> OpenerDirector:
        return build_opener(_NoRedirects, HTTPSHandler(context=self._trust()))

    def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        sent = {"Content-Type": "application/json", "User-Agent": AGENT, **headers}
        request = Request(url, body, sent, method="POST")  # noqa: S310  # its scheme was checked
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as reply:
                return Reply(reply.status, 0.0, _words(reply.read(REPLY_BYTES_MAX)))
        except HTTPError as error:
            with error:
                words = _words(error.read(REPLY_BYTES_MAX))
            return Reply(error.code, _again(error.headers), words)
        except (URLError, OSError, HTTPException, ValueError) as error:
            raise ChannelError(f"no answer: {_why(error)}") from None


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **more: Any) -> None:
        """None: a redirect is an error."""


def not_sent(reply: Reply, whose: str) -> ChannelError:
    """What an answer that is no success comes to: to be tried again, or never."""
    words = f"{whose} answered {reply.status}" + (f": {reply.text}" if reply.text else "")
    if reply.status in MENDABLE or reply.status >= 500 or reply.status < 400:
        return ChannelError(words, again_seconds=reply.again_seconds)
    return ChannelRefused(words)


def _again(headers: Message) -> float:
    """`Retry-After` in seconds; a date is taken for not said."""
    text = headers.get("Retry-After", "")
    return min(float(text), AGAIN_SECONDS_MAX) if text.isdecimal() and len(text) < 10 else 0.0


def _words(content: bytes) -> str:
    text = content.decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:200]


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate does not hold: {reason.verify_message}"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return type(reason).__name__
