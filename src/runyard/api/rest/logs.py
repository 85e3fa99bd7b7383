"""Logs: what an attempt's tasks wrote, a page at a time."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.documents import entry_document
from runyard.api.permits import Who, allowed
from runyard.api.queries import LogQuery
from runyard.api.rest.reads import RunPath, attempt_of, run_in
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.api.shapes import LogShape
from runyard.flow.access import Permission
from runyard.model.ids import AttemptKey, attempt_key
from runyard.provider.port import LogPage

logs = router("logs")
_LOOKS_MAX = 16  #: pages that a filter may leave empty before an empty one is answered


@logs.get(
    "/runs/{id}/log",
    response_model=LogShape,
    responses=errors(404),
    dependencies=allowed(Permission.LOGS_READ),
)
async def read_log(
    services: Use, who: Who, run_id: RunPath, query: Annotated[LogQuery, Query()]
) -> Response:
    """Lines of an attempt's log after a position, oldest first."""
    run = await run_in(services, who, run_id, Permission.LOGS_READ)
    number = attempt_of(run, query.attempt)
    if not number:
        ended = run.is_final
        return answer({"attempt": 0, "entries": [], "after": query.after, "ended": ended})
    page = await _page(services, attempt_key(run.id, number), query)
    entries = [entry_document(entry, number) for entry in page.entries]
    return answer({"attempt": number, "entries": entries, "after": page.after, "ended": page.ended})


async def _page(services: Services, key: AttemptKey, query: LogQuery) -> LogPage:
    """A page; where the filter let nothing through, the next one that has something."""
    after = query.after
    for _ in range(_LOOKS_MAX):
        page = await services.viewer.log(key, after, query.limit, query.task)
        if page.entries or page.ended or page.after <= after:
            break
        after = page.after
    return page
