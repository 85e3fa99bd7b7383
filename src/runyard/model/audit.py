"""What the audit log keeps: who changed what, from what to what, why, and from where.

An entry is about a control change (jobs, secrets, roles, tokens, approvals, environments,
exceptions), never about a run: runs have a history. No entry ever holds a secret's value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

EVERYWHERE = ""  #: the environment of an entry that is about none
GENESIS = "0" * 64  #: what the first entry names as the digest before it
DIGEST_FORM = "[0-9a-f]{64}"


@dataclass(frozen=True, slots=True)
class Origin:
    """From where somebody asked. `token` is a token's id, never the token; all may be empty."""

    address: str = ""
    user_agent: str = ""
    token: str = ""


HERE = Origin()  #: the server itself


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change. `action` is noun and verb (`token.revoke`), `target` the noun's kind and name
    (`token/tok_…`). `before` and `after` are what it was and is; None: it was not, or is not."""

    at: datetime
    by: str
    action: str
    target: str
    environment: str = EVERYWHERE
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    reason: str = ""
    origin: Origin = HERE


@dataclass(frozen=True, slots=True)
class Head:
    """How far a chain goes: the number and the digest of its last entry. An anchor is one that
    is kept elsewhere."""

    sequence: int = 0
    digest: str = GENESIS

    def __str__(self) -> str:
        return f"{self.sequence}:{self.digest}"


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as it is kept: `text` is its canonical form, and the rest of the fields are what
    the row says beside it."""

    sequence: int
    at: datetime
    by: str
    action: str
    target: str
    environment: str
    text: str
    previous: str
    digest: str
