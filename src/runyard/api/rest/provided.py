"""What all routes about a provider's own things (secrets, topics) share: whether one may, and what
is written down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from runyard.api.permits import permit
from runyard.api.queries import EnvironmentQuery
from runyard.api.services import Services
from runyard.flow.access import Permission
from runyard.gate.recording import Record
from runyard.model.audit import AuditEntry
from runyard.model.principal import Caller

Document = Mapping[str, Any]


async def admitted(
    services: Services, who: Caller, permission: Permission, where: EnvironmentQuery
) -> str:
    """The environment that is meant, in which `who` has the permission. Raises PermissionDenied."""
    environment = where.environment or services.settings.environment
    await permit(services, who, permission, environment)
    return environment


async def write_down(
    services: Services,
    who: Caller,
    action: str,
    target: str,
    environment: str,
    *,
    before: Document | None = None,
    after: Document | None = None,
) -> None:
    """Write a change into the audit log. It was made by the provider, so it cannot be in one
    transaction with it: an entry that is missing has an error of ours beside it."""
    now = services.clock()
    entry = AuditEntry(
        now,
        who.name,
        action,
        target,
        environment,
        before=_plain(before),
        after=_plain(after),
        origin=who.origin,
    )
    await services.gate.ask(Record([entry], now))


def _plain(document: Document | None) -> Document | None:
    """Without instants, which an entry has of its own."""
    if document is None:
        return None
    return {key: value for key, value in document.items() if not isinstance(value, datetime)}
