"""Every operation of the API, asked by every role: nothing is allowed that the role forbids, and
whatever is answered is as described."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from runyard.api.app import every_router
from runyard.api.permits import Allowed
from runyard.flow.access import PERMISSIONS, Permission
from runyard.model.event import Ended
from runyard.model.principal import Role
from tests.support.api_server import MANIFEST, Api, serving
from tests.support.stories import outcome

Operation = APIOperation[Any, Any, Any, Any]
ROLES: tuple[Role | None, ...] = (None, *Role)
EXAMPLES = 4  #: requests for each operation and role
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def permissions() -> dict[tuple[str, str], Permission]:
    """What each operation needs; what needs nothing is not in it."""
    return {
        (route.path, method): each.call.permission
        for router in every_router()
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
        for each in route.dependant.dependencies
        if isinstance(each.call, Allowed)
    }


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server with jobs, a run that has ended, and somebody of each role."""
    with serving(tmp_path_factory.mktemp("api"), request_bytes_max=2**23) as started:
        started.apply()
        run = started.run()
        started.behind.viewer.ended.add(f"{run}/1")
        started.tell(run, Ended(1, outcome()))
        yield started


@pytest.fixture(scope="module")
def described(api: Api) -> BaseSchema:
    """What /openapi.json says."""
    document = api.get("//openapi.json")
    for path in document["paths"].values():
        for operation in path.values():
            operation.pop("security", None)
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=api.url)
    return schema


def token_of(api: Api, role: Role | None) -> str:
    """A token of somebody with this role and no other."""
    name = f"some-{role or 'one'}"
    grants = [{"role": role}] if role else []
    made = api.ask("POST", "/principals", {"name": name, "grants": grants})
    assert made.status in (201, 409)
    token: str = api.post("/tokens", {"principal": name}, 201)["token"]
    return token


def operations(described: BaseSchema) -> list[Operation]:
    """All of them."""
    every: list[Any] = list(described.get_all_operations())
    return [cast(Operation, result.ok()) for result in every]


@pytest.mark.parametrize("role", ROLES, ids=lambda role: str(role or "none"))
def test_a_role_may_what_it_may_and_nothing_else(
    role: Role | None, api: Api, described: BaseSchema
) -> None:
    token = token_of(api, role)
    needed = permissions()
    for operation in operations(described):
        permission = needed.get((operation.path, operation.method.upper()))
        is_allowed = permission is None or (
            role is not None and role.rank >= PERMISSIONS[permission].rank
        )
        _ask(operation, token, is_allowed)


def _ask(operation: Operation, token: str, is_allowed: bool) -> None:
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Case[Any]) -> None:
        sent: Any = case.body
        if isinstance(sent, dict) and (files := sent.get("files")):
            sent["files"] = [{"name": files[0]["name"], "text": MANIFEST}]
        response = case.call(headers={"Authorization": f"Bearer {token}"})
        case.validate_response(response, checks=CHECKS)
        if not is_allowed:
            assert response.status_code == 403, (operation.label, response.content)
            assert b"you are some-" in response.content
        assert response.status_code != 401, operation.label

    ask()


def test_every_operation_is_known_by_its_permission(described: BaseSchema) -> None:
    paths = {(one.path, one.method.upper()) for one in operations(described)}
    proved_otherwise = {("/hooks/{project}/{environment}/{job}/{name}", "POST")}
    assert paths - set(permissions()) == {("/health", "GET"), ("/ready", "GET")} | proved_otherwise
