"""Pub/Sub for tests: over a database in memory, with a clock that stands until it is moved."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from runyard.database.port import Database
from runyard.database.sqlite import InlineSqlite
from runyard.localcloud.pubsub.sending import Send
from runyard.localcloud.pubsub.service import PubSub
from runyard.localcloud.schema import migrate
from runyard.model.pubsub.message import Delivery, Draft
from runyard.model.pubsub.topic import Backlog, Subscription, Topic
from tests.support.cloud import START

HERE = "local"


class StandingClock:
    """A clock that stands."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        """So much time goes by."""
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Post:
    """Pub/Sub, spoken to in few words: topic `t` and subscription `s` unless others are named."""

    cloud: PubSub
    clock: StandingClock
    database: Database

    def sending_to(self, send: Send) -> Post:
        """The same, pushing by `send`."""
        return replace(self, cloud=PubSub.over(self.database, self.clock, send))

    async def topic(self, name: str = "topic", retention_seconds: int = 0) -> Topic:
        asked = Topic(HERE, name, self.clock(), retention_seconds)
        return await self.cloud.administration.create_topic(asked)

    async def subscription(
        self, name: str = "sub", topic: str = "topic", **settings: Any
    ) -> Subscription:
        asked = Subscription(HERE, name, topic, self.clock(), **settings)
        return await self.cloud.administration.create_subscription(asked)

    async def send(
        self,
        *texts: str,
        key: str = "",
        topic: str = "topic",
        attributes: Mapping[str, str] | None = None,
    ) -> list[int]:
        drafts = [Draft(text.encode(), attributes or {}, key) for text in texts]
        return await self.cloud.publishing.publish(HERE, topic, drafts)

    async def pull(
        self, limit: int = 100, name: str = "sub", wait_seconds: float = 0, **how: Any
    ) -> list[Delivery]:
        wait = timedelta(seconds=wait_seconds)
        return await self.cloud.handing.pull(HERE, name, limit, wait, **how)

    async def texts(self, limit: int = 100, name: str = "sub") -> list[str]:
        """What a pull gets, as texts."""
        return texts(await self.pull(limit, name))

    async def ack(self, *deliveries: Delivery, name: str = "sub") -> int:
        return await self.cloud.handing.ack(HERE, name, [one.ack_id for one in deliveries])

    async def nack(self, *deliveries: Delivery, name: str = "sub") -> int:
        return await self.modify(0, *deliveries, name=name)

    async def modify(self, seconds: int, *deliveries: Delivery, name: str = "sub") -> int:
        ids = [one.ack_id for one in deliveries]
        return await self.cloud.handing.modify(HERE, name, ids, seconds)

    async def backlog(self, name: str = "sub") -> Backlog:
        return (await self.cloud.administration.subscription(HERE, name))[1]

    async def seek(self, to: datetime, name: str = "sub") -> None:
        await self.cloud.administration.seek(HERE, name, to)

    async def rows(self, table: str) -> int:
        """How many rows a table has."""
        ((count,),) = await self.database.read(
            lambda tx: tx.fetch(f"SELECT count(*) FROM pubsub_{table}")
        )
        return int(count)


def texts(deliveries: Sequence[Delivery]) -> list[str]:
    return [one.message.data.decode() for one in deliveries]


def with_post(scenario: Callable[[Post], Awaitable[None]]) -> None:
    """Carries out a scenario on an empty Pub/Sub."""

    async def main() -> None:
        database, clock = InlineSqlite(), StandingClock()
        await migrate(database, START)
        await scenario(Post(PubSub.over(database, clock), clock, database))
        await database.close()

    asyncio.run(main())
