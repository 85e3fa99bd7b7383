"""Subscriptions: made, described, deleted, replayed; messages pulled and acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.event_bodies import (
    AckDeadlineBody,
    AcknowledgeBody,
    PullBody,
    SeekBody,
    SubscriptionBody,
)
from runyard.api.event_shapes import (
    DeliveriesShape,
    StillOutShape,
    SubscriptionShape,
    SubscriptionsShape,
    SubscriptionWithBacklogShape,
    backlog_document,
    deliveries_document,
    subscription_document,
)
from runyard.api.permits import Who, allowed
from runyard.api.queries import EnvironmentQuery
from runyard.api.reading import body, described
from runyard.api.rest.provided import admitted, write_down
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.database.signals import Listener
from runyard.flow.access import Permission
from runyard.model.pubsub.limits import TopicName
from runyard.model.pubsub.message import Delivery

subscriptions = router("subscriptions")
READ, CHANGE, CONSUME = (
    Permission.SUBSCRIPTIONS_READ,
    Permission.SUBSCRIPTIONS_CHANGE,
    Permission.SUBSCRIPTIONS_CONSUME,
)
SubscriptionPath = Annotated[TopicName, Path(alias="name", description="A subscription's name.")]
Where = Annotated[EnvironmentQuery, Query()]


@subscriptions.get(
    "/subscriptions",
    response_model=SubscriptionsShape,
    responses=errors(),
    dependencies=allowed(READ),
)
async def list_subscriptions(services: Use, who: Who, where: Where) -> Response:
    """Every subscription."""
    environment = await admitted(services, who, READ, where)
    found = await services.broker.subscriptions(environment)
    return answer({"subscriptions": [subscription_document(one) for one in found]})


@subscriptions.post(
    "/subscriptions",
    response_model=SubscriptionShape,
    responses=errors(404, 409, 413),
    dependencies=allowed(CHANGE),
    openapi_extra=described(SubscriptionBody),
)
async def create_subscription(
    services: Use,
    who: Who,
    where: Where,
    asked: Annotated[SubscriptionBody, Depends(body(SubscriptionBody))],
) -> Response:
    """Make a subscription. It gets what is published from now on."""
    environment = await admitted(services, who, CHANGE, where)
    wanted = asked.subscription(environment, services.clock())
    document = subscription_document(await services.broker.create_subscription(wanted))
    target = f"subscription/{asked.name}"
    await write_down(services, who, "subscription.create", target, environment, after=document)
    return answer(document)


@subscriptions.get(
    "/subscriptions/{name}",
    response_model=SubscriptionWithBacklogShape,
    responses=errors(404),
    dependencies=allowed(READ),
)
async def get_subscription(
    services: Use, who: Who, where: Where, name: SubscriptionPath
) -> Response:
    """A subscription and what it has to deliver."""
    environment = await admitted(services, who, READ, where)
    found, backlog = await services.broker.subscription(environment, name)
    return answer(subscription_document(found) | {"backlog": backlog_document(backlog)})


@subscriptions.delete(
    "/subscriptions/{name}",
    response_model=SubscriptionShape,
    responses=errors(404),
    dependencies=allowed(CHANGE),
)
async def delete_subscription(
    services: Use, who: Who, where: Where, name: SubscriptionPath
) -> Response:
    """Remove a subscription with what it has to deliver."""
    environment = await admitted(services, who, CHANGE, where)
    document = subscription_document(await services.broker.delete_subscription(environment, name))
    target = f"subscription/{name}"
    await write_down(services, who, "subscription.delete", target, environment, before=document)
    return answer(document)


@subscriptions.post(
    "/subscriptions/{name}:seek",
    response_model=SubscriptionShape,
    responses=errors(404, 413),
    dependencies=allowed(CHANGE),
    openapi_extra=described(SeekBody),
)
async def seek(
    services: Use,
    who: Who,
    where: Where,
    name: SubscriptionPath,
    asked: Annotated[SeekBody, Depends(body(SeekBody))],
) -> Response:
    """Deliver again what was published since an instant, as far as it was kept; what was published
    before counts as acknowledged."""
    environment = await admitted(services, who, CHANGE, where)
    found = await services.broker.seek(environment, name, asked.time)
    target, after = f"subscription/{name}", {"to": asked.time.isoformat()}
    await write_down(services, who, "subscription.seek", target, environment, after=after)
    return answer(subscription_document(found))


@subscriptions.post(
    "/subscriptions/{name}:pull",
    response_model=DeliveriesShape,
    responses=errors(404, 413),
    dependencies=allowed(CONSUME),
    openapi_extra=described(PullBody, required=False),
)
async def pull(
    services: Use,
    who: Who,
    where: Where,
    name: SubscriptionPath,
    asked: Annotated[PullBody, Depends(body(PullBody, optional=True))],
) -> Response:
    """Get messages. What is not acknowledged by its ack deadline is delivered again."""
    environment = await admitted(services, who, CONSUME, where)
    return answer(deliveries_document(await _pulled(services, environment, name, asked)))


async def _pulled(
    services: Services, environment: str, name: str, asked: PullBody
) -> Sequence[Delivery]:
    """What a pull gets; nothing more is waited for when the server stops."""
    wait = timedelta(seconds=asked.wait_seconds)
    pulling = asyncio.ensure_future(
        services.broker.pull(environment, name, asked.max_messages, wait)
    )
    listener = Listener()
    with services.streams.opened(listener):
        stopping = asyncio.ensure_future(listener.wait())
        try:
            done, _ = await asyncio.wait((pulling, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            pulling.cancel()  # of no effect when it is done
    return pulling.result() if pulling in done else []


@subscriptions.post(
    "/subscriptions/{name}:acknowledge",
    response_model=StillOutShape,
    responses=errors(404, 413),
    dependencies=allowed(CONSUME),
    openapi_extra=described(AcknowledgeBody),
)
async def acknowledge(
    services: Use,
    who: Who,
    where: Where,
    name: SubscriptionPath,
    asked: Annotated[AcknowledgeBody, Depends(body(AcknowledgeBody))],
) -> Response:
    """Messages are done with."""
    environment = await admitted(services, who, CONSUME, where)
    return answer({"count": await services.broker.ack(environment, name, asked.ack_ids)})


@subscriptions.post(
    "/subscriptions/{name}:modifyAckDeadline",
    response_model=StillOutShape,
    responses=errors(404, 413),
    dependencies=allowed(CONSUME),
    openapi_extra=described(AckDeadlineBody),
)
async def modify_ack_deadline(
    services: Use,
    who: Who,
    where: Where,
    name: SubscriptionPath,
    asked: Annotated[AckDeadlineBody, Depends(body(AckDeadlineBody))],
) -> Response:
    """Have more time for messages, or give them back."""
    environment = await admitted(services, who, CONSUME, where)
    count = await services.broker.modify(
        environment, name, asked.ack_ids, asked.ack_deadline_seconds
    )
    return answer({"count": count})
