"""Who does things: principals with roles in environments, and the tokens that speak for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from runyard.model.audit import HERE, Origin
from runyard.model.ids import TokenId

ADMIN = "admin"  #: the principal of the token that a first start makes
ANYWHERE = "*"  #: in a grant and a token's scope: every environment there is or will be

NAME_FORM = r"[a-z0-9](?:[a-z0-9._+@-]{0,126}[a-z0-9])?"
NAME_EXPECTED = (
    "a name of 1 to 128 lower-case letters, digits and . _ + @ -, such as ann, "
    "ann@example.com or ci-deploy"
)


class Role(StrEnum):
    """What somebody may do in an environment; each may all that the one before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """Grows with what a role may."""
        return _RANKS[self]


_RANKS = {role: rank for rank, role in enumerate(Role)}


class PrincipalKind(StrEnum):
    """A person, or a machine (a pipeline, a service)."""

    USER = "user"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in an environment, or ANYWHERE."""

    role: Role
    environment: str = ANYWHERE

    def __str__(self) -> str:
        return self.role if self.environment == ANYWHERE else f"{self.role}@{self.environment}"


Grants = tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who is known by name. A disabled one is refused, with all its tokens."""

    name: str
    kind: PrincipalKind
    grants: Grants
    created_at: datetime
    created_by: str
    disabled: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token may at most, whatever its principal may."""

    ceiling: Role = Role.ADMIN
    environments: tuple[str, ...] = (ANYWHERE,)

    def covers(self, environment: str) -> bool:
        """True when the token speaks in `environment`."""
        return ANYWHERE in self.environments or environment in self.environments


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is to an OpenID Connect issuer. `email` is only there when it is verified;
    `domain` is the organisation that Google says somebody belongs to."""

    issuer: str
    subject: str
    email: str = ""
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A token, without the token: `digest` is the SHA-256 of its secret part.

    `expires_at` None: never. `last_used_at` is kept to the hour. `identity` is there when a
    sign-in with an issuer made it, and its grants are then those of that identity, too.
    """

    id: TokenId
    principal: str
    digest: str
    scope: Scope
    created_at: datetime
    created_by: str
    label: str = ""
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    identity: Identity | None = None

    def is_good(self, now: datetime) -> bool:
        """True while it may be used."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks now: a principal by way of a token, with what both may. `lasts_until`: when the
    token ends."""

    name: str
    grants: Grants
    scope: Scope = Scope()
    origin: Origin = HERE
    lasts_until: datetime | None = None
    identity: Identity | None = None
