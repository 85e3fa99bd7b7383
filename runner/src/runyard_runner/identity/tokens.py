"""ID tokens that Google signed: signature, issuer, audience, times, e-mail.

Loaded when the first token comes, because it brings the cryptography. Keys are fetched once and
kept as long as the answer says; a token signed with a key that is not known makes them be fetched
again, at most every few seconds, so that rotated keys are found and made-up ones cost nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from runyard_runner.faults import Forbidden, Unauthenticated, Unavailable

#: Fetches the key set: its bytes, and its Cache-Control header. Raises Unavailable.
Fetch = Callable[[], Awaitable[tuple[bytes, str]]]

_ALGORITHMS = ["RS256", "ES256"]
_LENGTH_MAX = 8192
_SKEW_SECONDS = 60
_KEPT_SECONDS = 3600.0
_AGAIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a token must say. `*` among `emails`: every account may call."""

    audiences: frozenset[str]
    issuers: frozenset[str]
    emails: frozenset[str]


class Keys:
    """The keys that tokens are signed with."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, Any] = {}
        self._fetched_at = float("-inf")
        self._fresh_until = float("-inf")
        self._lock = asyncio.Lock()

    async def key(self, key_id: str) -> Any:
        """The key with that id. Raises Unauthenticated, or Unavailable when none can be had."""
        if key_id in self._keys and self._clock() < self._fresh_until:
            return self._keys[key_id]
        async with self._lock:
            await self._renew(key_id)
        if key_id not in self._keys:
            raise Unauthenticated("The token is signed with a key that Google does not have.")
        return self._keys[key_id]

    async def _renew(self, key_id: str) -> None:
        now = self._clock()
        if now < self._fetched_at + _AGAIN_SECONDS:
            return  # somebody has just asked
        self._fetched_at = now
        try:
            content, cache = await self._fetch()
            found = KeySet.import_key_set(orjson.loads(content))
        except Unavailable:
            if key_id in self._keys:
                return  # Google is not to be had: an old key is still Google's
            raise
        except (JoseError, ValueError, KeyError, TypeError):
            raise Unavailable("Google's keys cannot be read.", hint="See OIDC_KEYS_URL.") from None
        self._keys = {str(each.kid): each for each in found.keys if each.kid}
        age = re.search(r"max-age=(\d{1,9})", cache)
        self._fresh_until = now + (float(age[1]) if age else _KEPT_SECONDS)


class Verifier:
    """Says whose token it is."""

    def __init__(self, keys: Keys, wanted: Wanted, clock: Callable[[], float]) -> None:
        self._keys = keys
        self._wanted = wanted
        self._clock = clock

    async def verify(self, token: str) -> str:
        """The e-mail of the account that `token` is for. Raises Unauthenticated or Forbidden."""
        if len(token) > _LENGTH_MAX:
            raise Unauthenticated("The token is longer than any that Google signs.")
        try:
            header = jws.extract_compact(token.encode()).headers()
            key = await self._keys.key(str(header.get("kid")))
            payload = jws.deserialize_compact(token, key, algorithms=_ALGORITHMS).payload
            claims = orjson.loads(payload)
        except (JoseError, ValueError):
            raise Unauthenticated(
                "The token cannot be read, or its signature does not hold."
            ) from None
        if not isinstance(claims, dict):
            raise Unauthenticated("The token holds no claims.")
        return self._judge(claims)

    def _judge(self, claims: dict[str, Any]) -> str:
        wanted, now = self._wanted, self._clock()
        if str(claims.get("iss")) not in wanted.issuers:
            raise Unauthenticated("The token was not issued by Google.")
        if not _is_within(claims, now):
            raise Unauthenticated("The token is not valid at this time.", hint="Ask for a new one.")
        if not wanted.audiences & _audiences(claims):
            raise Unauthenticated(
                "The token is for another audience.",
                hint="Ask for one whose audience is in OIDC_AUDIENCE.",
            )
        email = str(claims.get("email", ""))
        verified = claims.get("email_verified") is True
        known = verified and email.lower() in wanted.emails
        if not known and "*" not in wanted.emails:
            raise Forbidden(
                f"The account {email or 'without an e-mail'} may not call this service.",
                hint="Add it to OIDC_EMAILS.",
            )
        return email if email and verified else str(claims.get("sub", "unknown"))


def audiences(configured: tuple[str, ...]) -> frozenset[str]:
    """What a token's audience may be: each configured one, with or without `/execute`."""
    bare = {each.removesuffix("/").removesuffix("/execute") for each in configured}
    return frozenset(bare | {f"{each}/" for each in bare} | {f"{each}/execute" for each in bare})


def _audiences(claims: dict[str, Any]) -> set[str]:
    found = claims.get("aud")
    return {str(each) for each in found} if isinstance(found, list) else {str(found)}


def _is_within(claims: dict[str, Any], now: float) -> bool:
    begins_at = _number(claims.get("nbf", claims.get("iat", 0)))
    ends_at = _number(claims.get("exp"))
    if begins_at is None or ends_at is None:
        return False
    return begins_at - _SKEW_SECONDS <= now < ends_at + _SKEW_SECONDS


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None
