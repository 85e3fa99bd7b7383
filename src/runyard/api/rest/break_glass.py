"""Exceptions to the guards of an environment: opened for a while, seen by everybody, closed."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.people_bodies import BreakGlassBody
from runyard.api.people_documents import exception_document
from runyard.api.people_shapes import ExceptionShape, ExceptionsShape
from runyard.api.permits import Who, allowed, permit
from runyard.api.reading import body, described
from runyard.api.rest.routes import errors, router
from runyard.api.services import Use
from runyard.flow.access import Permission
from runyard.gate.exceptions import BreakGlass, MendGlass
from runyard.model.errors import NotFound
from runyard.model.ids import RANDOM_BITS, ExceptionId, stamped
from runyard.model.policy import GuardException

break_glass = router("break-glass")
_ID_CHARACTERS_MAX = 60


@break_glass.get(
    "/break-glass",
    response_model=ExceptionsShape,
    responses=errors(),
    dependencies=allowed(Permission.GUARDS_READ),
)
async def list_exceptions(services: Use) -> Response:
    """List the open exceptions, oldest first."""
    now = services.clock()
    found = await services.database.read(lambda tx: services.store.people.exceptions(tx, now))
    return answer({"exceptions": [exception_document(one) for one in found]})


@break_glass.post(
    "/break-glass",
    status_code=201,
    response_model=ExceptionShape,
    responses=errors(413),
    dependencies=allowed(Permission.GUARDS_BREAK),
    openapi_extra=described(BreakGlassBody),
)
async def open_exception(
    services: Use, who: Who, asked: Annotated[BreakGlassBody, Depends(body(BreakGlassBody))]
) -> Response:
    """Lift the guards of an environment for who asks, for a while. Everybody is told."""
    await permit(services, who, Permission.GUARDS_BREAK, asked.environment)
    now = services.clock()
    chance = int.from_bytes(services.chance(RANDOM_BITS // 8))
    opened = GuardException(
        id=ExceptionId(stamped("exc", now, chance)),
        environment=asked.environment,
        by=who.name,
        reason=asked.reason,
        opened_at=now,
        closes_at=now + asked.lasts(),
    )
    done = await services.gate.ask(BreakGlass(who, opened, now))
    return answer(exception_document(done), 201)


@break_glass.post(
    "/break-glass/{id}:close",
    response_model=ExceptionShape,
    responses=errors(404),
    dependencies=allowed(Permission.GUARDS_READ),
)
async def close_exception(
    services: Use,
    who: Who,
    exception_id: Annotated[str, Path(alias="id", description="Such as exc_01k….")],
) -> Response:
    """Close an exception before its end: who opened it may, and an admin of the environment."""
    if not exception_id.isprintable() or len(exception_id) > _ID_CHARACTERS_MAX:
        raise NotFound("there is no exception with this id", hint="list them: GET /break-glass")
    command = MendGlass(who, ExceptionId(exception_id), services.clock())
    return answer(exception_document(await services.gate.ask(command)))
