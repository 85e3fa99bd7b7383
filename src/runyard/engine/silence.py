"""Absences that wait for events: who listens to their topics says what was heard, and what was not.

What is published is with a subscription until it was looked at, so nothing is missed while anything
is still there: another engine may have it, or a message of the last moment may just have come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from runyard.database.port import Database
from runyard.gate.door import Gate
from runyard.gate.hearing import Heard, Unheard, awaited
from runyard.model.errors import NotFound
from runyard.model.ids import RunId
from runyard.model.pubsub.message import Message
from runyard.model.run import TriggerKind
from runyard.model.trigger.absence import OfEvent
from runyard.model.trigger.event import EventSource
from runyard.model.trigger.row import Trigger, TriggerState
from runyard.provider.port_pubsub import Broker
from runyard.store.memory import Store

PREFIX = "runyard.trigger."  #: how our subscriptions are called; no other may be
AGAIN = timedelta(seconds=1)  #: until somebody has looked at what is there


def subscription_name(row: Trigger) -> str:
    """The subscription of a trigger, in the environment of its job."""
    return f"{PREFIX}{row.project}.{row.job}.{row.name}"


class Silences:
    """Tells the gate what was heard, and asks it for what is missed. The gate looks once more, so
    that several may ask."""

    def __init__(
        self, gate: Gate, database: Database, store: Store, new_run_id: Callable[[], RunId]
    ) -> None:
        self._gate = gate
        self._database = database
        self._store = store
        self._new_run_id = new_run_id

    async def waiting(self) -> list[tuple[Trigger, OfEvent]]:
        """The absences that wait for events, and for which."""
        rows = await self._database.read(
            lambda tx: self._store.triggers.every_of_kind(tx, TriggerKind.ABSENCE)
        )
        said = [(row, awaited(row)) for row in rows]
        return [(row, found[1]) for row, found in said if found is not None]

    async def hear(
        self, row: Trigger, of: EventSource, messages: Sequence[Message], now: datetime
    ) -> None:
        """Tell an absence of messages, of which some may be what it waits for."""
        fitting = [one.published_at for one in messages if not of.unfit(one.attributes)]
        if fitting:
            await self._gate.ask(Heard(row.key, max(fitting), now))

    async def tick(self, broker: Broker, there_are: bool, now: datetime) -> datetime | None:
        """Have those do what they do that have heard nothing by `now`; when to look again."""
        waiting = await self.waiting() if there_are else ()
        found = await asyncio.gather(*(self._look(broker, row, now) for row, _ in waiting))
        return min((at for at in found if at is not None), default=None)

    async def _look(self, broker: Broker, row: Trigger, now: datetime) -> datetime | None:
        at = row.next_instant
        if at is None or at > now or row.state is not TriggerState.ENABLED:
            return at if row.state is TriggerState.ENABLED else None
        try:
            _, backlog = await broker.subscription(row.environment, subscription_name(row))
        except NotFound:
            return now + AGAIN  # it is made anew before the next look
        if backlog.unacked:
            return now + AGAIN
        await self._gate.ask(Unheard(row.key, at, now, self._new_run_id))
        return None
