"""ID tokens of OpenID Connect issuers: found to be genuine, for us, and of now.

The keys of an issuer are found by its discovery document and kept for an hour; a key that is not
among them has them looked up anew, at most once a minute. Only signatures by a private key are
believed: a token that says it is signed by a shared secret, or not at all, is refused.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, Protocol
from urllib.error import URLError
from urllib.request import HTTPRedirectHandler, build_opener

import orjson

from runyard.flow.federation import grants_of
from runyard.model.errors import ServerUnavailable, Unauthenticated
from runyard.model.federation import Rule
from runyard.model.principal import Grants, Identity

LOGGER = logging.getLogger("runyard.api")

KEY_TYPES = frozenset({"RSA", "EC", "OKP"})  #: never a shared secret
KEPT_FOR = timedelta(hours=1)
LOOKED_UP_EVERY = timedelta(minutes=1)
SKEW_SECONDS = 60  #: how far an issuer's clock may be from ours
TOKEN_CHARACTERS_MAX = 16 * 1024
DOCUMENT_BYTES_MAX = 1024 * 1024
TIMEOUT_SECONDS = 10.0
Fetch = Callable[[str], bytes]


class Keys(Protocol):
    """Public keys; `signatures.KnownKeys` is some."""

    @property
    def names(self) -> frozenset[str | None]:
        """The names (`kid`) that they have."""

    def claims(self, text: str) -> Mapping[str, Any]:
        """What a token says that one of them signed. Raises ValueError."""


@dataclass(slots=True)
class _Keys:
    """What is known of an issuer's keys."""

    keys: Keys | None = None
    fetched_at: datetime | None = None
    tried_at: datetime | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class OidcIssuers:
    """The issuers of the settings. `fetch` gets a document by its URL, and raises OSError."""

    def __init__(
        self,
        issuers: Sequence[str],
        audiences: Sequence[str],
        rules: Sequence[Rule],
        clock: Callable[[], datetime],
        fetch: Fetch,
    ) -> None:
        self._audiences = frozenset(audiences)
        self._rules = tuple(rules)
        self._clock = clock
        self._fetch = fetch
        self._known = {issuer: _Keys() for issuer in issuers}

    def knows(self, text: str) -> bool:
        """See `sign_in.Issuers.knows`."""
        return bool(self._known) and text.count(".") == 2

    def grants(self, identity: Identity) -> Grants:
        """See `sign_in.Issuers.grants`."""
        return grants_of(self._rules, identity)

    async def identity(self, text: str) -> Identity:
        """See `sign_in.Issuers.identity`. Raises ServerUnavailable when keys cannot be had."""
        header, claims = _parts(text)
        issuer = claims.get("iss")
        if not isinstance(issuer, str) or issuer not in self._known:
            raise _refused("its issuer is not among RUNYARD_OIDC_ISSUERS")
        keys = await self._keys(issuer, str(header.get("kid", "")))
        try:
            claims = keys.claims(text)
        except ValueError as error:
            LOGGER.info("an ID token of %s was refused: %s", issuer, error)
            raise _refused("its signature does not hold") from None
        self._check(claims)
        return _identity(issuer, claims)

    def _check(self, claims: Mapping[str, Any]) -> None:
        given = claims.get("aud")
        audiences = {given} if isinstance(given, str) else set(given or ())
        party = claims.get("azp", "")
        if not audiences & self._audiences or (len(audiences) > 1 and party not in self._audiences):
            raise _refused("it is for somebody else (aud)")
        now = self._clock().timestamp()
        ends, begins = claims.get("exp"), claims.get("nbf", 0)
        issued = claims.get("iat", 0)
        if not all(isinstance(each, int | float) for each in (ends, begins, issued)):
            raise _refused("it does not say when it ends (exp)")
        if now >= float(ends or 0) + SKEW_SECONDS:
            raise _refused("it has expired")
        if max(begins, issued) > now + SKEW_SECONDS:
            raise _refused("it is not of now: see that both clocks are right")

    async def _keys(self, issuer: str, kid: str) -> Keys:
        known = self._known[issuer]
        async with known.lock:
            if self._is_due(known, kid):
                await self._look_up(issuer, known)
        if known.keys is None:
            raise ServerUnavailable(
                f"the keys of {issuer} cannot be had now",
                hint="use a token of `runyard tokens`, or try again in a minute",
            )
        return known.keys

    def _is_due(self, known: _Keys, kid: str) -> bool:
        now = self._clock()
        if known.tried_at is not None and now - known.tried_at < LOOKED_UP_EVERY:
            return False
        if known.keys is None or known.fetched_at is None or now - known.fetched_at >= KEPT_FOR:
            return True
        return bool(kid) and kid not in known.keys.names

    async def _look_up(self, issuer: str, known: _Keys) -> None:
        """Keeps the keys there are when new ones cannot be had."""
        known.tried_at = self._clock()
        try:
            known.keys = await asyncio.to_thread(keys_of, issuer, self._fetch)
            known.fetched_at = known.tried_at
        except (OSError, ValueError) as error:
            LOGGER.warning("the keys of %s cannot be had: %s", issuer, error)


def keys_of(issuer: str, fetch: Fetch) -> Keys:
    """The keys of an issuer. Raises OSError or ValueError."""
    found = orjson.loads(fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration"))
    place = found.get("jwks_uri", "")
    if found.get("issuer") != issuer:
        raise ValueError("the discovery document is of another issuer")
    if not isinstance(place, str) or place.partition(":")[0] != issuer.partition(":")[0]:
        raise ValueError("its keys are at no place that could be trusted")
    keys = orjson.loads(fetch(place)).get("keys", [])
    usable = [key for key in keys if key.get("kty") in KEY_TYPES and key.get("use") != "enc"]
    # by name: it loads all of JOSE, which a server without issuers never needs
    known: Keys = import_module("runyard.api.signatures").KnownKeys(usable)
    return known


def fetch(url: str) -> bytes:
    """A document of at most a mebibyte, by HTTP, from exactly there. Raises OSError."""
    try:
        with build_opener(_NoRedirects).open(url, timeout=TIMEOUT_SECONDS) as reply:
            content: bytes = reply.read(DOCUMENT_BYTES_MAX + 1)
    except URLError as error:
        raise OSError(str(error)) from error
    if len(content) > DOCUMENT_BYTES_MAX:
        raise OSError("the document is too large")
    return content


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **more: Any) -> None:
        """None: a redirect is an error."""


def _parts(text: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What a token says of itself, believed of nothing but where its keys are."""
    if len(text) > TOKEN_CHARACTERS_MAX:
        raise _refused("it is too long")
    try:
        header, claims = (
            orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            for part in text.split(".")[:2]
        )
    except (ValueError, binascii.Error):
        raise _refused("it is no ID token") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise _refused("it is no ID token")
    return header, claims


def _identity(issuer: str, claims: Mapping[str, Any]) -> Identity:
    subject, email = claims.get("sub"), claims.get("email")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise _refused("it does not say whose it is (sub)")
    is_verified = claims.get("email_verified") in (True, "true") and isinstance(email, str)
    domain = claims.get("hd", "")
    return Identity(
        issuer,
        subject,
        str(email) if is_verified else "",
        domain if isinstance(domain, str) else "",
    )


def _refused(why: str) -> Unauthenticated:
    return Unauthenticated(
        f"this ID token is not accepted: {why}",
        hint="sign in again and use the new one, or a token of `runyard tokens`",
    )
