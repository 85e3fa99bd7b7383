"""Hands messages out, and takes back what becomes of them: at least once, in order where asked.

A delivery is a lease: until the ack deadline nobody else gets the message. An ack of it counts
until the message is delivered again. Of an ordering key, only the first message that is not
acknowledged is ever due; what follows it may go along with it, and is delivered anew when it is,
as Pub/Sub has it (https://cloud.google.com/pubsub/docs/ordering).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from runyard.database.port import Database, Tx
from runyard.database.signals import Signals
from runyard.localcloud.pubsub.catalog import Catalog, KeptSubscription
from runyard.localcloud.pubsub.dead_letters import DeadLetters
from runyard.localcloud.pubsub.publishing import Publishing, Woken, signal_of
from runyard.localcloud.pubsub.redelivery import (
    NEVER_MICROS,
    SECOND_MICROS,
    ack_id,
    backoff_micros,
    is_given_up,
    new_lease,
    read_ack_id,
)
from runyard.localcloud.pubsub.settling import Settling
from runyard.localcloud.pubsub.shelf import Due, Shelf
from runyard.model.instants import to_micros
from runyard.model.pubsub.message import Delivery

BYTES_MAX = 16 * 1024 * 1024  #: of data that one pull gets, unless its first message has more
FOR_EVER = 365 * 24 * 3600.0
LOOK_SECONDS = 1.0  #: how often who waits looks by itself: another process may have published


@dataclass(slots=True)
class _Batch:
    """What one pull gets: from whom, how many at most, and what so far."""

    kept: KeptSubscription
    now: int
    limit: int
    single: bool
    found: list[Delivery] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    size_bytes: int = 0
    is_full: bool = False
    woken: Woken = field(default_factory=set)

    @property
    def room(self) -> int:
        """How many messages may still go along."""
        return 0 if self.is_full else self.limit - len(self.taken)

    def admits(self, due: Due) -> bool:
        """True when a message goes along; then the next one must too, or none does."""
        fits = self.size_bytes + due.size_bytes <= BYTES_MAX or not self.taken
        self.is_full = self.room < 1 or not fits
        return not self.is_full


class Handing:
    """The way out of the subscriptions in `database`."""

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
        self._settling = Settling(self._shelf)
        self._dead_letters = DeadLetters(self._catalog, self._shelf, publishing, self._settling)

    # -- pull ------------------------------------------------------------------------------------
    async def pull(
        self,
        project: str,
        name: str,
        limit: int,
        wait: timedelta = timedelta(0),
        *,
        single: bool = False,
    ) -> list[Delivery]:
        """At most `limit` messages that are due; when there are none, those that come within
        `wait`. `single`: of an ordering key, one at a time. Durable. Raises NotFound."""
        ends_at = self._clock() + wait
        while not (found := await self._pull_once(project, name, limit, single)):
            left = (ends_at - self._clock()).total_seconds()
            if left <= 0 or not await self.until_due(project, name, left):
                break
        return found

    async def until_due(self, project: str, name: str, seconds: float = FOR_EVER) -> bool:
        """Wait until something is due; False when nothing was within so many seconds. Changes
        nothing. Raises NotFound."""
        ends_at = self._clock() + timedelta(seconds=seconds)
        kept = await self._database.read(lambda tx: self._catalog.subscription(tx, project, name))
        with self._signals.listening([signal_of(kept.number)]) as listener:
            while True:
                now = self._clock()
                next_at = await self._database.read(lambda tx: self._next_due(tx, project, name))
                if next_at is not None and next_at <= to_micros(now):
                    return True
                if now >= ends_at:
                    return False
                until = LOOK_SECONDS
                if next_at is not None:
                    until = min(until, (next_at - to_micros(now)) / SECOND_MICROS)
                await listener.wait(min(until, (ends_at - now).total_seconds()))

    async def _next_due(self, tx: Tx, project: str, name: str) -> int | None:
        kept = await self._catalog.subscription(tx, project, name)  # or NotFound, by now
        return await self._shelf.next_due(tx, kept.number)

    async def _pull_once(self, project: str, name: str, limit: int, single: bool) -> list[Delivery]:
        now = to_micros(self._clock())

        async def work(tx: Tx) -> _Batch:
            kept = await self._catalog.subscription(tx, project, name)
            batch = _Batch(kept, now, limit, single)
            while batch.room and (due := await self._due(tx, batch)):
                for one in due:
                    await self._consider(tx, batch, one)
            return batch

        batch = await self._database.write(work)
        self._publishing.wake(batch.woken)
        return batch.found

    async def _due(self, tx: Tx, batch: _Batch) -> list[Due]:
        return await self._shelf.due(tx, batch.kept.number, batch.now, batch.room)

    async def _consider(self, tx: Tx, batch: _Batch, due: Due) -> None:
        """Take a message that is due, give it up, or let it wait for its turn."""
        if due.message in batch.taken:
            return
        if not await self._is_first(tx, batch.kept, due):
            await self._shelf.postpone(tx, (batch.kept.number, due.message), NEVER_MICROS)
        elif (woken := await self._given_up(tx, batch.kept, due, batch.now)) is not None:
            batch.woken |= woken
        elif batch.admits(due):
            await self._take(tx, batch, due)
            if due.ordering_key:
                await self._take_following(tx, batch, due)

    async def _take_following(self, tx: Tx, batch: _Batch, first: Due) -> None:
        subscription, key = batch.kept.number, first.ordering_key
        if first.attempts:
            await self._shelf.restart(tx, subscription, key, first.message)
        room = 0 if batch.single else batch.room
        for due in await self._shelf.following(tx, subscription, key, first.message, room):
            given_up = is_given_up(batch.kept.subscription.dead_letter, due.attempts)
            if given_up or not batch.admits(due):
                break
            await self._take(tx, batch, due)

    async def _take(self, tx: Tx, batch: _Batch, due: Due) -> None:
        subscription, named = batch.kept.subscription, (batch.kept.number, due.message)
        number, attempt = new_lease(batch.now, due.lease), due.attempts + 1
        deadline = batch.now + subscription.ack_deadline_seconds * SECOND_MICROS
        again_at = deadline + backoff_micros(subscription.retry, attempt)
        await self._shelf.lease(tx, named, again_at, number)
        message = await self._shelf.message(tx, due.message)
        batch.found.append(Delivery(ack_id(due.message, number), attempt, message))
        batch.taken.add(due.message)
        batch.size_bytes += due.size_bytes

    async def _given_up(self, tx: Tx, kept: KeptSubscription, due: Due, now: int) -> Woken | None:
        """Who is to be woken when a message went to the dead-letter topic; None when it did not."""
        if not is_given_up(kept.subscription.dead_letter, due.attempts):
            return None
        return await self._dead_letters.move(tx, kept, due, now)

    # -- what becomes of it ----------------------------------------------------------------------
    async def ack(self, project: str, name: str, ack_ids: Sequence[str]) -> int:
        """Messages are done with. How many that was news of: an ack id that is no more, because
        its message was delivered again, is passed over. Durable. Raises NotFound."""
        now = to_micros(self._clock())

        async def work(tx: Tx) -> tuple[int, Woken]:
            kept = await self._catalog.subscription(tx, project, name)
            outs = await self._outs(tx, kept, ack_ids)
            woke = [await self._settling.settle(tx, kept, due, now) for due in outs]
            return len(outs), {kept.number} if any(woke) else set()

        count, woken = await self._database.write(work)
        self._publishing.wake(woken)
        return count

    async def modify(self, project: str, name: str, ack_ids: Sequence[str], seconds: int) -> int:
        """Messages are to be acknowledged within so many seconds from now; 0: they are given back,
        and delivered again when the retry policy says so. How many are still out. Durable.

        Raises NotFound.
        """
        now = to_micros(self._clock())

        async def work(tx: Tx) -> tuple[int, Woken]:
            kept = await self._catalog.subscription(tx, project, name)
            outs = await self._outs(tx, kept, ack_ids)
            woken = {kept.number} if outs else set()
            for due in outs:
                if seconds:
                    await self._prolong(tx, kept, due, now + seconds * SECOND_MICROS)
                else:
                    woken |= await self._give_back(tx, kept, due, now)
            return len(outs), woken

        count, woken = await self._database.write(work)
        self._publishing.wake(woken)
        return count

    async def _prolong(self, tx: Tx, kept: KeptSubscription, due: Due, until: int) -> None:
        again_at = until + backoff_micros(kept.subscription.retry, due.attempts)
        await self._shelf.postpone(tx, (kept.number, due.message), again_at)

    async def _give_back(self, tx: Tx, kept: KeptSubscription, due: Due, now: int) -> Woken:
        if await self._is_first(tx, kept, due):
            woken = await self._given_up(tx, kept, due, now)
            if woken is not None:
                return woken
        again_at = now + backoff_micros(kept.subscription.retry, due.attempts)
        await self._shelf.take_back(tx, (kept.number, due.message), again_at)
        return set()

    async def _is_first(self, tx: Tx, kept: KeptSubscription, due: Due) -> bool:
        if not due.ordering_key:
            return True
        return due.message == await self._shelf.first_unacked(tx, kept.number, due.ordering_key)

    async def _outs(self, tx: Tx, kept: KeptSubscription, ack_ids: Sequence[str]) -> list[Due]:
        """The deliveries of these ack ids that are still out, each once."""
        found = []
        for number, lease in dict.fromkeys(filter(None, map(read_ack_id, ack_ids))):
            due = await self._shelf.leased(tx, (kept.number, number), lease)
            if due is not None:
                found.append(due)
        return found
