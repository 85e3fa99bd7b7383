"""Logs: what an attempt's tasks wrote, a page at a time."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.documents import entry_document
from runyard.api.queries import LogQuery
from runyard.api.rest.reads import RunPath, attempt_of, run_in
from runyard.api.rest.routes import errors, router
from runyard.api.services import Use
from runyard.api.shapes import LogShape
from runyard.model.ids import attempt_key

logs = router("logs")


@logs.get("/runs/{id}/log", response_model=LogShape, responses=errors(404))
async def read_log(services: Use, run_id: RunPath, query: Annotated[LogQuery, Query()]) -> Response:
    """Lines of an attempt's log after a position, oldest first."""
    run = await run_in(services, run_id)
    number = attempt_of(run, query.attempt)
    if not number:
        ended = run.is_final
        return answer({"attempt": 0, "entries": [], "after": query.after, "ended": ended})
    key = attempt_key(run.id, number)
    page = await services.viewer.log(key, query.after, query.limit, query.task)
    entries = [entry_document(entry, number) for entry in page.entries]
    return answer({"attempt": number, "entries": entries, "after": page.after, "ended": page.ended})
