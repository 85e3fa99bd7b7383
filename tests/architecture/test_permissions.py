"""No route of the API without a permission, and no permission that no route is about."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from runyard.api.app import make_app
from runyard.api.permits import Allowed
from runyard.flow.access import PERMISSIONS, Permission
from runyard.model.principal import Role
from tests.support.api_server import backstage

#: What anybody may ask, with no token: it says nothing that a stranger may not know.
OPEN = {"/health", "/ready"}
#: What no route is about yet.
TO_COME = {
    Permission.SECRETS_ACCESS,  # decided in `access_version`, beside the grants of one secret
    Permission.OPERATIONS_READ,
    Permission.OPERATIONS_CHANGE,
    Permission.OPERATIONS_APPROVE,
    Permission.ENVIRONMENTS_READ,
    Permission.ENVIRONMENTS_CHANGE,
    Permission.PRINCIPALS_READ,
    Permission.PRINCIPALS_CHANGE,
    Permission.TOKENS_OWN,
    Permission.AUDIT_READ,
    Permission.AUDIT_ANCHOR,
    Permission.GUARDS_READ,
    Permission.GUARDS_BREAK,
}


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[APIRoute]:
    """Every route of the API."""

    async def made() -> list[APIRoute]:
        behind = await backstage(tmp_path_factory.mktemp("api"))
        app = make_app(behind.services)
        await behind.services.database.close()
        return list(_routes(app.routes))

    return asyncio.run(made())


def _routes(found: Iterable[object]) -> Iterator[APIRoute]:
    """Also those of routers inside."""
    for route in found:
        if isinstance(route, APIRoute):
            yield route
        elif router := getattr(route, "original_router", None):
            yield from _routes(router.routes)


def permissions(dependant: Dependant) -> list[Permission]:
    """What a route says it needs."""
    calls = [each.call for each in dependant.dependencies]
    return [call.permission for call in calls if isinstance(call, Allowed)]


def test_every_route_names_one_permission(routes: list[APIRoute]) -> None:
    wrong = {
        f"{route.methods} {route.path}": found
        for route in routes
        if route.path not in OPEN and len(found := permissions(route.dependant)) != 1
    }
    assert wrong == {}, "say `dependencies=allowed(Permission.…)` at the route"
    assert {route.path for route in routes} >= OPEN


def test_what_only_looks_needs_only_a_viewer_or_says_why(routes: list[APIRoute]) -> None:
    """Everything a viewer may not is a change, but for the audit log."""
    for route in routes:
        for permission in permissions(route.dependant):
            if route.methods == {"GET"} and permission is not Permission.AUDIT_READ:
                assert PERMISSIONS[permission] is Role.VIEWER, route.path


def test_every_permission_is_asked_for_somewhere(routes: list[APIRoute]) -> None:
    asked = {one for route in routes for one in permissions(route.dependant)}
    assert set(Permission) - asked - TO_COME == set()


def test_permission_comes_before_the_body_is_read(routes: list[APIRoute]) -> None:
    for route in routes:
        calls = [each.call for each in route.dependant.dependencies]
        kinds = [isinstance(call, Allowed) for call in calls]
        if True in kinds and route.body_field is None:
            bodies = [place for place, call in enumerate(calls) if _reads_body(call)]
            assert not bodies or kinds.index(True) < bodies[0], route.path


def _reads_body(call: object) -> bool:
    return getattr(call, "__name__", "") == "reading"
