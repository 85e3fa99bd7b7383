"""Who somebody is, by the token they show: the admin's of the state folder, one of ours, or an ID
token of an OpenID Connect issuer.

Rows are read for every request, so a token that was revoked, has expired, or whose principal was
disabled is refused at once by every process. Secrets are compared by their digests, in constant
time, and never get into a log, a row or an error.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Protocol

from runyard.api.tokens import Tokens
from runyard.database.port import Database, Tx
from runyard.gate.door import Gate
from runyard.gate.tokens import UseToken
from runyard.model.audit import Origin
from runyard.model.errors import Unauthenticated
from runyard.model.ids import RANDOM_BITS, TokenId, stamped
from runyard.model.principal import Caller, Grants, Identity, Principal, Token
from runyard.store.memory import Store

FORM = re.compile(r"runyard_([0-9a-hjkmnp-tv-z]{26})_([A-Za-z0-9_-]{43})")
SECRET_BYTES = 32  #: of chance; nobody can guess it, so its digest needs no salt
USE_NOTED_EVERY = timedelta(hours=1)  #: so that a token in use costs a write an hour, not a request
NOBODY = "0" * 64  #: the digest of no secret
HINT = (
    "send the header `Authorization: Bearer TOKEN`; the token is in the file `token` of the "
    "server's state folder, or is one that `runyard tokens create` made"
)


class Issuers(Protocol):
    """Those whose ID tokens are believed."""

    def knows(self, text: str) -> bool:
        """True when `text` looks like a token of one of them."""

    async def identity(self, text: str) -> Identity:
        """Who the token `text` is about, once all of it is verified. Raises Unauthenticated."""

    def grants(self, identity: Identity) -> Grants:
        """The roles that the settings give somebody."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that nobody has yet: what is shown once, and what is kept."""

    id: TokenId
    text: str
    digest: str


def new_token(now: datetime, chance: Callable[[int], bytes]) -> NewToken:
    """Make a token of `chance`, which gives so many bytes of it."""
    identity = stamped("tok", now, int.from_bytes(chance(RANDOM_BITS // 8)))
    secret = base64.urlsafe_b64encode(chance(SECRET_BYTES)).decode().rstrip("=")
    text = f"runyard_{identity.removeprefix('tok_')}_{secret}"
    return NewToken(TokenId(identity), text, digest_of(secret))


def digest_of(secret: str) -> str:
    """What is kept of a token's secret part."""
    return sha256(secret.encode()).hexdigest()


def name_of(identity: Identity) -> str:
    """What somebody with an identity is called: the verified e-mail address, which a principal may
    have as its name, else issuer and subject, which none can have."""
    return identity.email.lower() or f"{identity.issuer}#{identity.subject}"


class SignIn:
    """One per process."""

    def __init__(
        self,
        database: Database,
        store: Store,
        gate: Gate,
        tokens: Tokens,
        clock: Callable[[], datetime],
        issuers: Issuers,
    ) -> None:
        """`tokens` are those that are kept in files, with the principals who have them."""
        self._database = database
        self._store = store
        self._gate = gate
        self._tokens = tokens
        self._clock = clock
        self._issuers = issuers

    def is_costly(self, text: str) -> bool:
        """True when finding out whose `text` is needs more than a look into the database."""
        return FORM.fullmatch(text) is None and self._issuers.knows(text)

    async def caller(self, text: str, origin: Origin) -> Caller:
        """Who shows the token `text`. Raises Unauthenticated."""
        if match := FORM.fullmatch(text):
            return await self._by_row(TokenId(f"tok_{match[1]}"), match[2], origin)
        if name := self._tokens.principal(text):
            principal = await self._database.read(lambda tx: self._store.people.principal(tx, name))
            return self._as_caller(name, principal, origin)
        if self._issuers.knows(text):
            return await self._by_identity(await self._issuers.identity(text), origin)
        raise _unknown()

    async def _by_row(self, identity: TokenId, secret: str, origin: Origin) -> Caller:
        async def work(tx: Tx) -> tuple[Token | None, Principal | None]:
            token = await self._store.people.token(tx, identity)
            name = token.principal if token else ""
            return token, await self._store.people.principal(tx, name)

        token, principal = await self._database.read(work)
        known = compare_digest(token.digest if token else NOBODY, digest_of(secret))
        if token is None or not known:
            raise _unknown()
        now = self._clock()
        if not token.is_good(now):
            raise _ended(token)
        caller = self._as_caller(
            token.principal, principal, replace(origin, token=token.id), token.identity
        )
        if token.last_used_at is None or now - token.last_used_at >= USE_NOTED_EVERY:
            await self._gate.ask(UseToken(token.id, now))
        return replace(caller, scope=token.scope, lasts_until=token.expires_at)

    async def _by_identity(self, identity: Identity, origin: Origin) -> Caller:
        name = name_of(identity)
        principal = await self._database.read(lambda tx: self._store.people.principal(tx, name))
        return self._as_caller(name, principal, origin, identity)

    def _as_caller(
        self,
        name: str,
        principal: Principal | None,
        origin: Origin,
        identity: Identity | None = None,
    ) -> Caller:
        if principal is not None and principal.disabled:
            raise Unauthenticated(
                f"{name} is disabled here",
                hint=f"an admin can change that: `runyard users enable {name}`",
            )
        grants = () if principal is None else principal.grants
        if identity is not None:
            grants += self._issuers.grants(identity)
        return Caller(name, grants, origin=origin, identity=identity)


def _unknown() -> Unauthenticated:
    return Unauthenticated("this token is not known here", hint=HINT)


def _ended(token: Token) -> Unauthenticated:
    how = "was revoked" if token.revoked_at is not None else "has expired"
    return Unauthenticated(
        f"this token ({token.id}) {how}",
        hint=f"make a new one: `runyard tokens create --for {token.principal}`",
    )
