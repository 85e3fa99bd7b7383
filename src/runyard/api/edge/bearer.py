"""A token is asked for below /api/v1 and at /metrics; who shows it stands in the request's state.

Who shows many wrong ones is told to come back later, and is not looked up any further; a good
token gets in all the same, so that nobody is locked out by somebody else at the same address.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from runyard.api.errors import error_answer
from runyard.api.sign_in import HINT
from runyard.model.audit import Origin
from runyard.model.errors import PlatformError, QuotaExceeded, Unauthenticated
from runyard.model.principal import Caller

FAILURES_AT_ONCE = 60  #: wrong tokens of one address before it is held up
FAILURES_PER_SECOND = 1.0  #: and how fast they are forgotten
ADDRESSES_MAX = 10_000  #: remembered; the one that failed longest ago is forgotten first
_USER_AGENT_MAX = 200


class Asked(Protocol):
    """What is needed of `sign_in.SignIn`."""

    def is_costly(self, text: str) -> bool:
        """True when finding out whose `text` is costs more than a look."""

    async def caller(self, text: str, origin: Origin) -> Caller:
        """Who shows the token `text`. Raises Unauthenticated."""


class Failures:
    """How many wrong tokens each address has shown lately."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def is_held_up(self, address: str) -> bool:
        """True when `address` has shown too many."""
        return self._level(address) >= FAILURES_AT_ONCE

    def note(self, address: str) -> None:
        """One more."""
        self._known[address] = (
            min(self._level(address) + 1, FAILURES_AT_ONCE),
            self._clock().timestamp(),
        )
        self._known.move_to_end(address)
        if len(self._known) > ADDRESSES_MAX:
            self._known.popitem(last=False)

    def _level(self, address: str) -> float:
        count, at = self._known.get(address, (0.0, 0.0))
        forgotten = (self._clock().timestamp() - at) * FAILURES_PER_SECOND
        return max(0.0, count - forgotten)


class Bearer:
    """Refuses what needs a token and has none that is good."""

    def __init__(self, app: ASGIApp, sign_in: Asked, clock: Callable[[], datetime]) -> None:
        self._app = app
        self._sign_in = sign_in
        self._failures = Failures(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or not _needs_token(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            token, origin = _token(scope), _origin(scope)
            caller = await self._caller(token, origin)
        except PlatformError as error:
            await error_answer(error)(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["caller"] = caller
        state["recheck"] = partial(self._sign_in.caller, token, origin)
        await self._app(scope, receive, send)

    async def _caller(self, token: str, origin: Origin) -> Caller:
        held_up = self._failures.is_held_up(origin.address)
        try:
            if held_up and self._sign_in.is_costly(token):
                raise Unauthenticated("not looked at")
            return await self._sign_in.caller(token, origin)
        except Unauthenticated:
            self._failures.note(origin.address)
            if held_up:
                raise QuotaExceeded(
                    "too many wrong tokens came from your address",
                    hint="wait a minute, then try again with a good one",
                ) from None
            raise


def _token(scope: Scope) -> str:
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    if not given:
        raise Unauthenticated("a token is needed here", hint=HINT)
    scheme, _, token = given[0].decode("latin-1").partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer":
        raise Unauthenticated("only a bearer token is understood here", hint=HINT)
    return str(token.strip())


def _origin(scope: Scope) -> Origin:
    address = (scope.get("client") or ("", 0))[0]
    agents = [value for name, value in scope["headers"] if name == b"user-agent"]
    agent = agents[0].decode("latin-1")[:_USER_AGENT_MAX] if agents else ""
    return Origin(address, "".join(each for each in agent if each.isprintable()))


def _needs_token(path: str) -> bool:
    return path == "/metrics" or path == "/api" or path.startswith("/api/")
