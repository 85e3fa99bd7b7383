"""Sends on what was delivered too often, to the topic that a subscription names for it.

The copy says where it comes from in Pub/Sub's own attributes
(https://cloud.google.com/pubsub/docs/handling-failures#track_delivery_attempts).
"""

from __future__ import annotations

from runyard.database.port import Tx
from runyard.localcloud.pubsub.catalog import Catalog, KeptSubscription
from runyard.localcloud.pubsub.publishing import Publishing, Woken
from runyard.localcloud.pubsub.settling import Settling
from runyard.localcloud.pubsub.shelf import Due, Sheet, Shelf
from runyard.model.pubsub.message import Draft, Message

_SOURCE = "CloudPubSubDeadLetterSource"


class DeadLetters:
    """The way from a subscription to its dead-letter topic."""

    def __init__(
        self, catalog: Catalog, shelf: Shelf, publishing: Publishing, settling: Settling
    ) -> None:
        self._catalog = catalog
        self._shelf = shelf
        self._publishing = publishing
        self._settling = settling

    async def move(self, tx: Tx, kept: KeptSubscription, due: Due, now: int) -> Woken | None:
        """Publish a message to the dead-letter topic, and be done with it here; who is to be woken.
        None when there is no such topic: then it goes on being delivered, as Pub/Sub has it."""
        subscription = kept.subscription
        policy = subscription.dead_letter
        if policy is None:
            return None
        topic = await self._catalog.find_topic(tx, subscription.project, policy.topic)
        if topic is None:
            return None
        message = await self._shelf.message(tx, due.message)
        sheet = Sheet.of(_copy(message, kept, due.attempts))
        _, woken = await self._publishing.put(tx, topic, [sheet], now)
        await self._settling.settle(tx, kept, due, now)
        return woken | {kept.number}


def _copy(message: Message, kept: KeptSubscription, attempts: int) -> Draft:
    subscription = kept.subscription
    published = message.published_at.isoformat(timespec="milliseconds")
    source = {
        "DeliveryCount": str(attempts),
        "Subscription": subscription.name,
        "SubscriptionProject": subscription.project,
        "TopicPublishTime": published,
    }
    attributes = dict(message.attributes) | {
        f"{_SOURCE}{name}": value for name, value in source.items()
    }
    return Draft(message.data, attributes, message.ordering_key)
