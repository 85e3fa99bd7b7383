"""What all routes about secrets have in common: where, whether, and what is written down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Query

from runyard.api.permits import permit
from runyard.api.queries import EnvironmentQuery
from runyard.api.secret_bodies import VersionName
from runyard.api.services import Services
from runyard.flow.access import Permission
from runyard.gate.recording import Record
from runyard.model.audit import EVERYWHERE, AuditEntry
from runyard.model.cloudrun.words import SecretName
from runyard.model.principal import Caller

SecretPath = Annotated[SecretName, Path(alias="name", description="A secret's name.")]
VersionPath = Annotated[
    VersionName, Path(alias="version", description="A number, an alias or latest.")
]
Where = Annotated[EnvironmentQuery, Query()]
Document = Mapping[str, Any]


async def admitted(
    services: Services, who: Caller, permission: Permission, where: EnvironmentQuery
) -> str:
    """The environment that is meant, in which `who` has the permission. Raises PermissionDenied."""
    environment = where.environment or services.settings.environment
    await permit(services, who, permission, environment)
    return environment


async def noted(
    services: Services,
    who: Caller,
    action: str,
    name: str,
    environment: str = EVERYWHERE,
    *,
    before: Document | None = None,
    after: Document | None = None,
) -> None:
    """Write a change of a secret into the audit log. It was made by the provider, so it cannot be
    in one transaction with it: an entry that is missing has an error of ours beside it."""
    now = services.clock()
    before, after = _plain(before), _plain(after)
    entry = AuditEntry(
        now,
        who.name,
        f"secret.{action}",
        f"secret/{name}",
        environment,
        before=before,
        after=after,
        origin=who.origin,
    )
    await services.gate.ask(Record([entry], now))


def _plain(document: Document | None) -> Document | None:
    """Without instants, which an entry has of its own."""
    if document is None:
        return None
    return {key: value for key, value in document.items() if not isinstance(value, datetime)}
