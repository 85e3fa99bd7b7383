"""Jobs: validated and applied from a manifest, listed, looked at."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from starlette.responses import Response

from runyard.api import cursors
from runyard.api.answers import answer
from runyard.api.bodies import ManifestBody
from runyard.api.documents import applied_document, job_document
from runyard.api.queries import JobQuery, JobsQuery, labels_of
from runyard.api.reading import body, described
from runyard.api.rest.routes import errors, router
from runyard.api.services import Principal, Services, Use
from runyard.api.shapes import JobPageShape, JobShape, ManifestShape
from runyard.database.port import Tx
from runyard.gate.asking import Apply
from runyard.model.errors import NotFound, Refused
from runyard.model.executors import unenforced
from runyard.model.job import JobSpec
from runyard.model.manifest import Loaded, Source, load
from runyard.model.manifest.environments import ProviderName
from runyard.store.jobs import JobRow

jobs = router("jobs")
_BATCH = 500  #: rows read together while a filter is looked for
Manifest = Annotated[ManifestBody, Depends(body(ManifestBody))]


async def _load(services: Services, asked: ManifestBody) -> tuple[str, Loaded]:
    """The environment meant and what the manifest says; in a thread, since it may be long."""
    environment = asked.environment or services.settings.environment
    sources = [Source(file.name, file.text) for file in asked.files]
    settings = services.settings
    here = environment == settings.environment
    loaded = await asyncio.to_thread(
        load,
        sources,
        environment=environment,
        executor=settings.executor if here else None,
        regions=settings.regions if here else (),
    )
    return environment, loaded


def _answer(jobs_made: list[dict[str, Any]], loaded: Loaded) -> Response:
    return answer({"jobs": jobs_made, "warnings": [asdict(each) for each in loaded.warnings]})


@jobs.post(
    "/jobs:validate",
    response_model=ManifestShape,
    responses=errors(413),
    openapi_extra=described(ManifestBody),
)
async def validate(services: Use, asked: Manifest) -> Response:
    """Say what a manifest would bring into force, or everything that is wrong with it."""
    environment, loaded = await _load(services, asked)
    return _answer([applied_document(spec, environment, 0, "") for spec in loaded.jobs], loaded)


@jobs.post(
    "/jobs:apply",
    response_model=ManifestShape,
    responses=errors(413),
    openapi_extra=described(ManifestBody),
)
async def apply(services: Use, by: Principal, asked: Manifest) -> Response:
    """Bring all jobs of a manifest into force, or, when anything is wrong, none."""
    environment, loaded = await _load(services, asked)
    bound = loaded.environments.get(environment)
    if bound is not None and bound.provider is not ProviderName.LOCAL:
        raise Refused(
            f"the environment {environment} is bound to {bound.provider}, which this server "
            "does not reach; nothing was applied",
            hint="apply to an environment of this machine, such as local",
        )
    command = Apply(loaded.jobs, environment, by, services.clock())
    done = await services.gate.ask(command)
    documents = [
        applied_document(spec, environment, each.revision, each.change)
        for spec, each in zip(loaded.jobs, done, strict=True)
    ]
    return _answer(documents, loaded)


@jobs.get("/jobs", response_model=JobPageShape, responses=errors())
async def list_jobs(services: Use, query: Annotated[JobsQuery, Query()]) -> Response:
    """List the jobs of an environment by name."""
    environment = query.environment or services.settings.environment
    question = [environment, query.name, query.label]
    after = ("", "")
    if query.page_token:
        name, project = cursors.place_in(question, query.page_token, ((str,), (str,)))
        after = (name, project)
    found = await _page(services, query, environment, after)
    page, rest = found[: query.page_size], found[query.page_size :]
    token = cursors.token(question, page[-1].name, page[-1].project) if rest else ""
    documents = [_document(services, row) for row in page]
    return answer({"jobs": documents, "next_page_token": token})


async def _page(
    services: Services, query: JobsQuery, environment: str, after: tuple[str, str]
) -> list[JobRow]:
    """One more row than a page has, if there is one."""
    labels = labels_of(query.label)

    async def work(tx: Tx) -> list[JobRow]:
        found: list[JobRow] = []
        last = after
        while len(found) <= query.page_size:
            rows = await _batch(services, tx, query, environment, last)
            if not rows:
                break
            last = (rows[-1].name, rows[-1].project)
            found += [row for row in rows if _has(row, labels)]
        return found[: query.page_size + 1]

    return await services.database.read(work)


async def _batch(
    services: Services, tx: Tx, query: JobsQuery, environment: str, last: tuple[str, str]
) -> list[JobRow]:
    if query.name is None:
        return await services.store.jobs.page(tx, environment, last, _BATCH)
    rows = await services.store.jobs.named(tx, environment, query.name)
    return [row for row in rows if (row.name, row.project) > last]


def _has(row: JobRow, labels: tuple[tuple[str, str], ...]) -> bool:
    own = row.document.get("labels", {})
    return all(own.get(key) == value for key, value in labels)


@jobs.get("/jobs/{name}", response_model=JobShape, responses=errors(404, 412))
async def get_job(
    services: Use,
    name: Annotated[str, Path(description="The job's name.")],
    query: Annotated[JobQuery, Query()],
) -> Response:
    """One job in force."""
    environment = query.environment or services.settings.environment

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
