"""The port of every provider for events. An environment has topics and subscriptions of its own.

Raises InvalidSpec, NotFound, AlreadyExists and a provider's three errors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from runyard.model.pubsub.message import Delivery, Draft
from runyard.model.pubsub.topic import Backlog, Subscription, Topic


class Broker(Protocol):
    """Where events are published and delivered, at least once."""

    async def create_topic(self, environment: str, name: str, retention_seconds: int = 0) -> Topic:
        """A new topic; `retention_seconds` as in `Topic`."""

    async def topics(self, environment: str) -> Sequence[Topic]:
        """Every topic, by name."""

    async def topic(self, environment: str, name: str) -> tuple[Topic, Sequence[str]]:
        """A topic, and the names of its subscriptions."""

    async def delete_topic(self, environment: str, name: str) -> Topic:
        """Remove a topic; its subscriptions stay, with what they have to deliver."""

    async def create_subscription(self, asked: Subscription) -> Subscription:
        """A new subscription in the environment that is its project, which gets what is published
        from now on."""

    async def subscriptions(self, environment: str) -> Sequence[Subscription]:
        """Every subscription, by name."""

    async def subscription(self, environment: str, name: str) -> tuple[Subscription, Backlog]:
        """A subscription, and what it has to deliver."""

    async def every_subscription(self) -> Sequence[Subscription]:
        """Every subscription of every environment; its `project` is its environment."""

    async def delete_subscription(
        self, environment: str, name: str, made_at: datetime | None = None
    ) -> Subscription:
        """Remove a subscription with what it has to deliver. With `made_at` only the one that was
        made then: another one of its name is NotFound."""

    async def seek(self, environment: str, name: str, to: datetime) -> Subscription:
        """What was published since an instant is delivered again, as far as it was kept; what was
        published before counts as acknowledged."""

    def listen(self, hear: Callable[[], None]) -> None:
        """Have `hear` called when something is to be delivered; not for what others publish."""

    async def publish(self, environment: str, topic: str, drafts: Sequence[Draft]) -> Sequence[int]:
        """Publish messages, all of them or none; their ids, in order. Durable."""

    async def pull(
        self, environment: str, name: str, limit: int, wait: timedelta = timedelta(0)
    ) -> Sequence[Delivery]:
        """At most `limit` messages that are due, or that come within `wait`. Nobody else gets them
        before the ack deadline."""

    async def ack(self, environment: str, name: str, ack_ids: Sequence[str]) -> int:
        """Messages are done with; how many of them were still out."""

    async def modify(
        self, environment: str, name: str, ack_ids: Sequence[str], seconds: int
    ) -> int:
        """Other ack deadlines, from now; 0 gives messages back. How many were still out."""
