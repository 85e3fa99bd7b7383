"""Rows of messages and of what is to be delivered, asked within a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from runyard.database.port import Tx
from runyard.localcloud.pubsub.redelivery import NEVER_MICROS
from runyard.localcloud.schema import load_queries
from runyard.model.instants import from_micros
from runyard.model.pubsub.message import Draft, Message
from runyard.model.pubsub.topic import Backlog

Named = tuple[int, int]  #: (subscription, message)


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be delivered: its ordering key (empty: order does not matter), how often it was,
    the number of the last delivery (0: none yet), how long its data are."""

    message: int
    ordering_key: str
    attempts: int
    lease: int
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """A message ready to be written: attributes as JSON."""

    draft: Draft
    attributes_json: str

    @classmethod
    def of(cls, draft: Draft) -> Sheet:
        """A draft as it is written."""
        return cls(draft, orjson.dumps(dict(draft.attributes)).decode())


@dataclass(frozen=True, slots=True)
class Replayed:
    """What of a kept message decides whether a subscription gets it again."""

    message: int
    ordering_key: str
    attributes: Mapping[str, str]


class Shelf:
    """The rows of messages and deliveries, in the words of `dialect`. Instants are microseconds."""

    def __init__(self, dialect: str) -> None:
        self._sql = load_queries(dialect)

    # -- messages --------------------------------------------------------------------------------
    async def numbers(self, tx: Tx, count: int) -> range:
        """Ids for new messages."""
        ((first,),) = await tx.fetch(self._sql["messages_number"], (count,))
        return range(first, first + count)

    async def add(
        self, tx: Tx, topic: int, at: int, ids: Sequence[int], sheets: Sequence[Sheet]
    ) -> None:
        """Keep new messages."""
        rows = [
            (number, topic, at, sheet.draft.ordering_key, sheet.attributes_json, sheet.draft.data)
            for number, sheet in zip(ids, sheets, strict=True)
        ]
        await tx.execute_many(self._sql["message_add"], rows)

    async def message(self, tx: Tx, number: int) -> Message:
        """A message that there is."""
        ((found, published_at, key, attributes, data),) = await tx.fetch(
            self._sql["message_get"], (number,)
        )
        return Message(found, from_micros(published_at), data, orjson.loads(attributes), key)

    async def since(self, tx: Tx, topic: int, at: int, after: int, limit: int) -> list[Replayed]:
        """Messages of a topic published since an instant, with larger ids than `after`."""
        rows = await tx.fetch(self._sql["messages_since"], (topic, at, after, limit))
        return [Replayed(number, key, orjson.loads(text)) for number, key, text in rows]

    async def last_before(self, tx: Tx, topic: int, at: int) -> int | None:
        """The last message of a topic that was published before an instant."""
        ((found,),) = await tx.fetch(self._sql["messages_before"], (topic, at))
        return None if found is None else int(found)

    async def drop_messages(self, tx: Tx, topic: int, last: int, before: int, limit: int) -> int:
        """Forget messages of a topic up to one of them that were published before an instant and
        that no subscription has; how many."""
        return await tx.execute(self._sql["messages_drop"], (topic, last, before, limit))

    async def drop_orphans(self, tx: Tx, limit: int) -> int:
        """Forget messages of deleted topics that no subscription has; how many."""
        return await tx.execute(self._sql["messages_orphaned"], (limit,))

    # -- deliveries ------------------------------------------------------------------------------
    async def plan(
        self, tx: Tx, subscription: int, at: int, messages: Iterable[tuple[int, str]]
    ) -> None:
        """Messages (with their ordering keys, empty where order does not matter) are to be
        delivered from `at` on; of a key, only the first."""
        rows, waiting = [], set[str]()
        for number, key in messages:
            if key and key not in waiting:
                first = await self.first_unacked(tx, subscription, key)
                due_at = at if first is None else NEVER_MICROS
                waiting.add(key)
            else:
                due_at = NEVER_MICROS if key else at
            rows.append((subscription, number, key, due_at))
        await tx.execute_many(self._sql["delivery_add"], rows)

    async def due(self, tx: Tx, subscription: int, at: int, limit: int) -> list[Due]:
        """What is to be delivered at an instant, longest due first."""
        rows = await tx.fetch(self._sql["deliveries_due"], (subscription, at, limit))
        return [Due(*row) for row in rows]

    async def next_due(self, tx: Tx, subscription: int) -> int | None:
        """When something is to be delivered next."""
        ((found,),) = await tx.fetch(self._sql["deliveries_next_due"], (subscription,))
        return None if found is None else int(found)

    async def lease(self, tx: Tx, named: Named, again_at: int, number: int) -> None:
        """A delivery begins: its number, and when the message is due again."""
        await tx.execute(self._sql["delivery_lease"], (*named, again_at, number))

    async def leased(self, tx: Tx, named: Named, lease: int) -> Due | None:
        """A delivery that is out with somebody; None when it is not (any more)."""
        rows = await tx.fetch(self._sql["delivery_of_lease"], (*named, lease))
        return Due(*rows[0]) if rows else None

    async def postpone(self, tx: Tx, named: Named, at: int) -> None:
        """It is due at another instant."""
        await tx.execute(self._sql["delivery_due"], (*named, at))

    async def take_back(self, tx: Tx, named: Named, at: int) -> None:
        """Nobody has it any more; it is due again at an instant."""
        await tx.execute(self._sql["delivery_return"], (*named, at))

    async def ack(self, tx: Tx, named: Named, at: int) -> None:
        """It is acknowledged, and kept."""
        await tx.execute(self._sql["delivery_ack"], (*named, at))

    async def drop(self, tx: Tx, named: Named, *, with_message: bool) -> None:
        """It is done with; the message too, when nobody else has it."""
        await tx.execute(self._sql["delivery_drop"], named)
        if with_message:
            await tx.execute(self._sql["message_drop"], (named[1],))

    async def drop_all(self, tx: Tx, subscription: int) -> None:
        """Forget all that a subscription has to deliver."""
        await tx.execute(self._sql["deliveries_drop"], (subscription,))

    async def drop_until(self, tx: Tx, subscription: int, last: int, before: int) -> int:
        """Forget what a subscription has up to a message, of what was published before an instant;
        how many those were."""
        return await tx.execute(self._sql["deliveries_drop_until"], (subscription, last, before))

    async def backlog(self, tx: Tx, subscription: int, at: int) -> Backlog:
        """What a subscription has to deliver."""
        ((unacked, outstanding, oldest),) = await tx.fetch(self._sql["backlog"], (subscription, at))
        return Backlog(unacked, outstanding, None if oldest is None else from_micros(oldest))

    # -- ordering keys ---------------------------------------------------------------------------
    async def first_unacked(self, tx: Tx, subscription: int, key: str) -> int | None:
        """The first message of an ordering key that is not acknowledged."""
        ((found,),) = await tx.fetch(self._sql["key_first_unacked"], (subscription, key))
        return None if found is None else int(found)

    async def following(
        self, tx: Tx, subscription: int, key: str, after: int, limit: int
    ) -> list[Due]:
        """What comes after a message of an ordering key, in order."""
        rows = await tx.fetch(self._sql["key_following"], (subscription, key, after, limit))
        return [Due(*row) for row in rows]

    async def settled(self, tx: Tx, subscription: int, key: str, before: int) -> list[int]:
        """Acknowledged messages of an ordering key before one of it."""
        rows = await tx.fetch(self._sql["key_settled"], (subscription, key, before))
        return [row[0] for row in rows]

    async def wake(self, tx: Tx, named: Named, at: int) -> None:
        """A message is due when it waited for an earlier one of its key."""
        await tx.execute(self._sql["key_wake"], (*named, at, NEVER_MICROS))

    async def restart(self, tx: Tx, subscription: int, key: str, after: int) -> None:
        """All that comes after a message of an ordering key is to be delivered again, after it."""
        row = (subscription, key, after, NEVER_MICROS)
        await tx.execute(self._sql["key_restart"], row)

    # -- seeking ---------------------------------------------------------------------------------
    async def seek_ack(self, tx: Tx, named: Named, before: int, at: int, *, keep: bool) -> None:
        """What of (subscription, topic) was published before an instant is acknowledged."""
        subscription, topic = named
        if keep:
            await tx.execute(self._sql["seek_ack"], (subscription, before, at, topic))
        else:
            await tx.execute(self._sql["seek_drop"], (subscription, before, topic))

    async def seek_restore(self, tx: Tx, named: Named, since: int, at: int) -> None:
        """What of (subscription, topic) was published since an instant is due, as if new."""
        subscription, topic = named
        await tx.execute(self._sql["seek_restore"], (subscription, since, at, topic))

    async def reorder(self, tx: Tx, subscription: int, at: int) -> None:
        """Of each ordering key, only the first message is due."""
        await tx.execute(self._sql["keys_block"], (subscription, NEVER_MICROS))
        await tx.execute(self._sql["keys_open"], (subscription, at))

    async def reopen(self, tx: Tx, subscription: int, at: int) -> None:
        """Of each ordering key, the first message is due when it waited for an earlier one."""
        await tx.execute(self._sql["keys_reopen"], (subscription, at, NEVER_MICROS))
