"""Takes messages and plans their deliveries, in one transaction: what has an id is durable.

Which subscriptions get a message is decided here, by their filters; what none wants, and the topic
does not keep, is not kept at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from runyard.database.port import Database, Tx
from runyard.database.signals import Signals
from runyard.localcloud.pubsub.catalog import Catalog, KeptSubscription, KeptTopic
from runyard.localcloud.pubsub.shelf import Sheet, Shelf
from runyard.model.instants import to_micros
from runyard.model.pubsub.filters import matches, parse
from runyard.model.pubsub.limits import drafts_faults, refuse
from runyard.model.pubsub.message import Draft

Woken = set[int]  #: numbers of subscriptions that have something new


def signal_of(subscription: int) -> str:
    """The signal that a subscription has something to deliver."""
    return f"subscription/{subscription}"


class Publishing:
    """The way into the topics in `database`."""

    def __init__(self, database: Database, clock: Callable[[], datetime], signals: Signals) -> None:
        self._database = database
        self._clock = clock
        self._signals = signals
        self.hearers: list[Callable[[], None]] = []  #: called when there is something to deliver
        self._catalog = Catalog(database.dialect)
        self._shelf = Shelf(database.dialect)

    async def publish(self, project: str, topic: str, drafts: Sequence[Draft]) -> list[int]:
        """Publish messages, all of them or none; their ids, in order. Durable.

        Raises InvalidSpec and NotFound.
        """
        refuse("messages", drafts_faults(drafts))
        sheets, now = [Sheet.of(draft) for draft in drafts], to_micros(self._clock())

        async def work(tx: Tx) -> tuple[list[int], Woken]:
            kept = await self._catalog.topic(tx, project, topic)
            return await self.put(tx, kept, sheets, now)

        ids, woken = await self._database.write(work)
        self.wake(woken)
        return ids

    async def put(
        self, tx: Tx, topic: KeptTopic, sheets: Sequence[Sheet], at: int
    ) -> tuple[list[int], Woken]:
        """Write messages in a transaction of the caller, who wakes who is to be woken."""
        ids = await self._shelf.numbers(tx, len(sheets))
        subscriptions = await self._catalog.subscriptions_of(tx, topic.number)
        wanted = {each.number: _wanted(each, ids, sheets) for each in subscriptions}
        if topic.topic.retention_seconds:
            keep = set(ids)
        else:
            keep = {number for plan in wanted.values() for number, _ in plan}
        kept = [place for place, number in enumerate(ids) if number in keep]
        await self._shelf.add(
            tx, topic.number, at, [ids[place] for place in kept], [sheets[place] for place in kept]
        )
        for number, plan in wanted.items():
            await self._shelf.plan(tx, number, at, plan)
        return list(ids), {number for number, plan in wanted.items() if plan}

    def wake(self, woken: Woken) -> None:
        """Wake who waits for messages of these subscriptions, and who wants to hear of any."""
        for hear in self.hearers if woken else ():
            hear()
        self._signals.send([signal_of(number) for number in woken])


def _wanted(
    kept: KeptSubscription, ids: Sequence[int], sheets: Sequence[Sheet]
) -> list[tuple[int, str]]:
    """What of these messages a subscription gets, with the keys that order them."""
    wanted, ordered = parse(kept.subscription.filter), kept.subscription.ordered
    return [
        (number, sheet.draft.ordering_key if ordered else "")
        for number, sheet in zip(ids, sheets, strict=True)
        if matches(wanted, sheet.draft.attributes)
    ]
