"""Triggers: listed, paused, resumed, fired by hand; and what became of their instants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from starlette.responses import Response

from runyard.api import cursors
from runyard.api.answers import answer
from runyard.api.bodies import CancelBody
from runyard.api.permits import Who, allowed, permit
from runyard.api.queries import InstantsQuery, JobQuery, TriggersQuery
from runyard.api.reading import body, described
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.api.shapes_triggers import (
    InstantPageShape,
    InstantShape,
    TriggerPageShape,
    TriggerShape,
)
from runyard.database.port import Tx
from runyard.flow.access import Permission
from runyard.gate.firing import FireNow, PauseTrigger, ResumeTrigger
from runyard.model.errors import NotFound, Refused
from runyard.model.instants import from_micros, to_micros
from runyard.model.principal import Caller
from runyard.model.trigger.instant import Instant
from runyard.model.trigger.row import Trigger

triggers = router("triggers")
JobPath = Annotated[str, Path(alias="name", description="The job's name.")]
TriggerPath = Annotated[str, Path(alias="trigger", description="The trigger's name in its job.")]
Why = Annotated[CancelBody, Depends(body(CancelBody, optional=True))]
Of = Annotated[JobQuery, Query()]
_END = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)


def trigger_document(row: Trigger) -> dict[str, Any]:
    """TRIGGER of the API."""
    return {
        "project": row.project,
        "environment": row.environment,
        "job": row.job,
        "name": row.name,
        "kind": row.kind,
        "state": row.state,
        "next_at": row.next_at,
        "next_instant": row.next_instant,
        "last_instant": row.last_instant,
        "since": row.since,
        "failures": row.failures,
        "said_by": row.said_by,
        "said_at": row.said_at,
        "reason": row.reason,
        "spec": row.document,
        "version": row.version,
    }


def instant_document(one: Instant) -> dict[str, Any]:
    """INSTANT of the API."""
    return {
        "at": one.at,
        "last_at": one.end,
        "count": one.count,
        "fate": one.fate,
        "reason": one.reason,
        "runs": list(one.runs),
        "origin": one.origin,
        "decided_at": one.decided_at,
    }


@triggers.get(
    "/triggers",
    response_model=TriggerPageShape,
    responses=errors(),
    dependencies=allowed(Permission.JOBS_READ),
)
async def list_triggers(
    services: Use, who: Who, query: Annotated[TriggersQuery, Query()]
) -> Response:
    """List the triggers of the jobs in force, by job, project and name."""
    environment = query.environment or services.settings.environment
    await permit(services, who, Permission.JOBS_READ, environment)
    after = ("", "", "")
    if query.page_token:
        job, project, name = cursors.place_in(environment, query.page_token, ((str,),) * 3)
        after = (job, project, name)

    async def work(tx: Tx) -> list[Trigger]:
        store = services.store.triggers
        if query.job:
            return await store.of_jobs(tx, [(environment, query.job)])
        return await store.page(tx, environment, after, query.page_size + 1)

    found = await services.database.read(work)
    if query.job:
        return answer({"triggers": [trigger_document(one) for one in found], "next_page_token": ""})
    page, rest = found[: query.page_size], found[query.page_size :]
    last = page[-1] if rest else None
    token = cursors.token(environment, last.job, last.project, last.name) if last else ""
    return answer({"triggers": [trigger_document(one) for one in page], "next_page_token": token})


@triggers.get(
    "/jobs/{name}/triggers/{trigger}",
    response_model=TriggerShape,
    responses=errors(404, 412),
    dependencies=allowed(Permission.JOBS_READ),
)
async def get_trigger(
    services: Use, who: Who, name: JobPath, trigger: TriggerPath, query: Of
) -> Response:
    """One trigger of a job."""
    row = await trigger_row(services, who, Permission.JOBS_READ, name, trigger, query)
    return answer(trigger_document(row))


@triggers.get(
    "/jobs/{name}/triggers/{trigger}/instants",
    response_model=InstantPageShape,
    responses=errors(404, 412),
    dependencies=allowed(Permission.JOBS_READ),
)
async def list_instants(
    services: Use,
    who: Who,
    name: JobPath,
    trigger: TriggerPath,
    query: Annotated[InstantsQuery, Query()],
) -> Response:
    """What became of each instant of a trigger: its runs, or the reason why there is none."""
    row = await trigger_row(services, who, Permission.JOBS_READ, name, trigger, query)
    before = _END
    if query.page_token:
        (micros,) = cursors.place_in(row.path, query.page_token, ((int,),))
        before = from_micros(micros)

    async def work(tx: Tx) -> list[Instant]:
        store = services.store.triggers
        return await store.instants(tx, row.path, before, query.page_size + 1)

    found = await services.database.read(work)
    page, rest = found[: query.page_size], found[query.page_size :]
    token = cursors.token(row.path, to_micros(page[-1].at)) if rest else ""
    documents = [instant_document(one) for one in page]
    return answer({"instants": documents, "next_page_token": token})


@triggers.post(
    "/jobs/{name}/triggers/{trigger}:pause",
    response_model=TriggerShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(Permission.TRIGGERS_PAUSE),
    openapi_extra=described(CancelBody, required=False),
)
async def pause_trigger(
    services: Use, who: Who, name: JobPath, trigger: TriggerPath, query: Of, asked: Why
) -> Response:
    """Keep a trigger from asking for runs until it is resumed."""
    row = await trigger_row(services, who, Permission.TRIGGERS_PAUSE, name, trigger, query)
    told = PauseTrigger(row.key, who.name, services.clock(), who.origin, asked.reason)
    return answer(trigger_document(await services.gate.ask(told)))


@triggers.post(
    "/jobs/{name}/triggers/{trigger}:resume",
    response_model=TriggerShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(Permission.TRIGGERS_PAUSE),
    openapi_extra=described(CancelBody, required=False),
)
async def resume_trigger(
    services: Use, who: Who, name: JobPath, trigger: TriggerPath, query: Of, asked: Why
) -> Response:
    """Have a paused trigger ask for runs again. What came meanwhile is recorded, not made up."""
    row = await trigger_row(services, who, Permission.TRIGGERS_PAUSE, name, trigger, query)
    told = ResumeTrigger(row.key, who.name, services.clock(), who.origin, services.zones)
    return answer(trigger_document(await services.gate.ask(told)))


@triggers.post(
    "/jobs/{name}/triggers/{trigger}:fire",
    response_model=InstantShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(Permission.RUNS_START),
    openapi_extra=described(CancelBody, required=False),
)
async def fire_trigger(
    services: Use, who: Who, name: JobPath, trigger: TriggerPath, query: Of, asked: Why
) -> Response:
    """Have a schedule ask for a run now, as it would at its instant; its timetable goes on."""
    row = await trigger_row(services, who, Permission.RUNS_START, name, trigger, query)
    told = FireNow(
        row.key,
        who.name,
        services.clock(),
        who.origin,
        new_id=services.new_run_id,
        zones=services.zones,
    )
    return answer(instant_document(await services.gate.ask(told)))


async def trigger_row(
    services: Services,
    who: Caller,
    permission: Permission,
    job: str,
    trigger: str,
    query: JobQuery,
) -> Trigger:
    """The trigger that is meant. Raises NotFound, or Refused when several projects have one."""
    environment = query.environment or services.settings.environment
    await permit(services, who, permission, environment, query.project or "")

    async def work(tx: Tx) -> list[Trigger]:
        return await services.store.triggers.of_jobs(tx, [(environment, job)])

    found = await services.database.read(work)
    fitting = [one for one in found if one.name == trigger and query.project in (None, one.project)]
    if not fitting:
        shown = f"{job}/{trigger}"
        shown = shown if shown.isprintable() and len(shown) <= 120 else "of this name"
        names = ", ".join(one.name for one in found)
        raise NotFound(
            f"there is no trigger {shown} in environment {environment}",
            hint=f"job {job} has {names}" if names else "`runyard triggers` lists all there are",
        )
    if len(fitting) > 1:
        projects = ", ".join(one.project for one in fitting)
        raise Refused(f"job {job} is in several projects: {projects}; name one with ?project=")
    return fitting[0]
