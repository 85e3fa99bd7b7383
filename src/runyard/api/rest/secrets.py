"""Secrets: given new versions, and listed by name. No answer ever holds a value."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import Depends, Path
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.bodies import SecretBody
from runyard.api.permits import Who, allowed, permit
from runyard.api.reading import body, described
from runyard.api.rest.routes import errors, router
from runyard.api.services import Use
from runyard.api.shapes import SecretShape, SecretsShape
from runyard.flow.access import Permission
from runyard.model.forms import Shaped

secrets = router("secrets")


@secrets.get(
    "/secrets",
    response_model=SecretsShape,
    responses=errors(),
    dependencies=allowed(Permission.SECRETS_READ),
)
async def list_secrets(services: Use) -> Response:
    """Every secret with the number of its newest version."""
    found = await services.secrets.names()
    return answer({"secrets": [{"name": name, "version": version} for name, version in found]})


@secrets.post(
    "/secrets/{name}:addVersion",
    response_model=SecretShape,
    responses=errors(413),
    dependencies=allowed(Permission.SECRETS_CHANGE),
    openapi_extra=described(SecretBody),
)
async def add_version(
    services: Use,
    who: Who,
    name: Annotated[
        str,
        Path(),
        Shaped(
            r"[a-zA-Z0-9_-]{1,255}",
            "a secret's name: 1 to 255 letters, digits, hyphens and underscores",
            255,
        ),
    ],
    asked: Annotated[SecretBody, Depends(body(SecretBody))],
) -> Response:
    """Give a secret a new value; it is made if there is none of this name."""
    await permit(services, who, Permission.SECRETS_CHANGE, services.settings.environment)
    version = await services.secrets.add_version(name, base64.b64decode(asked.value_base64))
    return answer({"name": name, "version": version})
