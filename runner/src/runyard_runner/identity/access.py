"""Who may call: a key in `X-API-Key`, or an ID token that Google signed, or only this machine.

Either of the two is enough where both are set. Where neither is, only a caller on this machine is
answered, unless `ALLOW_UNAUTHENTICATED=true` says that somebody else keeps the door.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from runyard_runner.faults import Forbidden, Unauthenticated
from runyard_runner.rules.addresses import is_loopback

#: Gives the e-mail (or subject) of a token that holds. Raises Unauthenticated or Forbidden.
Verify = Callable[[str], Awaitable[str]]

_HINTS = {
    (True, False): "Send the key in the header X-API-Key.",
    (False, True): "Send an ID token that Google signed: Authorization: Bearer TOKEN.",
    (True, True): "Send the key in X-API-Key, or an ID token: Authorization: Bearer TOKEN.",
}


@dataclass(frozen=True, slots=True)
class Access:
    """Decides who a caller is, and whether they may call."""

    api_key: str
    verify: Verify | None
    allow_unauthenticated: bool

    async def caller(self, api_key: str | None, authorization: str | None, peer: str) -> str:
        """The name of the caller. Raises Unauthenticated or Forbidden."""
        if not self.api_key and self.verify is None:
            return self._unproved(peer)
        if api_key is not None and self.api_key:
            # compared in constant time, whatever its length
            if hmac.compare_digest(api_key.encode(), self.api_key.encode()):
                return "api-key"
            raise Unauthenticated("The key in X-API-Key is not the one that is set.")
        scheme, _, token = (authorization or "").partition(" ")
        if token and scheme.lower() == "bearer" and self.verify is not None:
            return await self.verify(token.strip())
        hint = _HINTS[bool(self.api_key), self.verify is not None]
        raise Unauthenticated("The request does not say who it is from.", hint=hint)

    def _unproved(self, peer: str) -> str:
        if self.allow_unauthenticated or is_loopback(peer):
            return "anonymous"
        raise Forbidden(
            "Nobody is known here, so only this machine is answered.",
            hint="Set API_KEY or OIDC_AUDIENCE; or ALLOW_UNAUTHENTICATED=true, where Cloud Run "
            "itself lets nobody in without a token.",
        )
