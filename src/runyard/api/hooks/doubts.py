"""Calls that did not prove to be who they should be, written down after they were answered.

How long it takes to answer one says nothing so, and many of them together cost one commit.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable

from runyard.gate.delivering import Doubt
from runyard.gate.door import Gate
from runyard.model.delivery import Delivery
from runyard.model.errors import PlatformError

LOGGER = logging.getLogger("runyard.api")


class Doubts:
    """One per process."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._waiting: dict[str, tuple[Delivery, int]] = {}  #: the last and the count, by trigger
        self._task: asyncio.Task[None] | None = None

    def note(self, delivery: Delivery) -> None:
        """One more."""
        _, count = self._waiting.get(delivery.trigger, (delivery, 0))
        self._waiting[delivery.trigger] = (delivery, count + 1)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write(), name="doubts")

    async def settled(self) -> None:
        """Returns when all that was noted is written, or was tried to be."""
        if self._task is not None:
            await self._task

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, {}
            asked: list[Awaitable[None]] = [
                self._gate.ask(Doubt(delivery, count, delivery.received_at))
                for delivery, count in batch.values()
            ]
            for done in await asyncio.gather(*asked, return_exceptions=True):
                if isinstance(done, PlatformError):
                    LOGGER.error("doubted deliveries could not be written down: %s", done.message)
