"""Pushes messages to endpoints: one task for each subscription that has one.

An endpoint that does not answer as it should gets fewer requests at once, and later, for the whole
subscription: from 100 ms to a minute, doubled each time; one that does gets more. So each is asked
as much as it bears (https://cloud.google.com/pubsub/docs/push#push_backoff).
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime

from runyard.database.signals import Listener, Signals
from runyard.localcloud.pubsub.administration import SUBSCRIPTIONS, Administration
from runyard.localcloud.pubsub.handing import Handing
from runyard.localcloud.pubsub.push_requests import ACKS, push_request
from runyard.localcloud.pubsub.sending import Send
from runyard.model.errors import NotFound, PlatformError
from runyard.model.pubsub.message import Delivery
from runyard.model.pubsub.topic import PushConfig, Subscription

LOGGER = logging.getLogger("runyard.pubsub")

WINDOW_MAX = 16  #: messages of a subscription that are out at once
BACKOFF_SECONDS_MIN, BACKOFF_SECONDS_MAX = 0.1, 60.0
LOOK_SECONDS = 1.0  #: how often the list of subscriptions is read: another process may change it
PAUSE_SECONDS = 1.0  #: after a database that did not answer

_Key = tuple[str, str, datetime]


class Pushing:
    """Everything that is pushed. `send` sends a request."""

    def __init__(
        self, administration: Administration, handing: Handing, signals: Signals, send: Send
    ) -> None:
        self._administration = administration
        self._handing = handing
        self._signals = signals
        self._send = send
        self._tasks: dict[_Key, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Push for ever; ends by cancellation."""
        try:
            with self._signals.listening([SUBSCRIPTIONS]) as listener:
                while True:
                    await self._look()
                    await listener.wait(LOOK_SECONDS)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            self._tasks.clear()

    async def _look(self) -> None:
        """Begin what is new, end what is no more."""
        try:
            found = await self._administration.every_subscription()
        except PlatformError as error:
            LOGGER.warning("push subscriptions cannot be read: %s", error.message)
            return
        wanted = {_key(one): one for one in found if one.push is not None}
        for key in [key for key, task in self._tasks.items() if key not in wanted or task.done()]:
            self._tasks.pop(key).cancel()
        for key, one in wanted.items():
            if key not in self._tasks and one.push is not None:
                pipe = _Pipe(self._handing, one, one.push, self._send)
                self._tasks[key] = asyncio.create_task(pipe.run(), name=f"push {one.name}")


def _key(subscription: Subscription) -> _Key:
    return (subscription.project, subscription.name, subscription.created_at)


@dataclass(slots=True)
class _Pipe:
    """One subscription's way to its endpoint. Nothing is sent before `not_before`, by the event
    loop's clock. `round` tells requests that were sent before the last failure from later ones:
    those say nothing new."""

    handing: Handing
    subscription: Subscription
    push: PushConfig
    send: Send
    window: int = 1
    backoff_seconds: float = 0.0
    not_before: float = 0.0
    round: int = 0
    flying: set[asyncio.Task[None]] = field(default_factory=set)
    pause: Listener = field(default_factory=Listener)

    async def run(self) -> None:
        """Until the subscription is no more."""
        try:
            while True:
                await self._turn()
        except NotFound:
            return
        finally:
            for flight in tuple(self.flying):
                flight.cancel()

    async def _turn(self) -> None:
        """Send what is due and may go."""
        try:
            if await self._is_time():
                await self._launch()
        except NotFound:
            raise
        except PlatformError as error:
            self._say(error.message)
            await self.pause.wait(PAUSE_SECONDS)

    async def _is_time(self) -> bool:
        """Wait for a message, or for a request to end; True when there may be one to send."""
        if self.window > len(self.flying):
            is_due = await self._is_due()
        else:
            is_due = False
            await asyncio.wait(self.flying, return_when=asyncio.FIRST_COMPLETED)
        pause_seconds = self.not_before - asyncio.get_running_loop().time()
        if pause_seconds > 0:
            await self.pause.wait(pause_seconds)
        return is_due and self.window > len(self.flying)

    async def _is_due(self) -> bool:
        """Wait until a message is due, or a request has ended; True when one is."""
        project, name = self.subscription.project, self.subscription.name
        due = asyncio.ensure_future(self.handing.until_due(project, name))
        try:
            await asyncio.wait({due, *self.flying}, return_when=asyncio.FIRST_COMPLETED)
            return due.done() and due.result()
        finally:
            due.cancel()  # of no effect when it is done

    async def _launch(self) -> None:
        project, name = self.subscription.project, self.subscription.name
        room, single = self.window - len(self.flying), self.subscription.ordered
        for delivery in await self.handing.pull(project, name, room, single=single):
            flight = asyncio.create_task(self._fly(delivery, self.round))
            self.flying.add(flight)
            flight.add_done_callback(self.flying.discard)

    async def _fly(self, delivery: Delivery, began_in: int) -> None:
        """Send a message, and say what became of it."""
        project, name = self.subscription.project, self.subscription.name
        try:
            status = await self.send(push_request(self.subscription, self.push, delivery))
            why = "" if status in ACKS else f"HTTP status {status}"
        except OSError as error:
            why = str(error) or type(error).__name__
        self._heed(why, began_in)
        try:
            if why:
                await self.handing.modify(project, name, [delivery.ack_id], 0)
            else:
                await self.handing.ack(project, name, [delivery.ack_id])
        except PlatformError as error:  # it is delivered again
            self._say(error.message)

    def _heed(self, why: str, began_in: int) -> None:
        """Send more, or less and later."""
        if not why:
            self.window = min(self.window + 1, WINDOW_MAX)
            self.backoff_seconds = self.not_before = 0.0
        elif began_in == self.round:
            self.round += 1
            self.window = max(1, self.window // 2)
            doubled = max(2 * self.backoff_seconds, BACKOFF_SECONDS_MIN)
            self.backoff_seconds = min(doubled, BACKOFF_SECONDS_MAX)
            self.not_before = asyncio.get_running_loop().time() + self.backoff_seconds
            self._say(f"{why}; again in {self.backoff_seconds:.1f} s")

    def _say(self, words: str) -> None:
        """The endpoint is never named: its address may hold a key."""
        LOGGER.warning("push of subscription %s: %s", self.subscription.name, words)
