"""EVENTS: has messages do what the triggers that want them say.

Each event trigger, and each absence that waits for an event, has a subscription of its own, which
follows it: made, made anew when the trigger is changed, removed with it. A message is acknowledged
once what became of it is kept, so it comes again when anything died in between; its key keeps it
from leading to a second run.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from runyard.database.port import Database
from runyard.engine.batching import Batches
from runyard.engine.silence import PREFIX, Silences, subscription_name
from runyard.flow.eventing import event_key, told_by
from runyard.gate.delivering import Take, event_of
from runyard.gate.door import Gate
from runyard.model.delivery import Delivery
from runyard.model.errors import AlreadyExists, CallerError, InvalidSpec, NotFound
from runyard.model.ids import DeliveryId, RunId
from runyard.model.pubsub import message
from runyard.model.pubsub.topic import DELETED_TOPIC, RetryPolicy, Subscription
from runyard.model.run import TriggerKind
from runyard.model.trigger.event import EventSource, EventSpec
from runyard.model.trigger.pointing import Told
from runyard.model.trigger.row import Trigger, TriggerState
from runyard.provider.port_pubsub import Broker
from runyard.store.memory import Store

LOGGER = logging.getLogger("runyard.engine")
BATCH = 200  #: messages of a trigger that are looked at together
ACK_DEADLINE_SECONDS = 60  #: the gate answers much sooner, or is away
RETRY = RetryPolicy()
FOLLOW_AGAIN = timedelta(seconds=5)  #: a topic that was removed is made again so soon


@dataclass(frozen=True, slots=True)
class Ears:
    """Where events come from, and ids for what comes in."""

    broker: Broker
    new_delivery_id: Callable[[], DeliveryId]


class EventLoop:
    """One tick: all that was published and is not decided on yet, and all that should have been."""

    def __init__(
        self,
        gate: Gate,
        database: Database,
        store: Store,
        new_run_id: Callable[[], RunId],
        ears: Ears | None,
    ) -> None:
        self._gate = gate
        self._database = database
        self._store = store
        self._new_run_id = new_run_id
        self._ears = ears
        self._batches = Batches(gate, database, store, new_run_id)
        self._silences = Silences(gate, database, store, new_run_id)
        self._followed: tuple[Mapping[str, Subscription], datetime] | None = None

    def listen(self, wake: Callable[[], None]) -> None:
        """Have `wake` called when something is published."""
        if self._ears is not None:
            self._ears.broker.listen(wake)

    async def tick(self, now: datetime) -> datetime | None:
        """Have done all that is published by `now`; when the next batch is to become a run, or
        something is missed."""
        if self._ears is None:
            return None
        rows = await self._database.read(
            lambda tx: self._store.triggers.every_of_kind(tx, TriggerKind.EVENT)
        )
        read = [(row, _understood(row)) for row in rows]
        known = [(row, spec) for row, spec in read if spec is not None]
        waiting = await self._silences.waiting()
        sources = [(row, spec.event) for row, spec in known]
        sources += [(row, of.event) for row, of in waiting]
        wanted = {row.path: _wanted(row, of, now) for row, of in sources}
        await self._follow(self._ears, wanted, now)
        enabled = [one for one in known if one[0].state is TriggerState.ENABLED]
        await asyncio.gather(
            *(self._drain(self._ears, *one, now) for one in enabled),
            *(self._listen(self._ears, row, of.event, now) for row, of in waiting),
        )
        missed_at = await self._silences.tick(self._ears.broker, bool(waiting), now)
        batch_at = await self._batches.tick({row.path: (row, spec) for row, spec in read}, now)
        return min((at for at in (missed_at, batch_at) if at is not None), default=None)

    # -- subscriptions ---------------------------------------------------------------------------
    async def _follow(self, ears: Ears, wanted: Mapping[str, Subscription], now: datetime) -> None:
        """Have exactly the subscriptions that triggers want. Topics are removed and made again
        behind our back, so it is looked now and then though triggers are as they were."""
        if self._followed is not None:
            followed, at = self._followed
            if _same(followed, wanted) and abs(now - at) < FOLLOW_AGAIN:
                return
        self._followed = None
        there = {
            (one.project, one.name): one
            for one in await ears.broker.every_subscription()
            if one.name.startswith(PREFIX)
        }
        done = [
            await _bring(ears.broker, there.pop((one.project, one.name), None), one)
            for one in wanted.values()
        ]
        for found in there.values():
            await _removed(ears.broker, found)
        self._followed = (wanted, now) if all(done) else None

    # -- messages --------------------------------------------------------------------------------
    async def _drain(self, ears: Ears, row: Trigger, spec: EventSpec, now: datetime) -> None:
        environment, name = row.environment, subscription_name(row)
        try:
            while found := await ears.broker.pull(environment, name, BATCH):
                takes = (self._take(ears, row, spec, one, now) for one in found)
                decided = await asyncio.gather(*takes)
                both = list(zip(found, decided, strict=True))
                done = [one.ack_id for one, is_final in both if is_final]
                again = [one.ack_id for one, is_final in both if not is_final]
                if done:
                    await ears.broker.ack(environment, name, done)
                if again:
                    await ears.broker.modify(environment, name, again, 0)
        except NotFound:  # somebody removed the subscription, or the trigger: look again
            self._followed = None

    async def _listen(self, ears: Ears, row: Trigger, of: EventSource, now: datetime) -> None:
        """Have an absence know of what it waits for."""
        if row.state is not TriggerState.ENABLED:
            return
        try:
            while found := await ears.broker.pull(row.environment, subscription_name(row), BATCH):
                await self._silences.hear(row, of, [one.message for one in found], now)
                acks = [one.ack_id for one in found]
                await ears.broker.ack(row.environment, subscription_name(row), acks)
        except NotFound:
            self._followed = None

    async def _take(
        self,
        ears: Ears,
        row: Trigger,
        spec: EventSpec,
        brought: message.Delivery,
        now: datetime,
    ) -> bool:
        """Ask the gate what becomes of a message; False when it is to come again."""
        one, told, key = brought.message, _told(brought.message), ""
        if not isinstance(told, CallerError):
            try:
                key = event_key(spec, told, one.id)
            except InvalidSpec as error:
                told = error
        delivery = Delivery(
            ears.new_delivery_id(),
            row.environment,
            row.path,
            key or f"message/{one.id}",
            now,
            now,
            headers=one.attributes,
            address=f"message {one.id}",
            body_bytes=len(one.data),
        )
        command = Take(row.key, delivery, told, one.data, now, self._new_run_id)
        taken = await self._gate.ask(command)
        return taken.error is None or isinstance(taken.error, InvalidSpec)


def _understood(row: Trigger) -> EventSpec | None:
    try:
        return event_of(row)
    except CallerError as error:
        LOGGER.warning("trigger %s: %s", row.path, error.message)
        return None


def _wanted(row: Trigger, source: EventSource, now: datetime) -> Subscription:
    return Subscription(
        row.environment,
        subscription_name(row),
        source.topic,
        now,
        ack_deadline_seconds=ACK_DEADLINE_SECONDS,
        filter=source.subscription_filter(),
        retry=RETRY,
    )


def _same(one: Mapping[str, Subscription], other: Mapping[str, Subscription]) -> bool:
    return one.keys() == other.keys() and all(_alike(one[path], other[path]) for path in one)


def _alike(one: Subscription, other: Subscription) -> bool:
    return (one.topic, one.filter) == (other.topic, other.filter)


async def _bring(broker: Broker, found: Subscription | None, wanted: Subscription) -> bool:
    """Have a subscription that is wanted, instead of one that was found; False when that cannot be
    yet."""
    if found is not None:
        if _alike(found, wanted):
            return True
        if await _has_left(broker, found) or not await _removed(broker, found):
            return False
    await _subscribe(broker, wanted)
    return True


async def _has_left(broker: Broker, found: Subscription) -> bool:
    """True of a subscription of a topic that is no more, which still has messages: those are looked
    at before there is one of the topic's successor."""
    if found.topic != DELETED_TOPIC:
        return False
    _, backlog = await broker.subscription(found.project, found.name)
    return backlog.unacked > 0


async def _removed(broker: Broker, found: Subscription) -> bool:
    """Remove a subscription, if it is still the one that was found; False when it is not."""
    try:
        await broker.delete_subscription(found.project, found.name, found.created_at)
    except NotFound:  # somebody was faster, and may have made another one
        return False
    return True


async def _subscribe(broker: Broker, wanted: Subscription) -> None:
    """Make a subscription, and its topic where there is none."""
    try:
        await broker.create_subscription(wanted)
    except NotFound:
        with suppress(AlreadyExists):  # somebody else made it just now
            await broker.create_topic(wanted.project, wanted.topic)
        await broker.create_subscription(wanted)


def _told(one: message.Message) -> Told | CallerError:
    try:
        return told_by(one.attributes, one.data)
    except InvalidSpec as error:
        return error
