"""What a schedule means, before it is written into anything."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.permits import allowed
from runyard.api.queries import SchedulePreviewQuery
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.api.shapes_triggers import SchedulePreviewShape
from runyard.flow.access import Permission
from runyard.flow.schedule.instants import Timetable
from runyard.flow.schedule.preview import preview
from runyard.flow.schedule.preview_document import preview_document
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.recurrence.nouns import Dst, NotARecurrence, Recurrence
from runyard.model.recurrence.reading import read
from runyard.model.zones import EXPECTED

schedules = router("triggers")


@schedules.get(
    "/schedules:preview",
    response_model=SchedulePreviewShape,
    responses=errors(),
    dependencies=allowed(Permission.JOBS_READ),
)
async def preview_schedule(
    services: Use, query: Annotated[SchedulePreviewQuery, Query()]
) -> Response:
    """The next instants of a schedule in local time and in UTC, and what the next two changes of
    clocks do to it."""
    return answer(_document(services, query))


def _document(services: Services, query: SchedulePreviewQuery) -> dict[str, Any]:
    zone = services.zones.find(query.time_zone)
    if zone is None:
        near = services.zones.near(query.time_zone)
        fault = Fault("time_zone", repr(query.time_zone), EXPECTED, near)
        raise InvalidSpec("the time zone is not known", faults=(fault,))
    table = Timetable(_recurrence(query.schedule), zone, Dst(query.gap, query.overlap))
    seen = preview(table, query.since or services.clock(), query.count)
    return preview_document(query.schedule, query.time_zone, table, seen)


def _recurrence(text: str) -> Recurrence:
    try:
        return read(text)
    except NotARecurrence as error:
        fault = Fault("schedule", repr(error.part), error.expected, error.hint)
        raise InvalidSpec("the schedule is not understood", faults=(fault,)) from None
