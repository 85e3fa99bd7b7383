"""The guards of an environment at an instant, and exceptions to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runyard.model.ids import ExceptionId


@dataclass(frozen=True, slots=True)
class Frozen:
    """Nothing is changed now: why, and until when, both in words."""

    reason: str
    until: str


Names = tuple[str, ...] | None  #: of principals; None: whoever has the role


@dataclass(frozen=True, slots=True)
class Guards:
    """What holds people up in an environment at an instant.

    `approvals`: how many others must agree to a change. `changers`, `runners` and `approvers` are
    those who may change things, run things, agree.
    """

    approvals: int = 0
    frozen: Frozen | None = None
    changers: Names = None
    runners: Names = None
    approvers: Names = None


NO_GUARDS = Guards()


@dataclass(frozen=True, slots=True)
class GuardException:
    """An open break-glass: until `closes_at`, one person is not held up by an environment's
    guards. It is there to be seen by everybody, and it ends by itself."""

    id: ExceptionId
    environment: str
    by: str
    reason: str
    opened_at: datetime
    closes_at: datetime
    closed_at: datetime | None = None
    closed_by: str = ""

    def is_open(self, now: datetime) -> bool:
        """True while it holds."""
        return self.closed_at is None and now < self.closes_at

    def document(self) -> dict[str, Any]:
        """As people and the audit log see it."""
        return {
            "id": self.id,
            "environment": self.environment,
            "by": self.by,
            "reason": self.reason,
            "opened_at": self.opened_at.isoformat(),
            "closes_at": self.closes_at.isoformat(),
        }
