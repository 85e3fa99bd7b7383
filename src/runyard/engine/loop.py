"""The life of a loop: tick, wait until woken or due, tick again. Dying anywhere is normal.

A tick that fails because a database or a cloud is away is logged and tried again with growing
pauses; what it was about to do is still in rows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from runyard.database.signals import Listener
from runyard.model.errors import PlatformError

LOGGER = logging.getLogger("runyard.engine")

Tick = Callable[[datetime], Awaitable[datetime | None]]
Clock = Callable[[], datetime]
PAUSE_SECONDS = 0.1  #: after a first failure; doubled each time
PAUSE_SECONDS_MAX = 10.0


@dataclass(slots=True)
class LoopHealth:
    """What a loop did last, for `status` and metrics."""

    name: str
    ticks: int = 0
    errors: int = 0
    last_tick_at: datetime | None = None
    last_error: str = ""


class Loop:
    """One loop. `tick(now)` returns when it wants to be called again at the latest, or None.

    `poll_seconds` bounds every wait: the safety poll, should a wake-up ever be lost.
    """

    def __init__(self, name: str, tick: Tick, clock: Clock, *, poll_seconds: float) -> None:
        self.health = LoopHealth(name)
        self.listener = Listener()
        self._tick = tick
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._failures = 0

    def wake(self) -> None:
        """There is something to do now."""
        self.listener.wake()

    async def run(self) -> None:
        """Tick for ever; ends by cancellation."""
        while True:
            await self.listener.wait(await self._once())

    async def _once(self) -> float:
        """One tick; the seconds to wait after it."""
        now = self._clock()
        self.health.ticks += 1
        self.health.last_tick_at = now
        try:
            next_at = await self._tick(now)
        except PlatformError as error:
            return self._failed(f"{error.message} ({error.hint})" if error.hint else error.message)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            LOGGER.exception("loop %s: a fault of the program", self.health.name)
            return self._failed(repr(error))
        self._failures = 0
        if next_at is None:
            return self._poll_seconds
        wait_seconds = (next_at - self._clock()).total_seconds()
        return min(self._poll_seconds, max(0.0, wait_seconds))

    def _failed(self, words: str) -> float:
        self.health.errors += 1
        self.health.last_error = words
        pause = min(PAUSE_SECONDS_MAX, PAUSE_SECONDS * 2.0**self._failures)
        self._failures = min(self._failures + 1, 30)
        LOGGER.warning("loop %s: %s; again in %.1f s", self.health.name, words, pause)
        return pause
