"""Versions of secrets: added, listed, enabled, disabled, destroyed, and read by who may."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import Depends
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.permits import Who, allowed
from runyard.api.reading import body, described
from runyard.api.rest.provided import admitted
from runyard.api.rest.routes import errors, router
from runyard.api.rest.secret_desk import SecretPath, VersionPath, Where, noted
from runyard.api.secret_bodies import SecretBody
from runyard.api.secret_shapes import (
    SecretShape,
    SecretValueShape,
    SecretVersionShape,
    SecretVersionsShape,
    secret_document,
    version_document,
)
from runyard.api.services import Services, Use
from runyard.flow.access import Permission, may
from runyard.model.principal import Caller
from runyard.model.secret import SecretVersion

versions = router("secrets")
READ, CHANGE = Permission.SECRETS_READ, Permission.SECRETS_CHANGE
ACCESS = Permission.SECRETS_ACCESS


@versions.post(
    "/secrets/{name}:addVersion",
    response_model=SecretShape,
    responses=errors(404, 413),
    dependencies=allowed(CHANGE),
    openapi_extra=described(SecretBody),
)
async def add_version(
    services: Use,
    who: Who,
    where: Where,
    name: SecretPath,
    asked: Annotated[SecretBody, Depends(body(SecretBody))],
) -> Response:
    """Give a secret a new value; `version` is its number."""
    environment = await admitted(services, who, CHANGE, where)
    value = base64.b64decode(asked.value_base64)
    added = await services.secrets.add_version(environment, name, value)
    document = secret_document(added, environment)
    await noted(services, who, "add-version", name, environment, after=document)
    return answer(document)


@versions.get(
    "/secrets/{name}/versions",
    response_model=SecretVersionsShape,
    responses=errors(404),
    dependencies=allowed(READ),
)
async def list_versions(services: Use, who: Who, where: Where, name: SecretPath) -> Response:
    """Every version of a secret, newest first."""
    environment = await admitted(services, who, READ, where)
    found = await services.secrets.versions(environment, name)
    return answer({"versions": [version_document(name, version) for version in found]})


@versions.post(
    "/secrets/{name}/versions/{version}:enable",
    response_model=SecretVersionShape,
    responses=errors(404, 412),
    dependencies=allowed(CHANGE),
)
async def enable_version(
    services: Use, who: Who, where: Where, name: SecretPath, version: VersionPath
) -> Response:
    """Let a version be read again."""
    environment = await admitted(services, who, CHANGE, where)
    found = await services.secrets.enable(environment, name, version)
    return await _changed(services, who, "enable", environment, name, found)


@versions.post(
    "/secrets/{name}/versions/{version}:disable",
    response_model=SecretVersionShape,
    responses=errors(404, 412),
    dependencies=allowed(CHANGE),
)
async def disable_version(
    services: Use, who: Who, where: Where, name: SecretPath, version: VersionPath
) -> Response:
    """Let nobody read a version until it is enabled again."""
    environment = await admitted(services, who, CHANGE, where)
    found = await services.secrets.disable(environment, name, version)
    return await _changed(services, who, "disable", environment, name, found)


@versions.post(
    "/secrets/{name}/versions/{version}:destroy",
    response_model=SecretVersionShape,
    responses=errors(404),
    dependencies=allowed(CHANGE),
)
async def destroy_version(
    services: Use, who: Who, where: Where, name: SecretPath, version: VersionPath
) -> Response:
    """Remove a version's value for good."""
    environment = await admitted(services, who, CHANGE, where)
    found = await services.secrets.destroy(environment, name, version)
    return await _changed(services, who, "destroy", environment, name, found)


@versions.post(
    "/secrets/{name}/versions/{version}:access",
    response_model=SecretValueShape,
    responses=errors(404, 412),
    dependencies=allowed(READ),
)
async def access_version(
    services: Use, who: Who, where: Where, name: SecretPath, version: VersionPath
) -> Response:
    """The value of a version, for who may access secrets in the environment, or was granted this
    one. The access, or that it was refused, is recorded before it is answered."""
    environment = await admitted(services, who, READ, where)
    trusted = may(who, ACCESS, environment, services.clock()).allowed
    value = await services.secrets.access(environment, name, version, who.name, trusted)
    document = {"name": name, "version": version, "value_base64": base64.b64encode(value).decode()}
    return answer(document, headers={"Cache-Control": "no-store"})


async def _changed(
    services: Services,
    who: Caller,
    action: str,
    environment: str,
    name: str,
    version: SecretVersion,
) -> Response:
    document = version_document(name, version)
    after = {key: document[key] for key in ("name", "version", "state")}
    await noted(services, who, f"{action}-version", name, environment, after=after)
    return answer(document)
