"""What a run came back with, made its job's own. It is an operation."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.bodies import AcceptBody
from runyard.api.changes import Asked, approvals, undertake
from runyard.api.documents_operations import operation_document
from runyard.api.permits import Who, allowed, permit
from runyard.api.reading import body, described
from runyard.api.rest.reads import RunPath, run_in
from runyard.api.rest.routes import errors, router
from runyard.api.rolling_back import toward
from runyard.api.services import Services, Use
from runyard.api.shapes_operations import ChangedShape
from runyard.database.port import Tx
from runyard.flow.access import Permission
from runyard.flow.growing import accepted
from runyard.flow.recovering import offers as offers_of
from runyard.model.errors import NotFound, Refused
from runyard.model.operation import OperationKind
from runyard.model.run import Run
from runyard.store.jobs import JobRow

offers = router("runs")


@offers.post(
    "/runs/{id}:accept",
    response_model=ChangedShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(Permission.JOBS_CHANGE),
    openapi_extra=described(AcceptBody, required=False),
)
async def accept_offer(
    services: Use,
    who: Who,
    run_id: RunPath,
    asked: Annotated[AcceptBody, Depends(body(AcceptBody, optional=True))],
) -> Response:
    """Make what a run came back with its job's own: the longer timeout, the larger memory. Where
    the job has as much by now, nothing is changed."""
    run = await run_in(services, who, run_id)
    await permit(services, who, Permission.JOBS_CHANGE, run.environment, run.project)
    if not offers_of(run):
        raise Refused(
            f"{run.id} has nothing to offer",
            hint="a run has that succeeded with more than its job gives, by `recovery`",
        )
    row = await _job(services, run)
    wish = await toward(services, row, accepted(row.document, run.scaled))
    how = Asked(
        row.environment,
        who,
        asked.reason or f"what {run.id} succeeded with",
        confirmed=asked.confirm,
        approvals_needed=await approvals(services, who, row.environment),
        wait_seconds=asked.wait_seconds,
    )
    done = await undertake(services, OperationKind.APPLY, how, [wish])
    operation = done.operation
    return answer({"operation": None if operation is None else operation_document(operation)})


async def _job(services: Services, run: Run) -> JobRow:
    async def work(tx: Tx) -> list[JobRow]:
        return await services.store.jobs.named(tx, run.environment, run.job)

    found = await services.database.read(work)
    mine = next((row for row in found if row.project == run.project), None)
    if mine is None:
        raise NotFound(f"job {run.job} is not in force any more", hint="`runyard jobs` lists them")
    return mine
