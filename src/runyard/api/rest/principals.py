"""Principals: made, given roles, disabled, listed."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.people_bodies import GrantBody, PrincipalBody, UngrantBody, WhyBody
from runyard.api.people_documents import me_document, principal_document
from runyard.api.people_shapes import MeShape, PrincipalShape, PrincipalsShape
from runyard.api.permits import Who, allowed
from runyard.api.reading import body, described
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.flow.access import Permission
from runyard.gate.people import AddPrincipal, ChangePrincipal
from runyard.model.errors import NotFound
from runyard.model.principal import Caller, Grants, Principal

principals = router("principals")
Name = Annotated[str, Path(description="The principal's name.")]
_CHANGING = allowed(Permission.PRINCIPALS_CHANGE)


@principals.get(
    "/me",
    response_model=MeShape,
    responses=errors(),
    dependencies=allowed(Permission.TOKENS_OWN),
)
async def get_me(who: Who) -> Response:
    """Say who asks, and what the token leaves of what they may."""
    return answer(me_document(who))


@principals.get(
    "/principals",
    response_model=PrincipalsShape,
    responses=errors(),
    dependencies=allowed(Permission.PRINCIPALS_READ),
)
async def list_principals(services: Use) -> Response:
    """List everybody who is known here, by name."""
    found = await services.database.read(services.store.people.principals)
    return answer({"principals": [principal_document(one) for one in found]})


@principals.get(
    "/principals/{name}",
    response_model=PrincipalShape,
    responses=errors(404),
    dependencies=allowed(Permission.PRINCIPALS_READ),
)
async def get_principal(services: Use, name: Name) -> Response:
    """One of them."""
    known = name if name.isprintable() and len(name) <= 128 else ""
    found = await services.database.read(lambda tx: services.store.people.principal(tx, known))
    if found is None:
        raise NotFound(
            f"there is no principal {known or 'of this name'}",
            hint="`runyard users list` shows who there is",
        )
    return answer(principal_document(found))


@principals.post(
    "/principals",
    status_code=201,
    response_model=PrincipalShape,
    responses=errors(409, 413),
    dependencies=_CHANGING,
    openapi_extra=described(PrincipalBody),
)
async def create_principal(
    services: Use, who: Who, asked: Annotated[PrincipalBody, Depends(body(PrincipalBody))]
) -> Response:
    """Make somebody known, with roles; they get in by a token, or by an issuer."""
    now = services.clock()
    made = Principal(asked.name, asked.kind, asked.granted(), now, who.name, note=asked.note)
    done = await services.gate.ask(AddPrincipal(who, made, now))
    return answer(principal_document(done), 201)


@principals.post(
    "/principals/{name}:grant",
    response_model=PrincipalShape,
    responses=errors(404, 412, 413),
    dependencies=_CHANGING,
    openapi_extra=described(GrantBody),
)
async def grant(
    services: Use, who: Who, name: Name, asked: Annotated[GrantBody, Depends(body(GrantBody))]
) -> Response:
    """Give a role in an environment, or in all; it takes the place of the one there."""
    return await _change(services, who, name, give=(asked.grant(),))


@principals.post(
    "/principals/{name}:ungrant",
    response_model=PrincipalShape,
    responses=errors(404, 412, 413),
    dependencies=_CHANGING,
    openapi_extra=described(UngrantBody),
)
async def ungrant(
    services: Use, who: Who, name: Name, asked: Annotated[UngrantBody, Depends(body(UngrantBody))]
) -> Response:
    """Take the role in an environment away, or the one that counts in all of them."""
    return await _change(services, who, name, take=(asked.environment,))


@principals.post(
    "/principals/{name}:disable",
    response_model=PrincipalShape,
    responses=errors(404, 412, 413),
    dependencies=_CHANGING,
    openapi_extra=described(WhyBody, required=False),
)
async def disable(
    services: Use,
    who: Who,
    name: Name,
    asked: Annotated[WhyBody, Depends(body(WhyBody, optional=True))],
) -> Response:
    """Refuse somebody from now on, with all their tokens."""
    return await _change(services, who, name, disabled=True, reason=asked.reason)


@principals.post(
    "/principals/{name}:enable",
    response_model=PrincipalShape,
    responses=errors(404, 412, 413),
    dependencies=_CHANGING,
    openapi_extra=described(WhyBody, required=False),
)
async def enable(
    services: Use,
    who: Who,
    name: Name,
    asked: Annotated[WhyBody, Depends(body(WhyBody, optional=True))],
) -> Response:
    """Let somebody in again."""
    return await _change(services, who, name, disabled=False, reason=asked.reason)


async def _change(
    services: Services,
    who: Caller,
    name: str,
    *,
    give: Grants = (),
    take: tuple[str, ...] = (),
    disabled: bool | None = None,
    reason: str = "",
) -> Response:
    command = ChangePrincipal(who, name, services.clock(), give, take, disabled, reason)
    return answer(principal_document(await services.gate.ask(command)))
