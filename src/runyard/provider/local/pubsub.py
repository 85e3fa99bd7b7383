"""The port of events over the cloud on this machine, in process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from runyard.localcloud.pubsub.service import PubSub
from runyard.model.pubsub.message import Delivery, Draft
from runyard.model.pubsub.topic import Backlog, Subscription, Topic


class LocalBroker:
    """`provider.port_pubsub.Broker` over `cloud`: the topics of an environment are in the project
    of its name."""

    def __init__(self, cloud: PubSub, clock: Callable[[], datetime]) -> None:
        self._cloud = cloud
        self._clock = clock

    async def create_topic(self, environment: str, name: str, retention_seconds: int = 0) -> Topic:
        """See `Broker.create_topic`."""
        asked = Topic(environment, name, self._clock(), retention_seconds)
        return await self._cloud.administration.create_topic(asked)

    async def topics(self, environment: str) -> Sequence[Topic]:
        """See `Broker.topics`."""
        return await self._cloud.administration.topics(environment)

    async def topic(self, environment: str, name: str) -> tuple[Topic, Sequence[str]]:
        """See `Broker.topic`."""
        return await self._cloud.administration.topic(environment, name)

    async def delete_topic(self, environment: str, name: str) -> Topic:
        """See `Broker.delete_topic`."""
        return await self._cloud.administration.delete_topic(environment, name)

    async def create_subscription(self, asked: Subscription) -> Subscription:
        """See `Broker.create_subscription`."""
        return await self._cloud.administration.create_subscription(asked)

    async def subscriptions(self, environment: str) -> Sequence[Subscription]:
        """See `Broker.subscriptions`."""
        return await self._cloud.administration.subscriptions(environment)

    async def subscription(self, environment: str, name: str) -> tuple[Subscription, Backlog]:
        """See `Broker.subscription`."""
        return await self._cloud.administration.subscription(environment, name)

    async def every_subscription(self) -> Sequence[Subscription]:
        """See `Broker.every_subscription`."""
        return await self._cloud.administration.every_subscription()

    async def delete_subscription(
        self, environment: str, name: str, made_at: datetime | None = None
    ) -> Subscription:
        """See `Broker.delete_subscription`."""
        return await self._cloud.administration.delete_subscription(environment, name, made_at)

    async def seek(self, environment: str, name: str, to: datetime) -> Subscription:
        """See `Broker.seek`."""
        return await self._cloud.administration.seek(environment, name, to)

    def listen(self, hear: Callable[[], None]) -> None:
        """See `Broker.listen`."""
        self._cloud.publishing.hearers.append(hear)

    async def publish(self, environment: str, topic: str, drafts: Sequence[Draft]) -> Sequence[int]:
        """See `Broker.publish`."""
        return await self._cloud.publishing.publish(environment, topic, drafts)

    async def pull(
        self, environment: str, name: str, limit: int, wait: timedelta = timedelta(0)
    ) -> Sequence[Delivery]:
        """See `Broker.pull`."""
        return await self._cloud.handing.pull(environment, name, limit, wait)

    async def ack(self, environment: str, name: str, ack_ids: Sequence[str]) -> int:
        """See `Broker.ack`."""
        return await self._cloud.handing.ack(environment, name, ack_ids)

    async def modify(
        self, environment: str, name: str, ack_ids: Sequence[str], seconds: int
    ) -> int:
        """See `Broker.modify`."""
        return await self._cloud.handing.modify(environment, name, ack_ids, seconds)
