"""What an incident that is over says of the watch: changes of its job's alerts, offered, and one of
them brought into force."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.responses import Response

from runyard.api.alert_bodies import ChangeWatchBody
from runyard.api.answers import answer
from runyard.api.permits import Who, allowed
from runyard.api.reading import body, described
from runyard.api.remedies import ground_of
from runyard.api.rest.incidents import IncidentPath, incident_in
from runyard.api.rest.remedies import before_with, change_job, job_of, permitted, wanted_of
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.api.shapes_remedies import RemedyShape, WatchChangesShape
from runyard.database.port import Tx
from runyard.flow.access import Permission
from runyard.flow.watch_changes import WatchChange, watch_changes
from runyard.flow.wording import listed
from runyard.model.errors import NotFound
from runyard.model.ids import RunId
from runyard.model.incident import Incident, Joined, RemedyAction
from runyard.model.operation import OperationKind
from runyard.store.alerts import AlertQuestion
from runyard.store.jobs import JobRow

changes_of_watch = router("incidents")
BEFORE_MAX = 50  #: incidents of the same before it that are looked at


@changes_of_watch.get(
    "/incidents/{id}/watch-changes",
    response_model=WatchChangesShape,
    responses=errors(404),
    dependencies=allowed(Permission.INCIDENTS_READ),
)
async def list_watch_changes(services: Use, who: Who, incident_id: IncidentPath) -> Response:
    """What an incident that is over says of the watch, as changes of its job's manifest; nothing of
    one that is not over, or whose job is gone."""
    row = await incident_in(services, who, Permission.INCIDENTS_READ, incident_id)
    job = (await ground_of(services, row)).row
    found = await _offers(services, row, job) if job is not None else []
    return answer(
        {
            "changes": [
                {
                    "name": one.name,
                    "rule": one.rule,
                    "reason": one.reason,
                    "fields": [
                        {"path": each.path, "before": each.before, "after": each.after}
                        for each in one.fields
                    ],
                }
                for one in found
            ]
        }
    )


@changes_of_watch.post(
    "/incidents/{id}:change-watch",
    response_model=RemedyShape,
    responses=errors(404, 409, 412, 413),
    dependencies=allowed(Permission.JOBS_CHANGE),
    openapi_extra=described(ChangeWatchBody),
)
async def change_watch(
    services: Use,
    who: Who,
    incident_id: IncidentPath,
    asked: Annotated[ChangeWatchBody, Depends(body(ChangeWatchBody))],
) -> Response:
    """Bring one of these changes into force, as a revision of the job. It is an operation."""
    row = await permitted(services, who, Permission.JOBS_CHANGE, incident_id)
    wanted = wanted_of(row, who, RemedyAction.CHANGE_WATCH, asked)
    if (before := await before_with(services, row, wanted)) is not None:
        return before
    job, _ = await job_of(services, row)
    found = {one.name: one for one in await _offers(services, row, job)}
    if asked.name not in found:
        known = listed([*found])
        raise NotFound(
            f"no change called {asked.name} is offered",
            hint=f"there are {known}" if known else "none is, as long as the incident is not over",
        )
    chosen = found[asked.name]
    what = f"watch of job {job.name} changed: {chosen.name}"
    kind = OperationKind.APPLY
    return await change_job(services, wanted, job, chosen.document, kind, what, asked)


async def _offers(services: Services, row: Incident, job: JobRow) -> list[WatchChange]:
    async def work(tx: Tx) -> list[WatchChange]:
        port = services.store.alerts
        asked = AlertQuestion(row.environment, row.job, limit=BEFORE_MAX)
        before = [
            one
            for one in await port.incidents_page(tx, asked)
            if one.group == row.group and one.id < row.id
        ]
        facts = [one.fact for one in await port.history(tx, row.id)]
        named = [RunId(one.run) for one in facts if isinstance(one, Joined) and one.run]
        runs = await services.store.runs.get(tx, named[-1:])
        outcomes = [run.outcome for run in runs if run.outcome is not None]
        lines = [line for one in outcomes for each in one.failures[:1] for line in each.last_lines]
        return watch_changes(row, before, job.document, lines)

    return await services.database.read(work)
