"""Revisions of a job: listed, and compared."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from starlette.responses import Response

from runyard.api import cursors
from runyard.api.answers import answer
from runyard.api.permits import Who, allowed
from runyard.api.planning import unsecret
from runyard.api.queries import DiffQuery, RevisionsQuery
from runyard.api.rest.reads import JobKey, job_key
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.api.shapes_plans import RevisionDiffShape, RevisionPageShape
from runyard.database.port import Tx
from runyard.flow.access import Permission
from runyard.flow.differences import differences
from runyard.flow.risks import risk
from runyard.model.errors import NotFound
from runyard.store.revisions import NEWEST, Revision

revisions = router("jobs")
JobPath = Annotated[str, Path(alias="name", description="The job's name.")]


@revisions.get(
    "/jobs/{name}/revisions",
    response_model=RevisionPageShape,
    responses=errors(404, 412),
    dependencies=allowed(Permission.JOBS_READ),
)
async def list_revisions(
    services: Use, who: Who, name: JobPath, query: Annotated[RevisionsQuery, Query()]
) -> Response:
    """The revisions of a job, newest first; also of one that was deleted, while they are kept."""
    key = await job_key(services, who, name, query.environment, query.project)
    before = NEWEST
    if query.page_token:
        (before,) = cursors.place_in(key, query.page_token, ((int,),))

    async def work(tx: Tx) -> list[Revision]:
        return await services.store.revisions.page(tx, key, before, query.page_size + 1)

    found = await services.database.read(work)
    page, rest = found[: query.page_size], found[query.page_size :]
    older = [*found[1:], None]
    documents = [_document(one, old) for one, old in zip(page, older, strict=False)]
    token = cursors.token(key, page[-1].number) if rest else ""
    return answer({"revisions": documents, "next_page_token": token})


def _document(one: Revision, older: Revision | None) -> dict[str, Any]:
    before = older.document if older else {}
    return {
        "revision": one.number,
        "applied_at": one.applied_at,
        "applied_by": one.applied_by,
        "changed": [each.path for each in differences(before, one.document)] if older else [],
        "spec": one.document,
    }


@revisions.get(
    "/jobs/{name}/revisions:diff",
    response_model=RevisionDiffShape,
    responses=errors(404, 412),
    dependencies=allowed(Permission.JOBS_READ),
)
async def diff_revisions(
    services: Use, who: Who, name: JobPath, query: Annotated[DiffQuery, Query()]
) -> Response:
    """What differs between two revisions of a job; else between the last two."""
    key = await job_key(services, who, name, query.environment, query.project)
    to = await _revision(services, key, query.to)
    since = await _revision(services, key, query.since or max(1, to.number - 1))
    fields = [
        {
            "path": one.path,
            "before": unsecret(one.path, one.before),
            "after": unsecret(one.path, one.after),
            "unsafe": risk(one.steps, one.before, one.after),
        }
        for one in differences(since.document, to.document)
    ]
    return answer({"since": since.number, "to": to.number, "fields": fields})


async def _revision(services: Services, key: JobKey, number: int | None) -> Revision:
    """That revision; None: the newest. Raises NotFound."""
    before = NEWEST if number is None else number + 1

    async def work(tx: Tx) -> list[Revision]:
        return await services.store.revisions.page(tx, key, before, 1)

    found = await services.database.read(work)
    if not found or number not in (None, found[0].number):
        raise NotFound(
            f"job {key[2]} has no revision {number}",
            hint=f"`runyard jobs history {key[2]}` lists those it has",
        )
    return found[0]
