"""Incidents: listed, shown with their timeline, acknowledged, assigned, noted on, resolved."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.responses import Response

from runyard.api import cursors
from runyard.api.alert_bodies import (
    AckIncidentBody,
    AssignBody,
    NoteBody,
    ResolveBody,
)
from runyard.api.alert_queries import IncidentsQuery
from runyard.api.answers import answer
from runyard.api.permits import Who, allowed, permit
from runyard.api.reading import body, described
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.api.shapes_alerts import (
    IncidentShape,
    IncidentsPageShape,
    IncidentTimelineShape,
    event_document,
    incident_document,
)
from runyard.database.port import Tx
from runyard.flow.access import Permission, role_in
from runyard.gate.alerting import TellIncident
from runyard.model.alert import IncidentId
from runyard.model.errors import NotFound
from runyard.model.incident import (
    Acknowledged,
    Assigned,
    Incident,
    IncidentEvent,
    Noted,
    Resolved,
)
from runyard.model.instants import to_micros
from runyard.model.principal import Caller
from runyard.store.alerts import AlertQuestion, IncidentHappening

incidents = router("incidents")
READ, CHANGE = Permission.INCIDENTS_READ, Permission.INCIDENTS_CHANGE
IncidentPath = Annotated[str, Path(alias="id", description="Such as inc_01k….")]
_ID_CHARACTERS_MAX = 60


@incidents.get(
    "/incidents",
    response_model=IncidentsPageShape,
    responses=errors(),
    dependencies=allowed(READ),
)
async def list_incidents(
    services: Use, who: Who, query: Annotated[IncidentsQuery, Query()]
) -> Response:
    """List incidents of an environment, newest first."""
    environment = query.environment or services.settings.environment
    await permit(services, who, READ, environment)
    question = [environment, query.job, query.states()]
    before = None
    if query.page_token:
        micros, last = cursors.place_in(question, query.page_token, ((int,), (str,)))
        before = (micros, last)
    asked = AlertQuestion(environment, query.job or "", query.states(), before, query.page_size + 1)

    async def work(tx: Tx) -> list[Incident]:
        return await services.store.alerts.incidents_page(tx, asked)

    found = await services.database.read(work)
    page, rest = found[: query.page_size], found[query.page_size :]
    token = cursors.token(question, to_micros(page[-1].opened_at), page[-1].id) if rest else ""
    documents = [incident_document(one) for one in page]
    return answer({"incidents": documents, "next_page_token": token})


@incidents.get(
    "/incidents/{id}",
    response_model=IncidentShape,
    responses=errors(404),
    dependencies=allowed(READ),
)
async def get_incident(services: Use, who: Who, incident_id: IncidentPath) -> Response:
    """One incident."""
    return answer(incident_document(await incident_in(services, who, READ, incident_id)))


@incidents.get(
    "/incidents/{id}/timeline",
    response_model=IncidentTimelineShape,
    responses=errors(404),
    dependencies=allowed(READ),
)
async def get_timeline(services: Use, who: Who, incident_id: IncidentPath) -> Response:
    """All that happened to an incident, in order: who did what, and who was told."""
    row = await incident_in(services, who, READ, incident_id)

    async def work(tx: Tx) -> list[IncidentHappening]:
        return await services.store.alerts.history(tx, row.id)

    found = await services.database.read(work)
    return answer({"events": [event_document(one) for one in found]})


@incidents.post(
    "/incidents/{id}:acknowledge",
    response_model=IncidentShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(CHANGE),
    openapi_extra=described(AckIncidentBody, required=False),
)
async def acknowledge(
    services: Use,
    who: Who,
    incident_id: IncidentPath,
    asked: Annotated[AckIncidentBody, Depends(body(AckIncidentBody, optional=True))],
) -> Response:
    """Say that you have it: nothing escalates any more. It is yours, unless it is somebody's."""
    return await _tell(services, who, incident_id, Acknowledged(who.name, asked.note))


@incidents.post(
    "/incidents/{id}:assign",
    response_model=IncidentShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(CHANGE),
    openapi_extra=described(AssignBody),
)
async def assign(
    services: Use,
    who: Who,
    incident_id: IncidentPath,
    asked: Annotated[AssignBody, Depends(body(AssignBody))],
) -> Response:
    """Say whose it is, or that it is nobody's."""
    row = await incident_in(services, who, CHANGE, incident_id)
    if asked.to is not None:
        await _known(services, asked.to, row.environment)
    return await _tell(services, who, incident_id, Assigned(who.name, asked.to or ""))


@incidents.post(
    "/incidents/{id}:note",
    response_model=IncidentShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(CHANGE),
    openapi_extra=described(NoteBody),
)
async def note(
    services: Use,
    who: Who,
    incident_id: IncidentPath,
    asked: Annotated[NoteBody, Depends(body(NoteBody))],
) -> Response:
    """Write something into its timeline, also when it is over."""
    return await _tell(services, who, incident_id, Noted(who.name, asked.text))


@incidents.post(
    "/incidents/{id}:resolve",
    response_model=IncidentShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(CHANGE),
    openapi_extra=described(ResolveBody, required=False),
)
async def resolve(
    services: Use,
    who: Who,
    incident_id: IncidentPath,
    asked: Annotated[ResolveBody, Depends(body(ResolveBody, optional=True))],
) -> Response:
    """Say that it is over, with all its alerts. What is wrong again is a new incident."""
    return await _tell(services, who, incident_id, Resolved(who.name, asked.reason))


async def _tell(services: Services, who: Caller, given: str, event: IncidentEvent) -> Response:
    row = await incident_in(services, who, CHANGE, given)
    command = TellIncident(row.id, event, services.clock(), services.zones)
    return answer(incident_document(await services.gate.ask(command)))


async def incident_in(
    services: Services, who: Caller, permission: Permission, given: str
) -> Incident:
    """The incident. Raises NotFound, or PermissionDenied in its environment."""
    found: list[Incident] = []
    if given.isprintable() and len(given) <= _ID_CHARACTERS_MAX:
        found = await services.database.read(
            lambda tx: services.store.alerts.incidents(tx, [IncidentId(given)])
        )
    if not found:
        raise NotFound(
            "there is no incident with this id", hint="list them with `runyard incidents`"
        )
    await permit(services, who, permission, found[0].environment)
    return found[0]


async def _known(services: Services, name: str, environment: str) -> None:
    """Raises NotFound for who has no role where the incident is."""
    people = await services.database.read(services.store.people.principals)
    for one in people:
        if one.name == name and role_in(Caller(name, one.grants), environment) is not None:
            return
    raise NotFound(
        f"nobody who may look at {environment} is called {name}", hint="see `runyard users`"
    )
