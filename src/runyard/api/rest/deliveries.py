"""Deliveries to webhooks: listed, looked at, brought again."""

from __future__ import annotations

import base64
import re
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from starlette.responses import Response

from runyard.api import cursors
from runyard.api.answers import answer
from runyard.api.hooks.documents import (
    CalledShape,
    ContentShape,
    WebhookDeliveriesShape,
    WebhookDeliveryShape,
    delivery_document,
)
from runyard.api.permits import Who, allowed, permit
from runyard.api.queries import DeliveriesQuery
from runyard.api.reading import body, described
from runyard.api.rest.hooks import new_delivery_id, taken_answer
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.api.trigger_bodies import RedeliverBody
from runyard.database.port import Tx
from runyard.flow.access import Permission, visible
from runyard.flow.webhook.reading import told_of
from runyard.gate.delivering import Take
from runyard.model.delivery import Delivery, DeliveryFate
from runyard.model.errors import CallerError, InvalidSpec, NotFound, Refused
from runyard.model.trigger.pointing import Told

deliveries = router("hooks")
READ = Permission.HOOKS_READ
_ID = re.compile("dlv_[0-9abcdefghjkmnpqrstvwxyz]{26}")
DeliveryPath = Annotated[str, Path(alias="id", description="A delivery's id, such as dlv_01k….")]
How = Annotated[RedeliverBody, Depends(body(RedeliverBody, optional=True))]


@deliveries.get(
    "/deliveries",
    response_model=WebhookDeliveriesShape,
    responses=errors(),
    dependencies=allowed(READ),
)
async def list_deliveries(
    services: Use, who: Who, query: Annotated[DeliveriesQuery, Query()]
) -> Response:
    """Deliveries, the latest first: what came, and what became of it."""
    if query.environment:
        await permit(services, who, READ, query.environment)
    question = query.question(visible(who))
    before = ""
    if query.page_token:
        (before,) = cursors.place_in(question, query.page_token, ((str,),))

    async def work(tx: Tx) -> list[Delivery]:
        return await services.store.deliveries.page(tx, question, before, query.page_size + 1)

    found = await services.database.read(work)
    page, rest = found[: query.page_size], found[query.page_size :]
    token = cursors.token(question, page[-1].id) if rest else ""
    return answer(
        {"deliveries": [delivery_document(one) for one in page], "next_page_token": token}
    )


@deliveries.get(
    "/deliveries/{id}",
    response_model=WebhookDeliveryShape,
    responses=errors(404),
    dependencies=allowed(READ),
)
async def get_delivery(services: Use, who: Who, identity: DeliveryPath) -> Response:
    """A delivery, without its content."""
    return answer(delivery_document(await _found(services, who, READ, identity)))


@deliveries.post(
    "/deliveries/{id}:content",
    response_model=ContentShape,
    responses=errors(404),
    dependencies=allowed(Permission.HOOKS_CONTENT),
)
async def read_content(services: Use, who: Who, identity: DeliveryPath) -> Response:
    """What was sent."""
    found = await _found(services, who, Permission.HOOKS_CONTENT, identity)
    content = await _content(services, found)
    return answer({"id": found.id, "content_base64": base64.b64encode(content).decode()})


@deliveries.post(
    "/deliveries/{id}:redeliver",
    status_code=202,
    response_model=CalledShape,
    responses=errors(404, 412)
    | {200: {"model": CalledShape, "description": "It asked for no run."}},
    dependencies=allowed(Permission.RUNS_START),
    openapi_extra=described(RedeliverBody, required=False),
)
async def redeliver(
    request: Request, services: Use, who: Who, identity: DeliveryPath, asked: How
) -> Response:
    """Bring a delivery again, to its job as it is now or as it was; also one that led to runs."""
    old = await _found(services, who, Permission.RUNS_START, identity)
    if old.fate is DeliveryFate.DOUBTED:
        raise Refused(
            f"{old.id} did not prove to be who it should be",
            hint="have it sent again by who has the secret",
        )
    if old.fate is DeliveryFate.GATHERED:
        raise Refused(
            f"{old.id} waits for others, to be one run with them",
            hint="once that run is asked for, it can be brought again by itself",
        )
    content, now = await _content(services, old), services.clock()
    new = old.evolve(
        id=new_delivery_id(services),
        key="",
        received_at=now,
        last_at=now,
        count=1,
        redelivers=old.redelivers or old.id,
        by=who.name,
        address=who.origin.address,
    )
    project, environment, job, name = old.trigger.split("/")
    taken = await services.gate.ask(
        Take(
            (project, environment, job, name),
            new,
            _told(old, content),
            content,
            now,
            services.new_run_id,
            who.origin,
            old,
            old.revision if asked.as_it_was else None,
        )
    )
    return taken_answer(request, services, taken)


def _told(old: Delivery, content: bytes) -> Told | CallerError:
    try:
        return told_of(old.headers, content)
    except InvalidSpec as error:
        return error


async def _found(services: Services, who: Who, permission: Permission, identity: str) -> Delivery:
    """The delivery. Raises NotFound, or PermissionDenied in its environment."""
    known = _ID.fullmatch(identity) is not None

    async def work(tx: Tx) -> Delivery | None:
        return await services.store.deliveries.get(tx, identity) if known else None

    found = await services.database.read(work)
    if found is None:
        raise NotFound(
            f"there is no delivery {identity if known else 'with this id'}",
            hint="list them with `runyard hooks deliveries`",
        )
    await permit(services, who, permission, found.environment)
    return found


async def _content(services: Services, delivery: Delivery) -> bytes:
    async def work(tx: Tx) -> bytes:
        return await services.store.deliveries.content(tx, delivery.id)

    return await services.database.read(work)
