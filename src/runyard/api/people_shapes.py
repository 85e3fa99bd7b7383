"""What the API answers about people, and about what they changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from runyard.model.principal import PrincipalKind, Role


class PeopleShape(BaseModel):
    """Every field is always there; what is absent is null."""

    model_config = ConfigDict(extra="forbid")


class GrantShape(PeopleShape):
    """A role in an environment, `*` for all of them."""

    role: Role
    environment: str


class PrincipalShape(PeopleShape):
    """Somebody who is known here."""

    name: str
    kind: PrincipalKind
    grants: list[GrantShape]
    disabled: bool
    note: str
    created_at: datetime
    created_by: str


class PrincipalsShape(PeopleShape):
    """All of them, by name."""

    principals: list[PrincipalShape]


class MeShape(PeopleShape):
    """Who asks, and what the token leaves of it. `token_id` is empty for the token of the state
    folder and for an issuer's."""

    name: str
    grants: list[GrantShape]
    ceiling: Role
    environments: list[str]
    token_id: str
    expires_at: datetime | None


class TokenShape(PeopleShape):
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


class TokensShape(PeopleShape):
    """Those that who asks may see, oldest first."""

    tokens: list[TokenShape]


class OriginShape(PeopleShape):
    """From where somebody asked."""

    address: str
    user_agent: str
    token: str


class AuditEntryShape(PeopleShape):
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


class AuditPageShape(PeopleShape):
    """Entries, newest first."""

    entries: list[AuditEntryShape]
    next_page_token: str


class AnchorShape(PeopleShape):
    """How far the audit log goes: `anchor` is what to keep elsewhere."""

    sequence: int
    digest: str
    at: datetime
    anchor: str


class BreakShape(PeopleShape):
    """The first thing that does not fit."""

    sequence: int
    what: str
    expected: str
    found: str


class VerificationShape(PeopleShape):
    """Whether the audit log holds together, and says what the anchors say."""

    ok: bool
    entries: int
    anchors: int
    head: str
    problem: BreakShape | None


class ExceptionShape(PeopleShape):
    """An open exception to the guards of an environment."""

    id: str
    environment: str
    by: str
    reason: str
    opened_at: datetime
    closes_at: datetime


class ExceptionsShape(PeopleShape):
    """The open ones, oldest first."""

    exceptions: list[ExceptionShape]
