"""Events: what happens to a run, live."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Query, Request
from starlette.responses import Response

from runyard.api.bookmarks import FORM, Bookmark
from runyard.api.event_stream import EventStream
from runyard.api.following import Follower
from runyard.api.permits import Who, allowed, still_allowed
from runyard.api.queries import EventsQuery
from runyard.api.rest.reads import RunPath, run_in
from runyard.api.rest.routes import errors, router
from runyard.api.services import Use
from runyard.flow.access import Permission
from runyard.model.forms import Shaped

events = router("events")
_STREAM = {
    "description": "Server-sent events: `run`, `progress`, `log`, and `end` as the last.",
    "content": {
        "text/event-stream": {
            "schema": {
                "description": "One event; `data` is JSON.",
                "type": "object",
                "properties": {
                    "id": {"type": "string", "pattern": f"^{FORM}$"},
                    "event": {"enum": ["run", "progress", "log", "end"]},
                    "data": {"type": "string"},
                },
            }
        }
    },
}


@events.get(
    "/runs/{id}/events",
    response_class=Response,
    dependencies=allowed(Permission.LOGS_READ),
    responses=errors(404)
    | {
        200: _STREAM,
        204: {"description": "All was told, up to the end: there is no need to come back."},
    },
)
async def follow_run(
    services: Use,
    who: Who,
    request: Request,
    run_id: RunPath,
    query: Annotated[EventsQuery, Query()],
    last_event_id: Annotated[
        str,
        Header(description="Go on after the event with this id; nothing is told twice."),
        Shaped(f"(?:{FORM})?", "the id of an event of this stream", 64),
    ] = "",
) -> Response:
    """Follow a run: its row at once and on each change, task counts, log lines, its end.

    `id:` lines allow resuming with the header Last-Event-ID. A comment comes every 15 s of silence.
    """
    told = Bookmark.of(last_event_id)
    run = await run_in(services, who, run_id, Permission.LOGS_READ)
    if told.ended and run.is_final and told.version >= run.version:
        return Response(status_code=204)
    still = still_allowed(request, Permission.LOGS_READ, run.environment)
    follower = Follower(services, run.id, told, wants_log=query.log, still=still)
    return EventStream(follower.events())
