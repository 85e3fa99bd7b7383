"""Each route says which permission it needs; who asks must have it, and where it counts, in the
environment that the request is about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request

from runyard.api.services import Services, services_of
from runyard.database.port import Tx
from runyard.flow.access import GUARDED, NO_GROUND, SOMEWHERE, Ground, Permission, check
from runyard.flow.guarding import guards_at
from runyard.model.errors import PermissionDenied, Unauthenticated
from runyard.model.policy import NO_GUARDS
from runyard.model.principal import Caller


def caller_of(request: Request) -> Caller:
    """Who asks; `edge.bearer` found out."""
    caller: Caller = request.state.caller
    return caller


class Allowed:
    """A dependency that refuses who has a permission nowhere. It names the permission, by which
    the documentation and a test find it."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> None:
        """Raises PermissionDenied."""
        now = services_of(request).clock()
        check(caller_of(request), self.permission, SOMEWHERE, now)


def allowed(permission: Permission) -> list[Any]:
    """The `dependencies` of a route that needs `permission`. What a route is about an environment,
    it checks besides, with `permit`."""
    return [Depends(Allowed(permission))]


async def ground_of(services: Services, environment: str, project: str = "") -> Ground:
    """The guards of an environment now (in all projects that have it, unless one is said), and
    the open exceptions to them."""
    now, store = services.clock(), services.store

    async def work(tx: Tx) -> Ground:
        rows = await store.environments.named(tx, environment)
        bindings = [row.environment for row in rows if project in ("", row.project)]
        guards = guards_at(bindings, now, services.zones)
        if guards == NO_GUARDS:
            return NO_GROUND  # there is nothing that an exception could lift
        found = await store.people.exceptions(tx, now)
        return Ground(guards, tuple(one for one in found if one.environment == environment))

    return await services.database.read(work)


async def permit(
    services: Services,
    caller: Caller,
    permission: Permission,
    environment: str,
    project: str = "",
) -> None:
    """Nothing, when the caller may do what `permission` is about in `environment`, now.

    Raises PermissionDenied.
    """
    guarded = permission in GUARDED
    ground = await ground_of(services, environment, project) if guarded else NO_GROUND
    check(caller, permission, environment, services.clock(), ground)


def still_allowed(
    request: Request, permission: Permission, environment: str
) -> Callable[[], Awaitable[bool]]:
    """Asks anew, each time, whether who asked may still do what was allowed: for what lasts."""

    async def look() -> bool:
        try:
            caller: Caller = await request.state.recheck()
            await permit(services_of(request), caller, permission, environment)
        except (Unauthenticated, PermissionDenied):
            return False
        return True

    return look


async def _caller(request: Request) -> Caller:  # a coroutine, as those of `services`
    return caller_of(request)


Who = Annotated[Caller, Depends(_caller)]  #: how a handler asks who asks
