"""What all routes about secrets have in common: where, whether, and what is written down."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from runyard.api.queries import EnvironmentQuery
from runyard.api.rest.provided import Document, write_down
from runyard.api.secret_bodies import VersionName
from runyard.api.services import Services
from runyard.model.audit import EVERYWHERE
from runyard.model.cloudrun.words import SecretName
from runyard.model.principal import Caller

SecretPath = Annotated[SecretName, Path(alias="name", description="A secret's name.")]
VersionPath = Annotated[
    VersionName, Path(alias="version", description="A number, an alias or latest.")
]
Where = Annotated[EnvironmentQuery, Query()]


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
    """Write a change of a secret into the audit log."""
    target = f"secret/{name}"
    await write_down(
        services, who, f"secret.{action}", target, environment, before=before, after=after
    )
