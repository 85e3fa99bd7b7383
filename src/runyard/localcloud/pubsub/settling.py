"""What an acknowledged message leaves behind: its row goes, or stays, and who waited for it is due.

Of an ordering key, an acknowledged message is kept while an earlier one is not acknowledged: should
that be delivered again, all after it is too.
"""

from __future__ import annotations

from runyard.database.port import Tx
from runyard.localcloud.pubsub.catalog import KeptSubscription
from runyard.localcloud.pubsub.redelivery import NEVER_MICROS
from runyard.localcloud.pubsub.shelf import Due, Shelf


class Settling:
    """Writes that messages are done with."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def settle(self, tx: Tx, kept: KeptSubscription, due: Due, now: int) -> bool:
        """A message is done with; True when another one of its ordering key is due now."""
        named, keep = (kept.number, due.message), kept.subscription.retain_acked
        if not due.ordering_key:
            await self._leave(tx, kept, due.message, now, keep=keep)
            return False
        await self._shelf.ack(tx, named, now)
        first = await self._shelf.first_unacked(tx, kept.number, due.ordering_key)
        if first is not None:
            await self._shelf.wake(tx, (kept.number, first), now)
        if not keep:
            before = NEVER_MICROS if first is None else first
            done = await self._shelf.settled(tx, kept.number, due.ordering_key, before)
            for message in done:
                await self._leave(tx, kept, message, now, keep=False)
        return first is not None

    async def _leave(
        self, tx: Tx, kept: KeptSubscription, message: int, now: int, *, keep: bool
    ) -> None:
        if keep:
            await self._shelf.ack(tx, (kept.number, message), now)
        else:
            named = (kept.number, message)
            await self._shelf.drop(tx, named, with_message=not kept.topic_retention_seconds)
