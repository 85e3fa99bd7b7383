"""Pub/Sub as a whole, over one database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from runyard.database.port import Database
from runyard.database.signals import Listener, Signals
from runyard.localcloud.pubsub.administration import Administration
from runyard.localcloud.pubsub.handing import Handing
from runyard.localcloud.pubsub.publishing import Publishing
from runyard.localcloud.pubsub.pushing import Pushing
from runyard.localcloud.pubsub.sending import Send, Sender
from runyard.model.errors import PlatformError

LOGGER = logging.getLogger("runyard.pubsub")
FORGET_SECONDS = 60.0  #: how often what is old is forgotten


@dataclass(frozen=True, slots=True)
class PubSub:
    """The parts of it: what there is, the way in, the way out, and what goes out by itself.
    Projects keep theirs apart."""

    administration: Administration
    publishing: Publishing
    handing: Handing
    pushing: Pushing

    @classmethod
    def over(
        cls, database: Database, clock: Callable[[], datetime], send: Send | None = None
    ) -> PubSub:
        """Pub/Sub over `database`. `send` sends requests to push endpoints, else by HTTP."""
        signals = Signals()
        publishing = Publishing(database, clock, signals)
        administration = Administration(database, clock, signals, publishing)
        handing = Handing(database, clock, signals, publishing)
        pushing = Pushing(administration, handing, signals, send or Sender())
        return cls(administration, publishing, handing, pushing)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Push messages and forget old ones for as long as the block lasts. One process does."""
        tasks = [
            asyncio.create_task(self.pushing.run(), name="pubsub push"),
            asyncio.create_task(self._forget(), name="pubsub forget"),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _forget(self) -> None:
        pause = Listener()
        while True:
            try:
                await self.administration.forget_old()
            except PlatformError as error:
                LOGGER.warning("old messages cannot be forgotten: %s", error.message)
            await pause.wait(FORGET_SECONDS)
