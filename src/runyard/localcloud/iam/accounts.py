"""Service accounts: who a task is. Values and rules. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

#: "you might be able to undelete a service account within 30 days" (iam/docs/service-accounts).
UNDELETE_WITHIN = timedelta(days=30)
ACCOUNTS_MAX = 100  #: of a project (cloud.google.com/iam/quotas)
UNIQUE_ID_DIGITS = 21


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """One service account. `unique_id` is never given again, an email may be.

    `kept`: somebody made it for its own sake, so that it stays when no job is left that it is for.
    """

    unique_id: str
    email: str
    project: str
    display_name: str
    created_at: datetime
    disabled: bool = False
    deleted_at: datetime | None = None
    kept: bool = True

    @property
    def name(self) -> str:
        """Its resource name."""
        return f"projects/{self.project}/serviceAccounts/{self.email}"

    @property
    def deleted_member(self) -> str:
        """What policies call it once it is deleted."""
        return f"deleted:serviceAccount:{self.email}?uid={self.unique_id}"


def unique_id(chance: int) -> str:
    """A unique id of 21 digits, as Google's; `chance` is any large random number."""
    return f"1{chance % 10 ** (UNIQUE_ID_DIGITS - 1):0{UNIQUE_ID_DIGITS - 1}d}"
