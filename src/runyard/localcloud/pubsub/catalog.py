"""Rows of topics and subscriptions, asked within a transaction."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import orjson

from runyard.database.port import Row, Tx
from runyard.localcloud.schema import load_queries
from runyard.model.errors import AlreadyExists, NotFound
from runyard.model.instants import from_micros, to_micros
from runyard.model.pubsub.topic import (
    DELETED_TOPIC,
    DeadLetterPolicy,
    PushConfig,
    RetryPolicy,
    Subscription,
    Topic,
)

#: Fields of a subscription that are not columns.
_SETTINGS = (
    "ack_deadline_seconds",
    "retention_seconds",
    "retain_acked",
    "ordered",
    "filter",
    "dead_letter",
    "retry",
    "push",
)


@dataclass(frozen=True, slots=True)
class KeptTopic:
    """A topic and its number, which no other topic ever has."""

    number: int
    topic: Topic


@dataclass(frozen=True, slots=True)
class KeptSubscription:
    """A subscription and its number; the number of its topic, and how long that keeps messages."""

    number: int
    subscription: Subscription
    topic: int
    topic_retention_seconds: int


class Catalog:
    """The rows of topics and subscriptions, in the words of `dialect`."""

    def __init__(self, dialect: str) -> None:
        self._sql = load_queries(dialect)

    # -- topics ----------------------------------------------------------------------------------
    async def find_topic(self, tx: Tx, project: str, name: str) -> KeptTopic | None:
        """A topic, if there is one."""
        rows = await tx.fetch(self._sql["topic_get"], (project, name))
        return _topic_of(rows[0]) if rows else None

    async def topic(self, tx: Tx, project: str, name: str) -> KeptTopic:
        """A topic. Raises NotFound."""
        found = await self.find_topic(tx, project, name)
        if found is None:
            hint = f"`runyard topics create {name}`"
            raise NotFound(f"there is no topic {name} in {project}", hint=hint)
        return found

    async def topics(self, tx: Tx, project: str) -> list[KeptTopic]:
        """Every topic of a project, by name."""
        return [
            _topic_of(row) for row in await tx.fetch(self._sql["topics_of_project"], (project,))
        ]

    async def every_topic(self, tx: Tx) -> list[KeptTopic]:
        """Every topic there is."""
        return [_topic_of(row) for row in await tx.fetch(self._sql["topics_every"])]

    async def add_topic(self, tx: Tx, topic: Topic) -> KeptTopic:
        """Keep a new topic. Raises AlreadyExists."""
        if await self.find_topic(tx, topic.project, topic.name) is not None:
            raise AlreadyExists(f"there is a topic {topic.name} in {topic.project} already")
        row = (topic.project, topic.name, to_micros(topic.created_at), topic.retention_seconds)
        ((number,),) = await tx.fetch(self._sql["topic_add"], row)
        return KeptTopic(number, topic)

    async def delete_topic(self, tx: Tx, number: int) -> None:
        """Forget a topic; its subscriptions keep what they have."""
        await tx.execute(self._sql["topic_delete"], (number,))

    # -- subscriptions ---------------------------------------------------------------------------
    async def find_subscription(self, tx: Tx, project: str, name: str) -> KeptSubscription | None:
        """A subscription, if there is one."""
        rows = await tx.fetch(self._sql["subscription_get"], (project, name))
        return _subscription_of(rows[0]) if rows else None

    async def subscription(self, tx: Tx, project: str, name: str) -> KeptSubscription:
        """A subscription. Raises NotFound."""
        found = await self.find_subscription(tx, project, name)
        if found is None:
            hint = f"`runyard subscriptions create {name} --topic TOPIC`"
            raise NotFound(f"there is no subscription {name} in {project}", hint=hint)
        return found

    async def subscriptions(self, tx: Tx, project: str) -> list[KeptSubscription]:
        """Every subscription of a project, by name."""
        rows = await tx.fetch(self._sql["subscriptions_of_project"], (project,))
        return [_subscription_of(row) for row in rows]

    async def subscriptions_of(self, tx: Tx, topic: int) -> list[KeptSubscription]:
        """Every subscription of a topic."""
        rows = await tx.fetch(self._sql["subscriptions_of_topic"], (topic,))
        return [_subscription_of(row) for row in rows]

    async def every_subscription(self, tx: Tx) -> list[KeptSubscription]:
        """Every subscription there is."""
        return [_subscription_of(row) for row in await tx.fetch(self._sql["subscriptions_every"])]

    async def add_subscription(
        self, tx: Tx, asked: Subscription, topic: KeptTopic
    ) -> KeptSubscription:
        """Keep a new subscription. Raises AlreadyExists."""
        if await self.find_subscription(tx, asked.project, asked.name) is not None:
            raise AlreadyExists(f"there is a subscription {asked.name} in {asked.project} already")
        row = (
            asked.project,
            asked.name,
            topic.number,
            to_micros(asked.created_at),
            _settings(asked),
        )
        ((number,),) = await tx.fetch(self._sql["subscription_add"], row)
        return KeptSubscription(number, asked, topic.number, topic.topic.retention_seconds)

    async def delete_subscription(self, tx: Tx, number: int) -> None:
        """Forget a subscription, without what it has to deliver."""
        await tx.execute(self._sql["subscription_delete"], (number,))


def _settings(subscription: Subscription) -> str:
    document = asdict(subscription)
    return orjson.dumps({name: document[name] for name in _SETTINGS}).decode()


def _topic_of(row: Row) -> KeptTopic:
    number, project, name, created_at, retention_seconds = row
    return KeptTopic(number, Topic(project, name, from_micros(created_at), retention_seconds))


def _subscription_of(row: Row) -> KeptSubscription:
    number, project, name, topic, topic_name, retention_seconds, created_at, settings = row
    given: dict[str, Any] = orjson.loads(settings)
    for key, kind in (
        ("dead_letter", DeadLetterPolicy),
        ("retry", RetryPolicy),
        ("push", PushConfig),
    ):
        if given[key] is not None:
            given[key] = kind(**given[key])
    subscription = Subscription(
        project, name, topic_name or DELETED_TOPIC, from_micros(created_at), **given
    )
    return KeptSubscription(number, subscription, topic, retention_seconds)
