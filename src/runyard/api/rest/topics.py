"""Topics: made, described, deleted, published to, also by CloudEvents over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.event_bodies import PublishBody, TopicBody
from runyard.api.event_shapes import (
    PublishedShape,
    TopicShape,
    TopicsShape,
    TopicWithSubscriptionsShape,
    topic_document,
)
from runyard.api.permits import Who, allowed
from runyard.api.queries import EnvironmentQuery
from runyard.api.reading import body, described
from runyard.api.rest.provided import admitted, write_down
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.flow.access import Permission
from runyard.model.principal import Caller
from runyard.model.pubsub.cloudevents import read_http
from runyard.model.pubsub.limits import MESSAGES_MAX, TopicName
from runyard.model.pubsub.message import Draft

topics = router("topics")
READ, CHANGE, PUBLISH = (
    Permission.TOPICS_READ,
    Permission.TOPICS_CHANGE,
    Permission.TOPICS_PUBLISH,
)
TopicPath = Annotated[TopicName, Path(alias="name", description="A topic's name.")]
Where = Annotated[EnvironmentQuery, Query()]


@topics.get("/topics", response_model=TopicsShape, responses=errors(), dependencies=allowed(READ))
async def list_topics(services: Use, who: Who, where: Where) -> Response:
    """Every topic."""
    environment = await admitted(services, who, READ, where)
    found = await services.broker.topics(environment)
    return answer({"topics": [topic_document(topic) for topic in found]})


@topics.post(
    "/topics",
    response_model=TopicShape,
    responses=errors(409, 413),
    dependencies=allowed(CHANGE),
    openapi_extra=described(TopicBody),
)
async def create_topic(
    services: Use,
    who: Who,
    where: Where,
    asked: Annotated[TopicBody, Depends(body(TopicBody))],
) -> Response:
    """Make a topic. Its messages go to the subscriptions that it has when they are published."""
    environment = await admitted(services, who, CHANGE, where)
    made = await services.broker.create_topic(environment, asked.name, asked.retention_seconds)
    document = topic_document(made)
    target = f"topic/{made.name}"
    await write_down(services, who, "topic.create", target, environment, after=document)
    return answer(document)


@topics.get(
    "/topics/{name}",
    response_model=TopicWithSubscriptionsShape,
    responses=errors(404),
    dependencies=allowed(READ),
)
async def get_topic(services: Use, who: Who, where: Where, name: TopicPath) -> Response:
    """A topic and its subscriptions."""
    environment = await admitted(services, who, READ, where)
    topic, names = await services.broker.topic(environment, name)
    return answer(topic_document(topic) | {"subscriptions": names})


@topics.delete(
    "/topics/{name}",
    response_model=TopicShape,
    responses=errors(404),
    dependencies=allowed(CHANGE),
)
async def delete_topic(services: Use, who: Who, where: Where, name: TopicPath) -> Response:
    """Remove a topic. Its subscriptions stay, with what they have to deliver."""
    environment = await admitted(services, who, CHANGE, where)
    document = topic_document(await services.broker.delete_topic(environment, name))
    target = f"topic/{name}"
    await write_down(services, who, "topic.delete", target, environment, before=document)
    return answer(document)


@topics.post(
    "/topics/{name}:publish",
    response_model=PublishedShape,
    responses=errors(404, 413),
    dependencies=allowed(PUBLISH),
    openapi_extra=described(PublishBody),
)
async def publish(
    services: Use,
    who: Who,
    where: Where,
    name: TopicPath,
    asked: Annotated[PublishBody, Depends(body(PublishBody))],
) -> Response:
    """Publish messages, all of them or none. They are kept when this answers."""
    return await _published(services, who, where, name, [one.draft() for one in asked.messages])


_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1, "maxLength": 255},
        "source": {"type": "string", "minLength": 1, "maxLength": 255},
        "type": {"type": "string", "minLength": 1, "maxLength": 255},
        "subject": {"type": "string", "maxLength": 255},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"type": "string", "maxLength": 255},
        "dataschema": {"type": "string", "maxLength": 255},
        "data": {},
        "data_base64": {"type": "string", "format": "byte"},
    },
    "propertyNames": {"pattern": "^([a-z0-9]{1,20}|data_base64)$"},
    "additionalProperties": {"type": ["string", "boolean"], "maxLength": 1024},
    "not": {"required": ["data", "data_base64"]},
}
_EVENTS = {"type": "array", "items": _EVENT, "minItems": 1, "maxItems": MESSAGES_MAX}
_CLOUD_EVENT = {
    "requestBody": {
        "required": True,
        "description": "Structured and batched mode as below; in binary mode ce- headers, "
        "and the data in the body.",
        "content": {
            "application/cloudevents+json": {"schema": _EVENT},
            "application/cloudevents-batch+json": {"schema": _EVENTS},
        },
    }
}


@topics.post(
    "/topics/{name}:publishCloudEvent",
    response_model=PublishedShape,
    responses=errors(404, 413),
    dependencies=allowed(PUBLISH),
    openapi_extra=_CLOUD_EVENT,
)
async def publish_cloud_event(
    services: Use, who: Who, where: Where, name: TopicPath, request: Request
) -> Response:
    """Publish a CloudEvent 1.0, of any mode of its HTTP binding, as Google maps it to a message."""
    drafts = read_http(dict(request.headers), await request.body())
    return await _published(services, who, where, name, drafts)


async def _published(
    services: Services, who: Caller, where: EnvironmentQuery, name: str, drafts: list[Draft]
) -> Response:
    environment = await admitted(services, who, PUBLISH, where)
    ids = await services.broker.publish(environment, name, drafts)
    return answer({"message_ids": [str(one) for one in ids]})
