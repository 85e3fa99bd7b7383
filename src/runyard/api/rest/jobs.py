"""Jobs: validated and applied from a manifest, listed, looked at."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from starlette.responses import Response

from runyard.api import cursors
from runyard.api.answers import answer
from runyard.api.applying import apply
from runyard.api.bindings import bound, differing, known, refuse_elsewhere
from runyard.api.bodies import ApplyBody, ManifestBody
from runyard.api.changes import Asked
from runyard.api.documents import applied_document, job_document
from runyard.api.documents_operations import operation_document
from runyard.api.permits import Who, allowed, ground_of, permit
from runyard.api.queries import JobQuery, JobsQuery
from runyard.api.reading import body, described
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.api.shapes import JobPageShape, JobShape, ManifestShape
from runyard.api.shapes_operations import ApplyShape
from runyard.database.port import Tx
from runyard.flow.access import Permission, approvals_needed
from runyard.flow.schedule.surprises import surprises
from runyard.model.environment import Environment
from runyard.model.errors import NotFound, Refused
from runyard.model.executors import unenforced
from runyard.model.job import JobSpec
from runyard.model.manifest import Loaded, Source, load
from runyard.store import job_list
from runyard.store.job_list import AfterJob
from runyard.store.jobs import JobRow

jobs = router("jobs")
Manifest = Annotated[ManifestBody, Depends(body(ManifestBody))]


async def load_manifest(services: Services, asked: ManifestBody) -> tuple[str, Loaded, Environment]:
    """The environment meant, what the manifest says (in a thread, since it may be long), and what
    the environment is bound to."""
    environment = asked.environment or services.settings.environment
    stored = await known(services, environment)
    loaded = await asyncio.to_thread(
        load,
        [Source(file.name, file.text) for file in asked.files],
        environment=environment,
        executor=services.settings.executor,
        regions=services.settings.regions,
        known=stored,
        zones=services.zones,
        advise=partial(surprises, zones=services.zones, now=services.clock()),
    )
    warnings = (*loaded.warnings, *differing(loaded, environment, stored))
    told = replace(loaded, warnings=warnings)
    return environment, told, bound(loaded, environment, stored)


def _answer(jobs_made: list[dict[str, Any]], loaded: Loaded) -> Response:
    return answer({"jobs": jobs_made, "warnings": [asdict(each) for each in loaded.warnings]})


@jobs.post(
    "/jobs:validate",
    response_model=ManifestShape,
    responses=errors(413),
    dependencies=allowed(Permission.JOBS_READ),
    openapi_extra=described(ManifestBody),
)
async def validate(services: Use, asked: Manifest) -> Response:
    """Say what a manifest would bring into force, or everything that is wrong with it."""
    environment, loaded, _ = await load_manifest(services, asked)
    return _answer([applied_document(spec, environment, 0, "") for spec in loaded.jobs], loaded)


@jobs.post(
    "/jobs:apply",
    response_model=ApplyShape,
    responses=errors(409, 412, 413),
    dependencies=allowed(Permission.JOBS_CHANGE),
    openapi_extra=described(ApplyBody),
)
async def apply_jobs(
    services: Use, who: Who, asked: Annotated[ApplyBody, Depends(body(ApplyBody))]
) -> Response:
    """Bring all jobs of a manifest into force, or, when anything is wrong, none.

    It is an operation, whose end is waited for as long as asked: refused when it was undone."""
    environment, loaded, binding = await load_manifest(services, asked)
    await permit(services, who, Permission.JOBS_CHANGE, environment, loaded.project)
    await refuse_elsewhere(services, environment, loaded.project, binding)
    ground = await ground_of(services, environment, loaded.project)
    how = Asked(
        environment,
        who,
        asked.reason,
        confirmed=asked.confirm,
        approvals_needed=approvals_needed(who, ground, services.clock()),
        wait_seconds=asked.wait_seconds,
    )
    done = await apply(services, loaded.jobs, how, asked.drift, asked.plan_token)
    documents = [
        applied_document(spec, environment, each.revision, each.change)
        for spec, each in zip(loaded.jobs, done.changes, strict=True)
    ]
    operation = None if done.operation is None else operation_document(done.operation)
    warnings = [asdict(each) for each in loaded.warnings]
    return answer({"jobs": documents, "warnings": warnings, "operation": operation})


@jobs.get(
    "/jobs",
    response_model=JobPageShape,
    responses=errors(),
    dependencies=allowed(Permission.JOBS_READ),
)
async def list_jobs(services: Use, who: Who, query: Annotated[JobsQuery, Query()]) -> Response:
    """List the jobs of an environment, by name unless asked otherwise."""
    environment = query.environment or services.settings.environment
    await permit(services, who, Permission.JOBS_READ, environment)
    question = query.question(environment)
    after = None
    if query.page_token:
        kind = str if question.sort in job_list.TEXT_SORTS else int
        kinds = ((kind,), (str,), (str,))
        after = AfterJob(*cursors.place_in(question, query.page_token, kinds))

    async def work(tx: Tx) -> list[JobRow]:
        limit = query.page_size + 1
        return await job_list.page(tx, services.store.jobs, question, after, limit)

    found = await services.database.read(work)
    page, rest = found[: query.page_size], found[query.page_size :]
    token = ""
    if rest:
        last = job_list.place_of(page[-1], question)
        token = cursors.token(question, last.place, last.name, last.project)
    documents = [_document(services, row) for row in page]
    return answer({"jobs": documents, "next_page_token": token})


@jobs.get(
    "/jobs/{name}",
    response_model=JobShape,
    responses=errors(404, 412),
    dependencies=allowed(Permission.JOBS_READ),
)
async def get_job(
    services: Use,
    who: Who,
    name: Annotated[str, Path(description="The job's name.")],
    query: Annotated[JobQuery, Query()],
) -> Response:
    """One job in force."""
    environment = query.environment or services.settings.environment
    await permit(services, who, Permission.JOBS_READ, environment)

    async def work(tx: Tx) -> list[JobRow]:
        return await services.store.jobs.named(tx, environment, name)

    found = await services.database.read(work)
    fitting = [row for row in found if query.project in (None, row.project)]
    if not fitting:
        shown = name if name.isprintable() and len(name) <= 60 else "of this name"
        hint = "list jobs with `runyard jobs`, or apply a manifest that has it"
        raise NotFound(f"there is no job {shown} in environment {environment}", hint=hint)
    if len(fitting) > 1:
        projects = ", ".join(row.project for row in fitting)
        raise Refused(f"job {name} is in several projects: {projects}; name one with ?project=")
    return answer(_document(services, fitting[0]))


def _document(services: Services, row: JobRow) -> dict[str, Any]:
    spec = JobSpec.from_document(row.document)
    executor = services.settings.executor
    return job_document(row, spec, unenforced(spec, executor) if executor else ())
