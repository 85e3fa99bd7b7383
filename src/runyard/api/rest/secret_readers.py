"""Who was given the right to read a secret, and who read one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Query
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.permits import Who, allowed
from runyard.api.queries import SecretAccessQuery
from runyard.api.reading import body, described
from runyard.api.rest.provided import admitted
from runyard.api.rest.routes import errors, router
from runyard.api.rest.secret_desk import SecretPath, Where, noted
from runyard.api.secret_bodies import MemberBody
from runyard.api.secret_shapes import SecretAccessesShape, SecretReadersShape, access_document
from runyard.api.services import Use
from runyard.flow.access import Permission

readers = router("secrets")
READ, CHANGE = Permission.SECRETS_READ, Permission.SECRETS_CHANGE
Asked = Annotated[MemberBody, Depends(body(MemberBody))]


@readers.get(
    "/secrets/{name}/readers",
    response_model=SecretReadersShape,
    responses=errors(404),
    dependencies=allowed(READ),
)
async def list_readers(services: Use, who: Who, where: Where, name: SecretPath) -> Response:
    """Who was given the right to read a secret."""
    environment = await admitted(services, who, READ, where)
    return _answer(name, await services.secrets.readers(environment, name))


@readers.post(
    "/secrets/{name}:grant",
    response_model=SecretReadersShape,
    responses=errors(404, 413),
    dependencies=allowed(CHANGE),
    openapi_extra=described(MemberBody),
)
async def grant(services: Use, who: Who, where: Where, name: SecretPath, asked: Asked) -> Response:
    """Give somebody the right to read a secret."""
    environment = await admitted(services, who, CHANGE, where)
    found = await services.secrets.grant(environment, name, asked.member)
    after = {"readers": list(found), "granted": asked.member}
    await noted(services, who, "grant", name, environment, after=after)
    return _answer(name, found)


@readers.post(
    "/secrets/{name}:revoke",
    response_model=SecretReadersShape,
    responses=errors(404, 413),
    dependencies=allowed(CHANGE),
    openapi_extra=described(MemberBody),
)
async def revoke(services: Use, who: Who, where: Where, name: SecretPath, asked: Asked) -> Response:
    """Take the right to read a secret from somebody."""
    environment = await admitted(services, who, CHANGE, where)
    found = await services.secrets.revoke(environment, name, asked.member)
    after = {"readers": list(found), "revoked": asked.member}
    await noted(services, who, "revoke", name, environment, after=after)
    return _answer(name, found)


@readers.get(
    "/secrets:accesses",
    response_model=SecretAccessesShape,
    responses=errors(),
    dependencies=allowed(READ),
)
async def list_accesses(
    services: Use, who: Who, asked: Annotated[SecretAccessQuery, Query()]
) -> Response:
    """Who read a secret or wanted to, newest first."""
    environment = await admitted(services, who, READ, asked)
    found = await services.secrets.accesses(
        environment, asked.name or "", asked.before or 0, asked.page_size + 1
    )
    page, more = found[: asked.page_size], len(found) > asked.page_size
    next_before = page[-1].number if more else None
    return answer({"accesses": [access_document(one) for one in page], "next_before": next_before})


def _answer(name: str, found: Sequence[str]) -> Response:
    return answer({"name": name, "readers": list(found)})
