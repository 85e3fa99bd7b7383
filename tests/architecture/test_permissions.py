"""No route of the API without a permission, and no permission that no route is about."""

from __future__ import annotations

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from runyard.api.app import every_router
from runyard.api.permits import Allowed
from runyard.flow.access import PERMISSIONS, Permission
from runyard.model.principal import Role

#: What anybody may ask, with no token: it says nothing that a stranger may not know.
OPEN = {"/health", "/ready"}
#: What proves itself by a signature of what it brings.
SIGNED = {"/hooks/{project}/{environment}/{job}/{name}"}

#: What a handler itself asks for, besides what its route names.
IN_HANDLERS = {Permission.SECRETS_ACCESS}
ROUTES = [
    route for router in every_router() for route in router.routes if isinstance(route, APIRoute)
]


def permissions(dependant: Dependant) -> list[Permission]:
    """What a route says it needs."""
    calls = [each.call for each in dependant.dependencies]
    return [call.permission for call in calls if isinstance(call, Allowed)]


def test_every_route_names_one_permission() -> None:
    wrong = {
        f"{route.methods} {route.path}": found
        for route in ROUTES
        if route.path not in OPEN | SIGNED and len(found := permissions(route.dependant)) != 1
    }
    assert wrong == {}, "say `dependencies=allowed(Permission.…)` at the route"
    assert {route.path for route in ROUTES} >= OPEN | SIGNED


def test_what_only_looks_needs_only_a_viewer_or_says_why() -> None:
    """Everything a viewer may not is a change, but for the audit log."""
    for route in ROUTES:
        for permission in permissions(route.dependant):
            if route.methods == {"GET"} and permission is not Permission.AUDIT_READ:
                assert PERMISSIONS[permission] is Role.VIEWER, route.path


def test_every_permission_is_asked_for_somewhere() -> None:
    asked = {one for route in ROUTES for one in permissions(route.dependant)}
    assert asked | IN_HANDLERS == set(Permission)


def test_permission_comes_before_the_body_is_read() -> None:
    for route in ROUTES:
        calls = [each.call for each in route.dependant.dependencies]
        kinds = [isinstance(call, Allowed) for call in calls]
        if True in kinds and route.body_field is None:
            bodies = [place for place, call in enumerate(calls) if _reads_body(call)]
            assert not bodies or kinds.index(True) < bodies[0], route.path


def _reads_body(call: object) -> bool:
    return getattr(call, "__name__", "") == "reading"
