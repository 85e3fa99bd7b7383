"""A token is asked for below /api/v1 and at /metrics; who has it stands in the request's state."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from runyard.api.errors import error_answer
from runyard.api.tokens import Tokens
from runyard.model.errors import Unauthenticated

_HINT = (
    "send the header `Authorization: Bearer TOKEN`; the token is in the file `token` of the "
    "server's state folder"
)


class Bearer:
    """Refuses what needs a token and has none that is known."""

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or not _needs_token(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            principal = self._principal(scope)
        except Unauthenticated as error:
            await error_answer(error)(scope, receive, send)
            return
        scope.setdefault("state", {})["principal"] = principal
        await self._app(scope, receive, send)

    def _principal(self, scope: Scope) -> str:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if not given:
            raise Unauthenticated("a token is needed here", hint=_HINT)
        scheme, _, token = given[0].decode("latin-1").partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer":
            raise Unauthenticated("only a bearer token is understood here", hint=_HINT)
        principal = self._tokens.principal(token.strip())
        if principal is None:
            raise Unauthenticated("this token is not known here", hint=_HINT)
        return principal


def _needs_token(path: str) -> bool:
    return path == "/metrics" or path == "/api" or path.startswith("/api/")
