"""DNS rebinding: a page elsewhere whose name was pointed at this machine gets no answer.

https://en.wikipedia.org/wiki/DNS_rebinding. A server that listens on loopback is reached by a
few known names only; a request for any other name is not from one of its users.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from runyard.api.errors import error_answer
from runyard.model.errors import PermissionDenied

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def known_hosts(host: str, public_url: str = "") -> frozenset[str] | None:
    """The names a server that listens on `host` has; None when it is open to a network, where
    names are not ours to know."""
    if not _is_loopback(host):
        return None
    public = urlsplit(public_url).hostname if public_url else None
    return LOOPBACK_NAMES | {host.strip("[]").lower()} | ({public} if public else set())


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class HostCheck:
    """Refuses requests for a name that is not in `hosts` (None: none is refused)."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or self._hosts is None or _name(scope) in self._hosts:
            await self._app(scope, receive, send)
            return
        error = PermissionDenied(
            "this server does not answer to the name in the request's Host header",
            hint="reach it by localhost or 127.0.0.1, or set public_url to the name it has",
        )
        await error_answer(error)(scope, receive, send)


def _name(scope: Scope) -> str:
    given = [value for name, value in scope["headers"] if name == b"host"]
    if len(given) != 1:
        return ""
    try:
        return urlsplit(f"//{given[0].decode('latin-1')}").hostname or ""
    except ValueError:  # such as "[::1"
        return ""
