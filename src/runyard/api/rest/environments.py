"""Environments: applied from a manifest, listed, looked at."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.bodies import EnvironmentsBody
from runyard.api.permits import Who, allowed, permit
from runyard.api.queries import EnvironmentsQuery
from runyard.api.reading import body, described
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.api.shapes_environments import (
    AppliedEnvironmentsShape,
    EnvironmentShape,
    EnvironmentsShape,
)
from runyard.database.port import Tx
from runyard.flow import routing
from runyard.flow.access import Permission, visible
from runyard.flow.freezing import Zones, faults, freeze_at
from runyard.gate.environments import ApplyEnvironments
from runyard.model.environment import Environment
from runyard.model.errors import InvalidSpec, NotFound, Refused
from runyard.model.manifest import Loaded, Source, environments_in
from runyard.model.principal import Caller
from runyard.store.environments import EnvironmentRow

environments = router("environments")
Manifest = Annotated[EnvironmentsBody, Depends(body(EnvironmentsBody))]
Document = dict[str, Any]


@environments.post(
    "/environments:apply",
    response_model=AppliedEnvironmentsShape,
    responses=errors(413),
    dependencies=allowed(Permission.ENVIRONMENTS_CHANGE),
    openapi_extra=described(EnvironmentsBody),
)
async def apply_environments(services: Use, who: Who, asked: Manifest) -> Response:
    """Bring the environments of a manifest into force, or, when anything is wrong, none."""
    loaded = environments_in([Source(file.name, file.text) for file in asked.files])
    _check(loaded, services.zones)
    for name in loaded.environments:
        await permit(services, who, Permission.ENVIRONMENTS_CHANGE, name, loaded.project)
    now, origin = services.clock(), who.origin
    command = ApplyEnvironments(loaded.project, loaded.environments, who.name, now, origin)
    done = await services.gate.ask(command)
    documents = [asdict(each) | {"project": loaded.project} for each in done]
    return answer({"environments": documents})


def _check(loaded: Loaded, zones: Zones) -> None:
    wrong = [
        fault
        for name, environment in loaded.environments.items()
        for fault in (
            *faults(environment.freeze, f"environments.{name}.freeze", zones),
            *routing.faults(environment, f"environments.{name}", zones),
        )
    ]
    if wrong:
        said = f"{len(wrong)} faults" if len(wrong) > 1 else "1 fault"
        raise InvalidSpec(f"the manifest has {said}", faults=tuple(wrong))


@environments.get(
    "/environments",
    response_model=EnvironmentsShape,
    responses=errors(),
    dependencies=allowed(Permission.ENVIRONMENTS_READ),
)
async def list_environments(
    services: Use, who: Who, query: Annotated[EnvironmentsQuery, Query()]
) -> Response:
    """List environments by project and name: those that were applied, and those that have jobs."""
    found = await _found(services, who)
    fitting = [one for one in found if query.project in (None, one["project"])]
    return answer({"environments": fitting})


@environments.get(
    "/environments/{name}",
    response_model=EnvironmentShape,
    responses=errors(404, 412),
    dependencies=allowed(Permission.ENVIRONMENTS_READ),
)
async def get_environment(
    services: Use,
    who: Who,
    name: Annotated[str, Path(description="The environment's name.")],
    query: Annotated[EnvironmentsQuery, Query()],
) -> Response:
    """One environment."""
    found = [one for one in await _found(services, who) if one["name"] == name]
    fitting = [one for one in found if query.project in (None, one["project"])]
    if not fitting:
        shown = name if name.isprintable() and len(name) <= 60 else "of this name"
        hint = "list environments with `runyard environments`"
        raise NotFound(f"there is no environment {shown}", hint=hint)
    if len(fitting) > 1:
        projects = ", ".join(one["project"] for one in fitting)
        raise Refused(f"{name} is in several projects: {projects}; name one with ?project=")
    return answer(fitting[0])


async def _found(services: Services, who: Caller) -> list[Document]:
    """Those that who asks may see."""
    now, seen = services.clock(), visible(who)

    async def work(tx: Tx) -> tuple[list[EnvironmentRow], dict[tuple[str, str], int]]:
        store = services.store.environments
        return await store.every(tx), await store.used(tx)

    rows, used = await services.database.read(work)
    by_key = {(row.project, row.name): row for row in rows}
    return [
        _document(key, by_key.get(key), used.get(key, 0), now, services.zones)
        for key in sorted({*by_key, *used})
        if seen is None or key[1] in seen
    ]


def _document(
    key: tuple[str, str], row: EnvironmentRow | None, jobs: int, now: datetime, zones: Zones
) -> Document:
    environment = row.environment if row else Environment()
    frozen = freeze_at(environment.freeze, now, zones)
    return {
        "project": key[0],
        "name": key[1],
        "provider": environment.provider,
        "google_project": environment.google_project,
        "regions": list(environment.regions),
        "approvals": environment.approvals,
        "freeze": [one.document() for one in environment.freeze],
        "frozen": frozen.reason if frozen else "",
        "allow": environment.allow.document(),
        "channels": {name: one.kind for name, one in sorted(environment.channels.items())},
        "routes": [one.document() for one in environment.routes],
        "escalation": [one.document() for one in environment.escalation],
        "maintenance": [one.document() for one in environment.maintenance],
        "jobs": jobs,
        "revision": row.revision if row else 0,
        "applied_at": row.applied_at if row else None,
        "applied_by": row.applied_by if row else "",
    }
