"""Carries out what alerts and incidents want done: a death is taken into its alert, and a channel
is told what happened to an incident.

A channel is told at least once, in the order in which things happened; the key of a notice makes a
second time harmless where the far side knows keys. Whether a notice is still to be told is looked
at just before; only an engine that then stalls for longer than its claim lasts, and is taken for
dead, may tell one late. What could not be told is tried again with growing pauses, for about a day;
after a few tries the channel is itself what is wrong.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from runyard.channel.port import Channel, Voices
from runyard.database.port import Database, Tx
from runyard.engine.carrier import pause
from runyard.engine.launching import Orders
from runyard.flow.freezing import Zones
from runyard.flow.incident import LOG
from runyard.flow.notices import notice_of
from runyard.flow.rules import dead
from runyard.gate.alert_steps import channel_seen
from runyard.gate.alerting import Observe, TellIncident
from runyard.gate.door import Gate
from runyard.gate.telling import Settle
from runyard.model.channels import ChannelSpec
from runyard.model.effect import Alert, Notify, Pending
from runyard.model.errors import ChannelError, ChannelRefused, IllegalTransition, NotFound
from runyard.model.incident import Incident, IncidentEvent, NotTold, Told
from runyard.model.job import JobSpec
from runyard.store.alerts import IncidentHappening
from runyard.store.memory import Store

LOGGER = logging.getLogger("runyard.engine")
DOWN_TRIES = 3  #: after so many the channel is down, some four seconds after the first
TRIES_MAX = 104  #: about a day of trying, at the longest pause
PAUSE_SECONDS_MAX = 900.0
_DOUBLED_MAX = 10


@dataclass(frozen=True, slots=True)
class _Known:
    """What there is of an incident, and how its channel is met; None: it is not declared."""

    incident: Incident
    happening: IncidentHappening
    spec: ChannelSpec | None


@dataclass(slots=True)
class Notifier:
    """Does one effect after the other; safe to call for several at once. `log` is the channel that
    is always there."""

    gate: Gate
    database: Database
    store: Store
    orders: Orders
    log: Channel
    voices: Voices
    clock: Callable[[], datetime]
    zones: Zones

    async def carry(self, pending: Pending, effect: Alert | Notify) -> None:
        """Do one effect and tell the result. Raises StoreError when that cannot be written."""
        if isinstance(effect, Alert):
            await self._raise(pending, effect.reason)
        else:
            await self._notify(pending, effect)

    async def _raise(self, pending: Pending, reason: str) -> None:
        run = await self.orders.run(pending.run)
        if run is None:
            await self._settle(pending)
            return

        async def work(tx: Tx) -> JobSpec | None:
            key = (run.project, run.environment, run.job)
            document = await self.store.jobs.document(tx, *key, run.revision)
            return None if document is None else JobSpec.from_document(document)

        spec = await self.database.read(work)
        seen = spec and dead(run.environment, spec, run.id, run.region, reason)
        if not seen:
            await self._settle(pending)
            return
        await self.gate.ask(Observe((seen,), self.clock(), self.zones, settles=pending.id))

    async def _notify(self, pending: Pending, effect: Notify) -> None:
        known = await self._known(effect)
        if known is None or known.incident.next_for(effect.channel) != effect.number:
            await self._settle(pending)  # forgotten, or told by who took this engine for dead
            return
        incident, happening = known.incident, known.happening
        notice = notice_of(incident, happening.sequence, happening.fact, happening.at)
        try:
            if effect.channel == LOG:
                await self.log.send(notice)
            elif known.spec is None:
                raise ChannelRefused("it is not declared any more")
            else:
                await self.voices.send(incident.environment, effect.channel, known.spec, notice)
        except ChannelRefused as error:
            await self._not_told(pending, effect, error.message)
        except ChannelError as error:
            await self._later(pending, effect, incident, error)
        else:
            await self._tell(pending, effect, Told(effect.channel, effect.number))

    async def _later(
        self, pending: Pending, effect: Notify, incident: Incident, error: ChannelError
    ) -> None:
        tries = pending.tries + 1
        words = f"{error.message} ({error.hint})" if error.hint else error.message
        LOGGER.warning("channel %s: %s; try %d", effect.channel, words, tries)
        if tries >= TRIES_MAX:
            await self._not_told(pending, effect, f"given up after {tries} tries: {words}")
            return
        down = (channel_seen(incident, effect.channel, words),) if tries == DOWN_TRIES else ()
        now = self.clock()
        until = now + max(_pause(pending.tries), timedelta(seconds=error.again_seconds))
        await self.gate.ask(Observe(down, now, self.zones, delays=(pending, until)))

    async def _not_told(self, pending: Pending, effect: Notify, words: str) -> None:
        LOGGER.error("channel %s: %s", effect.channel, words)
        await self._tell(pending, effect, NotTold(effect.channel, effect.number, words))

    async def _tell(self, pending: Pending, effect: Notify, event: IncidentEvent) -> None:
        now = self.clock()
        try:
            await self.gate.ask(
                TellIncident(effect.incident, event, now, self.zones, settles=pending.id)
            )
        except (IllegalTransition, NotFound) as error:
            LOGGER.debug("%s came too late: %s", pending.id, error)

    async def _known(self, effect: Notify) -> _Known | None:
        async def work(tx: Tx) -> _Known | None:
            port = self.store.alerts
            found = await port.incidents(tx, [effect.incident])
            happening = await port.fact(tx, effect.incident, effect.number)
            if not found or happening is None:
                return None
            incident = found[0]
            rows = await self.store.environments.named(tx, incident.environment)
            fitting = [row for row in rows if row.project == incident.project]
            spec = fitting[0].environment.channels.get(effect.channel) if fitting else None
            return _Known(incident, happening, spec)

        return await self.database.read(work)

    async def _settle(self, pending: Pending) -> None:
        await self.gate.ask(Settle(pending.id, self.clock()))


def _pause(tries: int) -> timedelta:
    """Twice as long each time, up to a quarter of an hour."""
    seconds = pause(0).total_seconds() * 2.0 ** min(tries, _DOUBLED_MAX + 1)
    return timedelta(seconds=min(PAUSE_SECONDS_MAX, seconds))
