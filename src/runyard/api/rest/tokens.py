"""Tokens: made, rotated, revoked, listed. A token is in one answer in its life: the one that makes
it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.people_bodies import RotateBody, TokenBody, WhyBody
from runyard.api.people_documents import token_document
from runyard.api.people_shapes import NewTokenShape, TokenShape, TokensShape
from runyard.api.permits import Who, allowed
from runyard.api.queries import TokensQuery
from runyard.api.reading import body, described
from runyard.api.rest.routes import errors, router
from runyard.api.services import Use
from runyard.api.sign_in import NewToken, new_token
from runyard.database.port import Tx
from runyard.flow.access import Permission, beyond
from runyard.gate.tokens import AddToken, RevokeToken, RotateToken
from runyard.model.errors import NotFound
from runyard.model.ids import TokenId
from runyard.model.principal import Caller, Grant, Grants, Principal, Role, Token

tokens = router("tokens")
_OWN = allowed(Permission.TOKENS_OWN)
_ID = re.compile("tok_[0-9a-hjkmnp-tv-z]{26}")
TokenPath = Annotated[str, Path(alias="id", description="A token's id, such as tok_01k….")]


def _id_of(text: str) -> TokenId:
    if not _ID.fullmatch(text):
        shown = text if text.isprintable() and len(text) <= 60 else "with this id"
        raise NotFound(f"there is no token {shown}", hint="list them with `runyard tokens list`")
    return TokenId(text)


@tokens.get("/tokens", response_model=TokensShape, responses=errors(), dependencies=_OWN)
async def list_tokens(services: Use, who: Who, query: Annotated[TokensQuery, Query()]) -> Response:
    """List one's own tokens, and those of everybody one is an admin of."""

    async def work(tx: Tx) -> tuple[list[Token], list[Principal]]:
        people = services.store.people
        return await people.tokens(tx, query.principal or ""), await people.principals(tx)

    found, everybody = await services.database.read(work)
    grants = {one.name: one.grants for one in everybody}
    seen = [one for one in found if _sees(who, one, grants.get(one.principal))]
    now = services.clock()
    return answer({"tokens": [token_document(one, now) for one in seen]})


def _sees(who: Caller, token: Token, grants: Grants | None) -> bool:
    """Whoever an issuer alone knows has no grants of their own: that is for an admin of all."""
    everything: Grants = (Grant(Role.VIEWER),)
    return token.principal == who.name or not beyond(who, everything if grants is None else grants)


@tokens.post(
    "/tokens",
    status_code=201,
    response_model=NewTokenShape,
    responses=errors(404, 412, 413),
    dependencies=_OWN,
    openapi_extra=described(TokenBody),
)
async def create_token(
    services: Use, who: Who, asked: Annotated[TokenBody, Depends(body(TokenBody))]
) -> Response:
    """Make a token for oneself, or for somebody one is an admin of. It is shown this once."""
    now = services.clock()
    new = new_token(now, services.chance)
    principal = asked.principal or who.name
    token = Token(
        id=new.id,
        principal=principal,
        digest=new.digest,
        scope=asked.scope(),
        created_at=now,
        created_by=who.name,
        label=asked.label,
        expires_at=asked.ends(now, who.lasts_until),
        identity=who.identity if principal == who.name else None,
    )
    return _made(await services.gate.ask(AddToken(who, token, now)), new, now)


@tokens.post(
    "/tokens/{id}:rotate",
    status_code=201,
    response_model=NewTokenShape,
    responses=errors(404, 412, 413),
    dependencies=_OWN,
    openapi_extra=described(RotateBody, required=False),
)
async def rotate_token(
    services: Use,
    who: Who,
    token_id: TokenPath,
    asked: Annotated[RotateBody, Depends(body(RotateBody, optional=True))],
) -> Response:
    """Make a token in the place of another one, which goes on for a while."""
    old, now = _id_of(token_id), services.clock()
    new = new_token(now, services.chance)
    command = RotateToken(who, old, new.id, new.digest, asked.lasts(), now)
    return _made(await services.gate.ask(command), new, now)


@tokens.post(
    "/tokens/{id}:revoke",
    response_model=TokenShape,
    responses=errors(404, 413),
    dependencies=_OWN,
    openapi_extra=described(WhyBody, required=False),
)
async def revoke_token(
    services: Use,
    who: Who,
    token_id: TokenPath,
    asked: Annotated[WhyBody, Depends(body(WhyBody, optional=True))],
) -> Response:
    """End a token now, everywhere. One that was revoked stays as it is."""
    now = services.clock()
    done = await services.gate.ask(RevokeToken(who, _id_of(token_id), now, asked.reason))
    return answer(token_document(done, now))


def _made(token: Token, new: NewToken, now: datetime) -> Response:
    return answer(token_document(token, now) | {"token": new.text}, 201)
