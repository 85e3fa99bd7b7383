"""Changes of jobs that are no manifest: deleted, had back, rolled back. Each is an operation."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.bodies import ChangeBody, RollbackBody
from runyard.api.changes import Asked, aim, approvals, look, undertake
from runyard.api.documents_operations import deleted_document, operation_document
from runyard.api.permits import Who, allowed, permit
from runyard.api.queries import DeleteQuery, EnvironmentQuery
from runyard.api.reading import body, described
from runyard.api.rest.routes import errors, router
from runyard.api.rolling_back import older, toward
from runyard.api.services import Services, Use
from runyard.api.shapes_operations import ChangedShape, DeletedJobsShape
from runyard.database.port import Tx
from runyard.flow.access import Permission
from runyard.flow.dependants import Dependant, check_dependants, followers_of
from runyard.gate.reserving import Undertaken
from runyard.model.errors import Fault, InvalidSpec, NotFound, Refused
from runyard.model.operation import OperationKind
from runyard.model.principal import Caller
from runyard.store.deleted_jobs import DeletedJob
from runyard.store.jobs import JobRow
from runyard.store.triggers import Follower

job_changes = router("jobs")
JobPath = Annotated[str, Path(alias="name", description="The job's name.")]


def _answer(done: Undertaken) -> Response:
    operation = done.operation
    return answer({"operation": None if operation is None else operation_document(operation)})


def _shown(name: str) -> str:
    return name if name.isprintable() and len(name) <= 60 else "of this name"


async def _followers(services: Services, environment: str, key: tuple[str, str]) -> list[Dependant]:
    """The chains and absences of other jobs that would wait for this one for ever."""
    job = f"{key[0]}/{environment}/{key[1]}"

    async def work(tx: Tx) -> dict[str, list[Follower]]:
        return await services.store.triggers.followers(tx, [job])

    found = (await services.database.read(work)).get(job, ())
    return followers_of(key, (one.trigger for one in found))


async def _row(services: Services, environment: str, name: str, project: str | None) -> JobRow:
    """The job in force. Raises NotFound, or Refused when several projects have one."""

    async def work(tx: Tx) -> list[JobRow]:
        return await services.store.jobs.named(tx, environment, name)

    rows = await services.database.read(work)
    fitting = [row for row in rows if project in (None, row.project)]
    if not fitting:
        raise NotFound(
            f"there is no job {_shown(name)} in environment {environment}",
            hint="list jobs with `runyard jobs`, or apply a manifest that has it",
        )
    _one([row.project for row in fitting], name)
    return fitting[0]


def _one(projects: list[str], name: str) -> None:
    if len(projects) > 1:
        raise Refused(
            f"job {name} is in several projects: {', '.join(projects)}; name one with `project`"
        )


@job_changes.delete(
    "/jobs/{name}",
    response_model=ChangedShape,
    responses=errors(404, 412),
    dependencies=allowed(Permission.JOBS_CHANGE),
)
async def delete_job(
    services: Use, who: Who, name: JobPath, query: Annotated[DeleteQuery, Query()]
) -> Response:
    """Delete a job with all that was made for it; refused while runs are active or anything
    depends on it. It can be had back for a while."""
    if query.force and not query.reason.strip():
        fault = Fault("reason", "", "why runs are stopped for it", "--reason 'words'")
        raise InvalidSpec("to delete by force needs a reason", faults=(fault,))
    environment = query.environment or services.settings.environment
    await permit(services, who, Permission.JOBS_CHANGE, environment)
    row = await _row(services, environment, name, query.project)
    key = (row.project, row.name)
    dependants = [one for find in services.dependants for one in await find(environment, key)]
    dependants += await _followers(services, environment, key)
    check_dependants(row.name, dependants, cascade=query.cascade)
    looked = await look(services, environment, {key: ()})
    asked = Asked(
        environment,
        who,
        query.reason,
        forced=query.force,
        approvals_needed=await approvals(services, who, environment),
        wait_seconds=query.wait_seconds,
    )
    done = await undertake(services, OperationKind.DELETE, asked, [aim(key, looked[key])])
    return _answer(done)


@job_changes.post(
    "/jobs/{name}:undelete",
    response_model=ChangedShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(Permission.JOBS_CHANGE),
    openapi_extra=described(ChangeBody, required=False),
)
async def undelete_job(
    services: Use,
    who: Who,
    name: JobPath,
    asked: Annotated[ChangeBody, Depends(body(ChangeBody, optional=True))],
) -> Response:
    """Have a deleted job back as it was in force last."""
    environment = asked.environment or services.settings.environment
    await permit(services, who, Permission.JOBS_CHANGE, environment)

    async def work(tx: Tx) -> list[DeletedJob]:
        return await services.store.deleted_jobs.named(tx, environment, name)

    found = await services.database.read(work)
    gone = [
        one for one in found if asked.project in (None, one.project) and one.document is not None
    ]
    if not gone:
        raise NotFound(
            f"job {_shown(name)} was not deleted, or its time to be had back is over",
            hint="`runyard jobs deleted` lists what can be had back",
        )
    _one([one.project for one in gone], name)
    key = (gone[0].project, gone[0].name)
    regions = (gone[0].document or {}).get("regions", ())
    looked = await look(services, environment, {key: regions})
    wish = replace(aim(key, looked[key]), restores=True)
    how = await _asked(services, environment, who, asked)
    return _answer(await undertake(services, OperationKind.UNDELETE, how, [wish]))


async def _asked(services: Services, environment: str, who: Caller, asked: ChangeBody) -> Asked:
    return Asked(
        environment,
        who,
        asked.reason,
        confirmed=asked.confirm,
        approvals_needed=await approvals(services, who, environment),
        wait_seconds=asked.wait_seconds,
    )


@job_changes.post(
    "/jobs/{name}:rollback",
    response_model=ChangedShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(Permission.JOBS_CHANGE),
    openapi_extra=described(RollbackBody, required=False),
)
async def rollback_job(
    services: Use,
    who: Who,
    name: JobPath,
    asked: Annotated[RollbackBody, Depends(body(RollbackBody, optional=True))],
) -> Response:
    """Bring an older revision of a job into force again, as a new revision."""
    environment = asked.environment or services.settings.environment
    await permit(services, who, Permission.JOBS_CHANGE, environment)
    row = await _row(services, environment, name, asked.project)
    wish = await toward(services, row, await older(services, row, asked.to))
    how = await _asked(services, environment, who, asked)
    return _answer(await undertake(services, OperationKind.ROLLBACK, how, [wish]))


@job_changes.get(
    "/deleted-jobs",
    response_model=DeletedJobsShape,
    responses=errors(),
    dependencies=allowed(Permission.JOBS_READ),
)
async def list_deleted_jobs(
    services: Use, who: Who, query: Annotated[EnvironmentQuery, Query()]
) -> Response:
    """List the jobs that were deleted and can be had back."""
    environment = query.environment or services.settings.environment
    await permit(services, who, Permission.JOBS_READ, environment)

    async def work(tx: Tx) -> list[DeletedJob]:
        return await services.store.deleted_jobs.all(tx, environment)

    found = await services.database.read(work)
    return answer({"jobs": [deleted_document(job) for job in found]})
