"""What can be done about an incident, and doing it: each by what does it elsewhere too, in one
transaction with its fact in the timeline and its entry in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Depends
from starlette.responses import Response

from runyard.api.alert_bodies import (
    ChangeIncidentJobBody,
    PauseIncidentBody,
    RaiseMemoryBody,
    RemedyBody,
    ReplayIncidentBody,
    RollBackIncidentBody,
)
from runyard.api.answers import answer
from runyard.api.changes import Asked, approvals, ended, operation_in, undertaking
from runyard.api.permits import Who, allowed, permit
from runyard.api.reading import body, described
from runyard.api.remedies import done_document, ground_of
from runyard.api.rest.incidents import IncidentPath, incident_in
from runyard.api.rest.routes import errors, router
from runyard.api.rolling_back import older, toward
from runyard.api.services import Services, Use
from runyard.api.shapes_remedies import RemedyShape, SuggestionsShape
from runyard.database.port import Tx
from runyard.flow.access import Permission
from runyard.flow.growing import MEMORY_BYTES_MAX, grown, template_memory
from runyard.flow.remedies import suggestion, suggestions
from runyard.flow.wording import count, listed, memory
from runyard.gate.remedying import Done, PauseTriggers, Remedy, Wanted, done_before
from runyard.gate.replaying import BeginReplay
from runyard.gate.reserving import Undertaken
from runyard.model.dead_letter import Replay, ReplayHow, ReplayId
from runyard.model.errors import Fault, InvalidSpec, NotFound, Refused
from runyard.model.ids import OperationId, RunId, stamped
from runyard.model.incident import Incident, Remedied, RemedyAction
from runyard.model.operation import Operation, OperationKind
from runyard.model.principal import Caller
from runyard.model.quantities import memory_bytes_of
from runyard.model.trigger.row import Trigger
from runyard.store.jobs import JobRow

remedies = router("incidents")


@remedies.get(
    "/incidents/{id}/remedies",
    response_model=SuggestionsShape,
    responses=errors(404),
    dependencies=allowed(Permission.INCIDENTS_READ),
)
async def list_remedies(services: Use, who: Who, incident_id: IncidentPath) -> Response:
    """What can be done about an incident, and which of it would make sense now."""
    row = await incident_in(services, who, Permission.INCIDENTS_READ, incident_id)
    found = suggestions((await ground_of(services, row)).case)
    return answer({"actions": [asdict(one) for one in found]})


@remedies.post(
    "/incidents/{id}:replay",
    response_model=RemedyShape,
    responses=errors(404, 409, 412, 413),
    dependencies=allowed(Permission.RUNS_START),
    openapi_extra=described(ReplayIncidentBody, required=False),
)
async def replay(
    services: Use,
    who: Who,
    incident_id: IncidentPath,
    asked: Annotated[ReplayIncidentBody, Depends(body(ReplayIncidentBody, optional=True))],
) -> Response:
    """Have its dead runs replayed on the job as it is now, one after the other: those that are in
    the queue of dead letters still, or one of them. It goes on by itself."""
    row = await permitted(services, who, Permission.RUNS_START, incident_id)
    wanted = wanted_of(row, who, RemedyAction.REPLAY, asked)
    if (before := await before_with(services, row, wanted)) is not None:
        return before
    _, case = await job_of(services, row)
    said = suggestion(case, RemedyAction.REPLAY)
    runs = [RunId(one) for one in said.target if asked.run in (None, one)]
    if not runs:
        which = f"{asked.run} is no dead run of it that waits" if asked.run else said.reason
        raise Refused(f"nothing to replay: {which}", hint="`runyard dead-letters` lists them")
    now = services.clock()
    number = ReplayId(stamped("rp", now, int.from_bytes(services.chance(10))))
    begun = Replay(
        number,
        row.environment,
        f"those of {row.id}",
        ReplayHow(),
        who.name,
        now,
        len(runs),
        asked.per_minute,
        asked.verify_first and len(runs) > 1,
    )

    def told(begun: Replay) -> Remedied:
        what = f"{count(begun.total, 'dead run')} of job {row.job} replayed"
        return _fact(wanted, what, replay=begun.id)

    command = BeginReplay(who, begun, runs, now)
    done = await services.gate.ask(Remedy(wanted, command, told, now, services.zones))
    return answer(done_document(done, None))


@remedies.post(
    "/incidents/{id}:rollback",
    response_model=RemedyShape,
    responses=errors(404, 409, 412, 413),
    dependencies=allowed(Permission.JOBS_CHANGE),
    openapi_extra=described(RollBackIncidentBody, required=False),
)
async def roll_back(
    services: Use,
    who: Who,
    incident_id: IncidentPath,
    asked: Annotated[RollBackIncidentBody, Depends(body(RollBackIncidentBody, optional=True))],
) -> Response:
    """Bring an older revision of its job into force again: the one that succeeded last, or another.
    It is an operation."""
    row = await permitted(services, who, Permission.JOBS_CHANGE, incident_id)
    wanted = wanted_of(row, who, RemedyAction.ROLLBACK, asked)
    if (before := await before_with(services, row, wanted)) is not None:
        return before
    job, case = await job_of(services, row)
    to = asked.to
    if to is None:
        said = suggestion(case, RemedyAction.ROLLBACK)
        if not said.target:
            raise Refused(f"nothing to go back to: {said.reason}", hint="say which: `--to N`")
        to = int(said.target[0])
    document = await older(services, job, to)
    what = f"job {job.name} back to revision {to}"
    kind = OperationKind.ROLLBACK
    return await change_job(services, wanted, job, document, kind, what, asked)


@remedies.post(
    "/incidents/{id}:raise-memory",
    response_model=RemedyShape,
    responses=errors(404, 409, 412, 413),
    dependencies=allowed(Permission.JOBS_CHANGE),
    openapi_extra=described(RaiseMemoryBody, required=False),
)
async def raise_memory(
    services: Use,
    who: Who,
    incident_id: IncidentPath,
    asked: Annotated[RaiseMemoryBody, Depends(body(RaiseMemoryBody, optional=True))],
) -> Response:
    """Give the tasks of its job more memory, with the CPUs that so much needs: what a run came back
    with, else the next size, or another amount. It is an operation."""
    row = await permitted(services, who, Permission.JOBS_CHANGE, incident_id)
    wanted = wanted_of(row, who, RemedyAction.RAISE_MEMORY, asked)
    if (before := await before_with(services, row, wanted)) is not None:
        return before
    job, case = await job_of(services, row)
    to = asked.to
    if to is None:
        said = suggestion(case, RemedyAction.RAISE_MEMORY)
        if not said.target:
            raise Refused(f"there is no more memory to give: {said.reason}")
        to = said.target[0]
    has, amount = template_memory(job.document["template"]), memory_bytes_of(to)
    if not has < amount <= MEMORY_BYTES_MAX:
        expected = f"more than {memory(has)}, which it has, and at most {memory(MEMORY_BYTES_MAX)}"
        raise InvalidSpec("that is not more memory", faults=(Fault("to", to, expected),))
    document = {**job.document, "template": grown(job.document["template"], amount)}
    what = f"{memory(amount)} of memory for the tasks of job {job.name} instead of {memory(has)}"
    kind = OperationKind.APPLY
    return await change_job(services, wanted, job, document, kind, what, asked)


@remedies.post(
    "/incidents/{id}:pause",
    response_model=RemedyShape,
    responses=errors(404, 409, 412, 413),
    dependencies=allowed(Permission.TRIGGERS_PAUSE),
    openapi_extra=described(PauseIncidentBody, required=False),
)
async def pause(
    services: Use,
    who: Who,
    incident_id: IncidentPath,
    asked: Annotated[PauseIncidentBody, Depends(body(PauseIncidentBody, optional=True))],
) -> Response:
    """Keep the schedules of its job from asking for runs (or the one trigger that is named) until
    somebody resumes them."""
    row = await permitted(services, who, Permission.TRIGGERS_PAUSE, incident_id)
    wanted = wanted_of(row, who, RemedyAction.PAUSE, asked)
    if (before := await before_with(services, row, wanted)) is not None:
        return before
    _, case = await job_of(services, row)
    names = (
        suggestion(case, RemedyAction.PAUSE).target if asked.trigger is None else (asked.trigger,)
    )
    keys = [one.key for one in case.triggers if one.name in names]
    if asked.trigger is not None and not keys:
        known = listed([one.name for one in case.triggers])
        raise NotFound(
            f"job {row.job} has no trigger {asked.trigger}",
            hint=f"it has {known}" if known else "it has no triggers",
        )
    reason = f"{row.id}: {asked.reason}".rstrip(": ")

    def told(rows: list[Trigger]) -> Remedied | None:
        names = tuple(one.name for one in rows)
        what = f"{listed(names)} of job {row.job} paused"
        return _fact(wanted, what, triggers=names) if names else None

    now = services.clock()
    command = PauseTriggers(keys, who, reason, now)
    done = await services.gate.ask(Remedy(wanted, command, told, now, services.zones))
    return answer(done_document(done, None))


async def change_job(
    services: Services,
    wanted: Wanted,
    job: JobRow,
    document: Mapping[str, Any],
    kind: OperationKind,
    what: str,
    how: ChangeIncidentJobBody,
) -> Response:
    """Begin the operation that brings `document` into force, and wait for its end as long as asked.

    Raises Refused when it was undone meanwhile.
    """
    environment, wish = job.environment, await toward(services, job, document)
    asked = Asked(
        environment,
        wanted.by,
        f"{wanted.incident}: {wanted.reason}".rstrip(": "),
        confirmed=how.confirm,
        approvals_needed=await approvals(services, wanted.by, environment),
    )

    def told(done: Undertaken) -> Remedied | None:
        return None if done.operation is None else _fact(wanted, what, operation=done.operation.id)

    command = undertaking(services, kind, asked, [wish])
    remedy = Remedy(wanted, command, told, command.now, services.zones)
    done = await services.gate.ask(remedy)
    operation = await _operation(services, done)
    if operation is not None and how.wait_seconds:
        operation = await ended(services, operation, how.wait_seconds)
    return answer(done_document(done, operation))


async def _operation(services: Services, done: Done[Undertaken]) -> Operation | None:
    """The operation that does it. Of one that was asked for before: as it is now."""
    if done.answer is not None:
        return done.answer.operation
    if done.fact is None or not done.fact.operation:
        return None
    return await operation_in(services, OperationId(done.fact.operation))


async def permitted(
    services: Services, who: Caller, permission: Permission, given: str
) -> Incident:
    """The incident, when who asks may both do it and deal with incidents."""
    row = await incident_in(services, who, Permission.INCIDENTS_CHANGE, given)
    await permit(services, who, permission, row.environment, row.project)
    return row


async def before_with(services: Services, row: Incident, wanted: Wanted) -> Response | None:
    """What was done with this key before, whatever has become of the job since."""

    async def work(tx: Tx) -> list[Remedied]:
        return await services.store.alerts.remedies(tx, row.id)

    found = done_before(wanted, await services.database.read(work) if wanted.key else [])
    if found is None:
        return None
    done: Done[Undertaken] = Done(row, found, None)
    return answer(done_document(done, await _operation(services, done)))


async def job_of(services: Services, row: Incident) -> tuple[JobRow, Any]:
    """The job of an incident, and what is known of it. Raises Refused when it is not in force."""
    ground = await ground_of(services, row)
    if ground.row is None:
        raise Refused(
            f"nothing can be done here about {row.id}: {suggestions(ground.case)[0].reason}"
        )
    return ground.row, ground.case


def wanted_of(row: Incident, who: Caller, action: RemedyAction, asked: RemedyBody) -> Wanted:
    """What is asked for, as the gate is asked."""
    return Wanted(row.id, action, who, asked.reason, asked.idempotency_key or "")


def _fact(wanted: Wanted, what: str, **came: Any) -> Remedied:
    return Remedied(wanted.by.name, wanted.action, what, wanted.reason, wanted.key, **came)
