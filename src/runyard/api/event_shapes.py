"""What the API answers about topics, subscriptions and messages."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from runyard.api.shapes import Shape
from runyard.model.pubsub.message import Delivery
from runyard.model.pubsub.topic import Backlog, Subscription, Topic


class TopicShape(Shape):
    """A topic. `retention_seconds` is 0 when it keeps nothing for itself."""

    name: str
    environment: str
    created_at: datetime
    retention_seconds: int


class TopicsShape(Shape):
    """Every topic by name."""

    topics: list[TopicShape]


class TopicWithSubscriptionsShape(TopicShape):
    """A topic and who wants its messages."""

    subscriptions: list[str]


class DeadLetterShape(Shape):
    """Where messages go that were delivered too often."""

    topic: str
    attempts_max: int


class RetryShape(Shape):
    """How long a message waits before it is delivered again."""

    backoff_seconds_min: int
    backoff_seconds_max: int


class PushShape(Shape):
    """Where messages are sent by HTTP."""

    endpoint: str
    wrapped: bool
    write_metadata: bool


class SubscriptionShape(Shape):
    """A subscription; its topic is `_deleted-topic_` when that is no more."""

    name: str
    environment: str
    topic: str
    created_at: datetime
    ack_deadline_seconds: int
    retention_seconds: int
    retain_acked: bool
    ordered: bool
    filter: str
    dead_letter: DeadLetterShape | None
    retry: RetryShape | None
    push: PushShape | None


class SubscriptionsShape(Shape):
    """Every subscription by name."""

    subscriptions: list[SubscriptionShape]


class BacklogShape(Shape):
    """What is not acknowledged: how many messages, how many of them are out, since when."""

    unacked: int
    outstanding: int
    oldest_at: datetime | None


class SubscriptionWithBacklogShape(SubscriptionShape):
    """A subscription and what it has to deliver."""

    backlog: BacklogShape


class PublishedShape(Shape):
    """The ids of messages, in the order in which they were sent."""

    message_ids: list[str]


class DeliveryShape(Shape):
    """A message that is out until the ack deadline. `attempt` counts its deliveries from 1."""

    ack_id: str
    attempt: int
    message_id: str
    published_at: datetime
    data_base64: str
    attributes: dict[str, str]
    ordering_key: str


class DeliveriesShape(Shape):
    """Messages that nobody else gets before their ack deadline."""

    messages: list[DeliveryShape]


class StillOutShape(Shape):
    """How many of the messages were still out: those of ack ids that are no more were not."""

    count: Annotated[int, Field(ge=0)]


def topic_document(topic: Topic) -> dict[str, Any]:
    """A topic as it is answered."""
    return {
        "name": topic.name,
        "environment": topic.project,
        "created_at": topic.created_at,
        "retention_seconds": topic.retention_seconds,
    }


def subscription_document(subscription: Subscription) -> dict[str, Any]:
    """A subscription as it is answered."""
    document = asdict(subscription) | {"environment": subscription.project}
    return {name: document[name] for name in SubscriptionShape.model_fields}


def backlog_document(backlog: Backlog) -> dict[str, Any]:
    """A backlog as it is answered."""
    return asdict(backlog)


def deliveries_document(deliveries: Sequence[Delivery]) -> Mapping[str, Any]:
    """Messages as they are answered."""
    return {"messages": [_delivery(one) for one in deliveries]}


def _delivery(delivery: Delivery) -> dict[str, Any]:
    message = delivery.message
    return {
        "ack_id": delivery.ack_id,
        "attempt": delivery.attempt,
        "message_id": str(message.id),
        "published_at": message.published_at,
        "data_base64": base64.b64encode(message.data).decode(),
        "attributes": dict(message.attributes),
        "ordering_key": message.ordering_key,
    }
