"""How a month went, in incidents."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from runyard.api.alert_queries import IncidentSummaryQuery
from runyard.api.answers import answer
from runyard.api.permits import Who, allowed, permit
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.api.shapes_remedies import IncidentSummaryShape
from runyard.database.port import Tx
from runyard.flow.access import Permission
from runyard.flow.incident_summary import Tally, month
from runyard.model.incident import Incident, Remedied

incident_summary = router("incidents")
PAGE = 500  #: incidents read at once, of about two kilobytes each
REMEDIES_MAX = 100_000  #: of a month, that are counted


@incident_summary.get(
    "/incidents:summary",
    response_model=IncidentSummaryShape,
    responses=errors(),
    dependencies=allowed(Permission.INCIDENTS_READ),
)
async def summarise_incidents(
    services: Use, who: Who, query: Annotated[IncidentSummaryQuery, Query()]
) -> Response:
    """How a month went: how many incidents there were, how long until somebody had them and until
    they were over, which rules made most of them, and what was done."""
    environment = query.environment or services.settings.environment
    await permit(services, who, Permission.INCIDENTS_READ, environment)
    named = query.month or services.clock().strftime("%Y-%m")
    span, job = month(named), query.job or ""
    tally = await _tally(services, environment, job, span)

    async def work(tx: Tx) -> list[Remedied]:
        port = services.store.alerts
        return await port.remedies_between(tx, environment, job, span, REMEDIES_MAX)

    found = tally.summary(await services.database.read(work))
    return answer(
        {"month": named, "environment": environment, "job": job}
        | asdict(found)
        | {"by_severity": dict(found.by_severity), "actions": dict(found.actions)}
    )


async def _tally(
    services: Services, environment: str, job: str, span: tuple[datetime, datetime]
) -> Tally:
    """In pages, each read by itself: nobody waits for a whole month."""
    tally, after = Tally(), (span[0], "")
    while True:

        async def work(tx: Tx, place: tuple[datetime, str] = after) -> list[Incident]:
            port = services.store.alerts
            return await port.incidents_between(tx, environment, place, span[1], PAGE)

        page = await services.database.read(work)
        for one in page:
            if job in ("", one.job):
                tally.add(one)
        if len(page) < PAGE:
            return tally
        after = (page[-1].opened_at, page[-1].id)
