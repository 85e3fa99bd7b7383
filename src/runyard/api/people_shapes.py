"""What the API answers about people, and about what they changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from runyard.api.shapes import Shape
from runyard.model.principal import PrincipalKind, Role


class GrantShape(Shape):
    """A role in an environment, `*` for all of them."""

    role: Role
    environment: str


class PrincipalShape(Shape):
    """Somebody who is known here."""

    name: str
    kind: PrincipalKind
    grants: list[GrantShape]
    disabled: bool
    note: str
    created_at: datetime
    created_by: str


class PrincipalsShape(Shape):
    """All of them, by name."""

    principals: list[PrincipalShape]


class MeShape(Shape):
    """Who asks, and what the token leaves of it. `token_id` is empty for the token of the state
    folder and for an issuer's."""

    name: str
    grants: list[GrantShape]
    ceiling: Role
    environments: list[str]
    token_id: str
    expires_at: datetime | None


class TokenShape(Shape):
    """A token, without the token. `last_used_at` is noted once an hour."""

    id: str
    principal: str
    label: str
    ceiling: Role
    environments: list[str]
    is_good: bool
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class NewTokenShape(TokenShape):
    """A new token. `token` is shown this once, and kept nowhere."""

    token: str


class TokensShape(Shape):
    """Those that who asks may see, oldest first."""

    tokens: list[TokenShape]


class OriginShape(Shape):
    """From where somebody asked."""

    address: str
    user_agent: str
    token: str


class AuditEntryShape(Shape):
    """One entry of the audit log."""

    sequence: int
    at: datetime
    by: str
    action: str
    target: str
    environment: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str
    origin: OriginShape
    previous: str
    digest: str


class AuditPageShape(Shape):
    """Entries, newest first."""

    entries: list[AuditEntryShape]
    next_page_token: str


class AnchorShape(Shape):
    """How far the audit log goes: `anchor` is what to keep elsewhere."""

    sequence: int
    digest: str
    at: datetime
    anchor: str


class BreakShape(Shape):
    """The first thing that does not fit."""

    sequence: int
    what: str
    expected: str
    found: str


class VerificationShape(Shape):
    """Whether the audit log holds together, and says what the anchors say."""

    ok: bool
    entries: int
    anchors: int
    head: str
    problem: BreakShape | None


class ExceptionShape(Shape):
    """An open exception to the guards of an environment."""

    id: str
    environment: str
    by: str
    reason: str
    opened_at: datetime
    closes_at: datetime


class ExceptionsShape(Shape):
    """The open ones, oldest first."""

    exceptions: list[ExceptionShape]
