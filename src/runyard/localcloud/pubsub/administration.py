"""Makes and deletes topics and subscriptions, replays what they kept, and forgets what is old.

Raises InvalidSpec, NotFound, AlreadyExists and Refused of `model.errors`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from runyard.database.port import Database, Tx, Work
from runyard.database.signals import Signals
from runyard.localcloud.pubsub.catalog import Catalog, KeptSubscription
from runyard.localcloud.pubsub.publishing import Publishing
from runyard.localcloud.pubsub.redelivery import SECOND_MICROS
from runyard.localcloud.pubsub.shelf import Shelf
from runyard.model.errors import NotFound
from runyard.model.instants import to_micros
from runyard.model.pubsub.filters import matches, parse
from runyard.model.pubsub.limits import refuse, subscription_faults, topic_faults
from runyard.model.pubsub.topic import Backlog, Subscription, Topic

PAGE = 1_000  #: rows that one step of replaying or forgetting looks at
_ALL = 2**62
SUBSCRIPTIONS = "subscriptions"  #: the signal that there is one more, or one less


class Administration:
    """The topics and subscriptions in `database`."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        signals: Signals,
        publishing: Publishing,
    ) -> None:
        self._database = database
        self._clock = clock
        self._signals = signals
        self._publishing = publishing
        self._catalog = Catalog(database.dialect)
        self._shelf = Shelf(database.dialect)

    # -- topics ----------------------------------------------------------------------------------
    async def create_topic(self, asked: Topic) -> Topic:
        """A new topic."""
        refuse("topic", topic_faults(asked))
        kept = await self._database.write(lambda tx: self._catalog.add_topic(tx, asked))
        return kept.topic

    async def topics(self, project: str) -> list[Topic]:
        """Every topic of a project, by name."""
        found = await self._database.read(lambda tx: self._catalog.topics(tx, project))
        return [kept.topic for kept in found]

    async def topic(self, project: str, name: str) -> tuple[Topic, list[str]]:
        """A topic, and the names of its subscriptions."""

        async def work(tx: Tx) -> tuple[Topic, list[str]]:
            kept = await self._catalog.topic(tx, project, name)
            found = await self._catalog.subscriptions_of(tx, kept.number)
            return kept.topic, sorted(each.subscription.name for each in found)

        return await self._database.read(work)

    async def delete_topic(self, project: str, name: str) -> Topic:
        """Remove a topic. Its subscriptions stay, with what they have to deliver."""

        async def work(tx: Tx) -> Topic:
            kept = await self._catalog.topic(tx, project, name)
            await self._catalog.delete_topic(tx, kept.number)
            return kept.topic

        return await self._database.write(work)

    # -- subscriptions ---------------------------------------------------------------------------
    async def create_subscription(self, asked: Subscription) -> Subscription:
        """A new subscription, which gets what is published from now on."""
        refuse("subscription", subscription_faults(asked))

        async def work(tx: Tx) -> Subscription:
            topic = await self._catalog.topic(tx, asked.project, asked.topic)
            if asked.dead_letter is not None:
                await self._catalog.topic(tx, asked.project, asked.dead_letter.topic)
            return (await self._catalog.add_subscription(tx, asked, topic)).subscription

        made = await self._database.write(work)
        self._signals.send([SUBSCRIPTIONS])
        return made

    async def subscriptions(self, project: str) -> list[Subscription]:
        """Every subscription of a project, by name."""
        found = await self._database.read(lambda tx: self._catalog.subscriptions(tx, project))
        return [kept.subscription for kept in found]

    async def every_subscription(self) -> list[Subscription]:
        """Every subscription of every project."""
        found = await self._database.read(self._catalog.every_subscription)
        return [kept.subscription for kept in found]

    async def subscription(self, project: str, name: str) -> tuple[Subscription, Backlog]:
        """A subscription, and what it has to deliver."""
        now = to_micros(self._clock())

        async def work(tx: Tx) -> tuple[Subscription, Backlog]:
            kept = await self._catalog.subscription(tx, project, name)
            return kept.subscription, await self._shelf.backlog(tx, kept.number, now)

        return await self._database.read(work)

    async def delete_subscription(
        self, project: str, name: str, made_at: datetime | None = None
    ) -> Subscription:
        """Remove a subscription with what it has to deliver. With `made_at` only the one that was
        made then: another one of its name is NotFound."""

        async def work(tx: Tx) -> Subscription:
            kept = await self._catalog.subscription(tx, project, name)
            if made_at not in (None, kept.subscription.created_at):
                raise NotFound(f"the subscription {name} in {project} is another one")
            await self._shelf.drop_all(tx, kept.number)
            await self._catalog.delete_subscription(tx, kept.number)
            await self._drop_messages(tx, kept, _ALL)
            return kept.subscription

        gone = await self._database.write(work)
        self._signals.send([SUBSCRIPTIONS])
        return gone

    # -- replay ----------------------------------------------------------------------------------
    async def seek(self, project: str, name: str, to: datetime) -> Subscription:
        """What was published before an instant counts as acknowledged, what was published since as
        not: it is delivered again, as far as the subscription or its topic kept it. Durable."""
        at, now = to_micros(to), to_micros(self._clock())

        async def work(tx: Tx) -> KeptSubscription:
            kept = await self._catalog.subscription(tx, project, name)
            named, subscription = (kept.number, kept.topic), kept.subscription
            await self._shelf.seek_ack(tx, named, at, now, keep=subscription.retain_acked)
            await self._shelf.seek_restore(tx, named, at, now)
            await self._replay(tx, kept, at, now)
            if subscription.ordered:
                await self._shelf.reorder(tx, kept.number, now)
            last = await self._shelf.last_before(tx, kept.topic, at)
            await self._drop_messages(tx, kept, last or 0)
            return kept

        kept = await self._database.write(work)
        self._publishing.wake({kept.number})
        return kept.subscription

    async def _replay(self, tx: Tx, kept: KeptSubscription, at: int, now: int) -> None:
        """Plan the deliveries of what the topic kept, not of what is there only for others."""
        if not kept.topic_retention_seconds:
            return
        oldest = now - kept.topic_retention_seconds * SECOND_MICROS
        wanted, ordered = parse(kept.subscription.filter), kept.subscription.ordered
        after = 0
        while found := await self._shelf.since(tx, kept.topic, max(at, oldest), after, PAGE):
            after = found[-1].message
            plan = [
                (one.message, one.ordering_key if ordered else "")
                for one in found
                if matches(wanted, one.attributes)
            ]
            await self._shelf.plan(tx, kept.number, now, plan)

    # -- forgetting ------------------------------------------------------------------------------
    async def forget_old(self) -> int:
        """Forget what was kept long enough; how many rows that were."""
        now = self._clock()

        count = 0
        for kept in await self._database.read(self._catalog.every_subscription):
            count += await self._forget_of(kept, now)
        return count + await self._forget_messages(now)

    async def _forget_of(self, kept: KeptSubscription, now: datetime) -> int:
        before = to_micros(now - timedelta(seconds=kept.subscription.retention_seconds))

        async def work(tx: Tx) -> int:
            last = await self._shelf.last_before(tx, kept.topic, before)
            if last is None:
                return 0
            count = await self._shelf.drop_until(tx, kept.number, last, before)
            if count:
                await self._drop_messages(tx, kept, last)
                if kept.subscription.ordered:  # who waited for what is gone need not wait
                    await self._shelf.reopen(tx, kept.number, to_micros(now))
            return count

        return await self._database.write(work)

    async def _forget_messages(self, now: datetime) -> int:
        """What topics kept long enough, and what is left of topics that are no more."""
        count = 0
        for kept in await self._database.read(self._catalog.every_topic):
            seconds = kept.topic.retention_seconds
            if not seconds:
                continue
            before, number = to_micros(now - timedelta(seconds=seconds)), kept.number

            async def work(tx: Tx, before: int = before, number: int = number) -> int:
                last = await self._shelf.last_before(tx, number, before)
                return await self._shelf.drop_messages(tx, number, last or 0, before, PAGE)

            count += await self._all_of(work)
        return count + await self._all_of(lambda tx: self._shelf.drop_orphans(tx, PAGE))

    async def _all_of(self, step: Work[int]) -> int:
        """Do what `step` does to a page until there are no more."""
        count = 0
        while (gone := await self._database.write(step)) >= PAGE:
            count += gone
        return count + gone

    async def _drop_messages(self, tx: Tx, kept: KeptSubscription, last: int) -> None:
        """Messages that nobody has any more, of a topic that keeps none for itself."""
        if not kept.topic_retention_seconds:
            await self._shelf.drop_messages(tx, kept.topic, last, _ALL, _ALL)
