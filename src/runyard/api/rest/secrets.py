"""Secrets: made, described, given labels and aliases, deleted. No answer holds a value."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.hooks.uses import refuse_while_it_proves
from runyard.api.permits import Who, allowed, permit
from runyard.api.queries import SecretDeleteQuery
from runyard.api.reading import body, described
from runyard.api.rest.provided import admitted
from runyard.api.rest.routes import errors, router
from runyard.api.rest.secret_desk import SecretPath, Where, noted
from runyard.api.secret_bodies import AliasBody, NewSecretBody, SecretLabelsBody
from runyard.api.secret_shapes import RotationShape, SecretShape, SecretsShape, secret_document
from runyard.api.services import Use
from runyard.flow.access import Permission
from runyard.model.principal import ANYWHERE

secrets = router("secrets")
READ, CHANGE = Permission.SECRETS_READ, Permission.SECRETS_CHANGE


@secrets.get(
    "/secrets", response_model=SecretsShape, responses=errors(), dependencies=allowed(READ)
)
async def list_secrets(services: Use, who: Who, where: Where) -> Response:
    """Every secret with the number of its newest version."""
    environment = await admitted(services, who, READ, where)
    found = await services.secrets.secrets(environment)
    return answer({"secrets": [secret_document(secret, environment) for secret in found]})


@secrets.post(
    "/secrets",
    response_model=SecretShape,
    responses=errors(409, 413),
    dependencies=allowed(CHANGE),
    openapi_extra=described(NewSecretBody),
)
async def create_secret(
    services: Use,
    who: Who,
    where: Where,
    asked: Annotated[NewSecretBody, Depends(body(NewSecretBody))],
) -> Response:
    """Make a secret, with a first version when a value is given."""
    environment = await admitted(services, who, CHANGE, where)
    made = await services.secrets.create(environment, asked.name, asked.value(), asked.labels)
    document = secret_document(made, environment)
    await noted(services, who, "create", made.name, environment, after=document)
    return answer(document)


@secrets.get(
    "/secrets/{name}",
    response_model=SecretShape,
    responses=errors(404),
    dependencies=allowed(READ),
)
async def get_secret(services: Use, who: Who, where: Where, name: SecretPath) -> Response:
    """A secret, without its values."""
    environment = await admitted(services, who, READ, where)
    return answer(secret_document(await services.secrets.secret(environment, name), environment))


@secrets.delete(
    "/secrets/{name}",
    response_model=SecretShape,
    responses=errors(404, 409, 412),
    dependencies=allowed(CHANGE),
)
async def delete_secret(
    services: Use, who: Who, where: Annotated[SecretDeleteQuery, Query()], name: SecretPath
) -> Response:
    """Remove a secret with all its versions, for good; one that jobs read, or that proves who
    calls a webhook, only if forced."""
    environment = await admitted(services, who, CHANGE, where)
    if not where.force:
        await refuse_while_it_proves(services, environment, name)
    gone = await services.secrets.delete(environment, name, where.etag, where.force)
    document = secret_document(gone, environment)
    await noted(services, who, "delete", name, environment, before=document)
    return answer(document)


@secrets.post(
    "/secrets/{name}:setLabels",
    response_model=SecretShape,
    responses=errors(404, 409, 413),
    dependencies=allowed(CHANGE),
    openapi_extra=described(SecretLabelsBody),
)
async def set_labels(
    services: Use,
    who: Who,
    where: Where,
    name: SecretPath,
    asked: Annotated[SecretLabelsBody, Depends(body(SecretLabelsBody))],
) -> Response:
    """Give a secret other labels."""
    environment = await admitted(services, who, CHANGE, where)
    found = await services.secrets.set_labels(environment, name, asked.labels, asked.etag)
    document = secret_document(found, environment)
    await noted(services, who, "set-labels", name, environment, after=document)
    return answer(document)


@secrets.post(
    "/secrets/{name}:setAlias",
    response_model=SecretShape,
    responses=errors(404, 409, 413),
    dependencies=allowed(CHANGE),
    openapi_extra=described(AliasBody),
)
async def set_alias(
    services: Use,
    who: Who,
    where: Where,
    name: SecretPath,
    asked: Annotated[AliasBody, Depends(body(AliasBody))],
) -> Response:
    """Let an alias name a version, or nothing any more."""
    environment = await admitted(services, who, CHANGE, where)
    found = await services.secrets.set_alias(
        environment, name, asked.alias, asked.version, asked.etag
    )
    document = secret_document(found, environment)
    await noted(services, who, "set-alias", name, environment, after=document)
    return answer(document)


@secrets.post(
    "/secrets:rotateKey",
    response_model=RotationShape,
    responses=errors(),
    dependencies=allowed(CHANGE),
)
async def rotate_key(services: Use, who: Who) -> Response:
    """Let a new key seal all secrets of this server, while they are in use. It is about every
    environment, and so is the permission that it takes."""
    await permit(services, who, CHANGE, ANYWHERE)
    done = await services.secrets.rotate()
    document = {name: getattr(done, name) for name in RotationShape.model_fields}
    await noted(services, who, "rotate-key", "*", after=document)
    return answer(document)
