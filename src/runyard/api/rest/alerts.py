"""Alerts, listed; and silences, by which nobody is told of some."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.responses import Response

from runyard.api import cursors
from runyard.api.alert_bodies import SilenceBody
from runyard.api.alert_queries import AlertsQuery
from runyard.api.answers import answer
from runyard.api.permits import Who, allowed, permit
from runyard.api.queries import EnvironmentQuery
from runyard.api.reading import body, described
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.api.shapes_alerts import (
    AlertsPageShape,
    SilenceShape,
    SilencesShape,
    alert_document,
    silence_document,
)
from runyard.database.port import Tx
from runyard.flow.access import Permission
from runyard.gate.alerting import AddSilence, EndSilence
from runyard.model.alert import Alert, Silence, SilenceId
from runyard.model.errors import NotFound
from runyard.model.ids import RANDOM_BITS, stamped
from runyard.model.instants import to_micros
from runyard.store.alerts import AlertQuestion

alerts = router("alerts")
READ, CHANGE = Permission.ALERTS_READ, Permission.ALERTS_CHANGE
_ID_CHARACTERS_MAX = 60


@alerts.get(
    "/alerts",
    response_model=AlertsPageShape,
    responses=errors(),
    dependencies=allowed(READ),
)
async def list_alerts(services: Use, who: Who, query: Annotated[AlertsQuery, Query()]) -> Response:
    """List alerts of an environment, newest first."""
    environment = query.environment or services.settings.environment
    await permit(services, who, READ, environment)
    question = [environment, query.job, query.states()]
    before = None
    if query.page_token:
        micros, last = cursors.place_in(question, query.page_token, ((int,), (str,)))
        before = (micros, last)
    asked = AlertQuestion(environment, query.job or "", query.states(), before, query.page_size + 1)

    async def work(tx: Tx) -> list[Alert]:
        return await services.store.alerts.page(tx, asked)

    found = await services.database.read(work)
    page, rest = found[: query.page_size], found[query.page_size :]
    token = cursors.token(question, to_micros(page[-1].opened_at), page[-1].id) if rest else ""
    return answer({"alerts": [alert_document(one) for one in page], "next_page_token": token})


@alerts.get(
    "/silences",
    response_model=SilencesShape,
    responses=errors(),
    dependencies=allowed(READ),
)
async def list_silences(
    services: Use, who: Who, query: Annotated[EnvironmentQuery, Query()]
) -> Response:
    """List the silences of an environment that hold."""
    environment = query.environment or services.settings.environment
    await permit(services, who, READ, environment)
    now = services.clock()

    async def work(tx: Tx) -> list[Silence]:
        return await services.store.alerts.silences(tx, environment, now)

    found = await services.database.read(work)
    return answer({"silences": [silence_document(one) for one in found]})


@alerts.post(
    "/silences",
    status_code=201,
    response_model=SilenceShape,
    responses=errors(413),
    dependencies=allowed(CHANGE),
    openapi_extra=described(SilenceBody),
)
async def add_silence(
    services: Use, who: Who, asked: Annotated[SilenceBody, Depends(body(SilenceBody))]
) -> Response:
    """Have nobody told of the alerts of a job, of a rule, or of all, for a while."""
    environment = asked.environment or services.settings.environment
    await permit(services, who, CHANGE, environment)
    now = services.clock()
    chance = int.from_bytes(services.chance(RANDOM_BITS // 8))
    made = Silence(
        id=SilenceId(stamped("sil", now, chance)),
        environment=environment,
        job=asked.job or "",
        rule=asked.rule or "",
        begins_at=now,
        ends_at=now + timedelta(seconds=asked.seconds),
        by=who.name,
        reason=asked.reason,
    )
    done = await services.gate.ask(AddSilence(who, made, now, services.zones))
    return answer(silence_document(done), 201)


@alerts.post(
    "/silences/{id}:end",
    response_model=SilenceShape,
    responses=errors(404),
    dependencies=allowed(CHANGE),
)
async def end_silence(
    services: Use,
    who: Who,
    silence_id: Annotated[str, Path(alias="id", description="Such as sil_01k….")],
) -> Response:
    """Have people told again."""
    silence = await _silence(services, silence_id)
    await permit(services, who, CHANGE, silence.environment)
    command = EndSilence(who, silence.id, services.clock(), services.zones)
    return answer(silence_document(await services.gate.ask(command)))


async def _silence(services: Services, given: str) -> Silence:
    found = None
    if given.isprintable() and len(given) <= _ID_CHARACTERS_MAX:
        found = await services.database.read(
            lambda tx: services.store.alerts.silence(tx, SilenceId(given))
        )
    if found is None:
        raise NotFound("there is no silence with this id", hint="list them: GET /silences")
    return found
