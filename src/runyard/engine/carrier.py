"""Carries effects out: the only place where something happens outside the database.

Each effect is done at least once. It leaves the outbox in the transaction that tells its result;
dying in between means that it is done again, which its key makes harmless. What cannot be done
now is done later, with growing pauses; what can never be done is told as such.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from runyard.channel.port import Channel
from runyard.engine.launching import Orders
from runyard.engine.reports import event_of
from runyard.gate.chaining import FollowUp
from runyard.gate.door import Gate
from runyard.gate.telling import Delay, Settle
from runyard.model.effect import Announce, CancelOlder, Follow, Launch, Pending, Release, Stop
from runyard.model.errors import (
    CallerError,
    FarSideError,
    IllegalTransition,
    NotFound,
    PlatformError,
    ProviderRefused,
)
from runyard.model.event import CancelRequested, Delayed, Ended, Event, Released
from runyard.model.ids import RunId, attempt_key
from runyard.model.notice import Notice
from runyard.model.outcome import Ending, Outcome
from runyard.model.run import State
from runyard.provider.port import Provider

LOGGER = logging.getLogger("runyard.engine")

PAUSE_SECONDS = 0.5  #: after a first failure; doubled each time
PAUSE_SECONDS_MAX = 60.0
LAUNCH_TRIES_MAX = 60  #: about 54 minutes; then the provider has refused for good
Clock = Callable[[], datetime]


def pause(tries: int) -> timedelta:
    """How long to wait before trying again what failed `tries` times before."""
    return timedelta(seconds=min(PAUSE_SECONDS_MAX, PAUSE_SECONDS * 2.0 ** min(tries, 20)))


class Carrier:
    """Does one effect after the other; safe to call for several at once."""

    def __init__(
        self,
        gate: Gate,
        orders: Orders,
        provider: Provider,
        channel: Channel,
        clock: Clock,
        new_run_id: Callable[[], RunId],
        *,
        launch_tries_max: int = LAUNCH_TRIES_MAX,
    ) -> None:
        self._gate = gate
        self._orders = orders
        self._provider = provider
        self._channel = channel
        self._clock = clock
        self._new_run_id = new_run_id
        self._launch_tries_max = launch_tries_max

    async def carry(self, pending: Pending) -> None:
        """Do one effect and tell the result. Raises StoreError when that cannot be written."""
        try:
            await self._do(pending)
        except ProviderRefused as error:
            await self._refused(pending, error)
        except (IllegalTransition, NotFound) as error:
            LOGGER.debug("%s came too late: %s", pending.id, error)
            await self._settle(pending)
        except PlatformError as error:
            await self._later(pending, error)

    async def _do(self, pending: Pending) -> None:
        match pending.effect:
            case Launch(attempt):
                await self._launch(pending, attempt)
            case Stop(attempt):
                await self._provider.stop(attempt_key(pending.run, attempt))
                await self._settle(pending)
            case Release(attempt):
                gone = await self._provider.release(attempt_key(pending.run, attempt))
                await self._tell(pending, Released(attempt, gone.removed, gone.left))
            case Announce(title, text):
                notice = Notice(pending.id, self._clock(), title, text)
                await self._channel.send(notice)
                await self._settle(pending)
            case Follow():
                await self._gate.ask(FollowUp(pending, self._clock(), self._new_run_id))
            case CancelOlder(older):
                words = f"{pending.run} is newer and takes its place"
                event = CancelRequested("its job's rule", words, pending.run)
                await self._gate.tell(older, event, self._clock(), settles=pending.id)

    async def _launch(self, pending: Pending, attempt: int) -> None:
        known = self._orders.just_decided(pending.run, self._clock()) if not pending.tries else None
        run = known or await self._orders.run(pending.run)
        if run is None or run.state is not State.LAUNCHING or run.attempt != attempt:
            await self._settle(pending)  # cancelled, or launched already
            return
        order = await self._orders.order(run, untried=known is not None)
        report = await self._provider.launch(order)
        await self._tell(pending, event_of(report))

    async def _refused(self, pending: Pending, error: ProviderRefused) -> None:
        if isinstance(pending.effect, Launch):
            outcome = Outcome(Ending.REFUSED, error.message, reason=error.reason or error.code)
            await self._tell_late(pending, Ended(pending.effect.attempt, outcome))
            return
        LOGGER.error("%s was refused for good: %s", pending.id, error.message)
        await self._settle(pending)

    async def _later(self, pending: Pending, error: PlatformError) -> None:
        if isinstance(error, CallerError) and not error.transient:
            LOGGER.error("%s cannot be done: %s", pending.id, error.message)
        now = self._clock()
        until = now + pause(pending.tries)
        event: Event | None = None
        if isinstance(pending.effect, Launch):
            if pending.tries + 1 >= self._launch_tries_max:
                words = f"not accepted after {self._launch_tries_max} tries: {error.message}"
                reason = error.reason if isinstance(error, FarSideError) else ""
                refusal = ProviderRefused(words, reason=reason or error.code)
                await self._refused(pending, refusal)
                return
            event = Delayed(pending.effect.attempt, error.message, until)
        await self._gate.ask(Delay(pending, until, now, event))

    async def _tell(self, pending: Pending, event: Event) -> None:
        await self._gate.tell(pending.run, event, self._clock(), settles=pending.id)

    async def _tell_late(self, pending: Pending, event: Event) -> None:
        try:
            await self._tell(pending, event)
        except (IllegalTransition, NotFound):
            LOGGER.debug("%s came too late", pending.id)

    async def _settle(self, pending: Pending) -> None:
        await self._gate.ask(Settle(pending.id, self._clock()))
