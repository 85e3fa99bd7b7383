"""STANDBY: waits at the post of a cloud until it is free, and sees to it that it gets free.

Who dies frees the post at that moment. Who hangs, gives no sign of life; after a whole lease of
silence it is ended, since two that work in one cloud would each undo what the other does.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable

from runyard.database.port import Database
from runyard.database.signals import Listener
from runyard.flow.watching import Watched, is_hung, look
from runyard.model.errors import StoreError
from runyard.premises import Post, end_process
from runyard.store.memory import Store

LOGGER = logging.getLogger("runyard.engine")
LOOKS = 6  #: in a lease


class Standby:
    """One who waits. `seconds` is a clock that only goes on."""

    def __init__(
        self,
        database: Database,
        store: Store,
        place: Post,
        name: str,
        *,
        lease_seconds: float,
        seconds: Callable[[], float],
    ) -> None:
        self._database = database
        self._store = store
        self._post = place
        self._name = name
        self._lease_seconds = lease_seconds
        self._seconds = seconds
        self._watched: Watched | None = None

    async def until_ours(self) -> None:
        """Returns when the post is ours."""
        while not self._post.take(self._name):
            handle = self._post.handle()
            try:
                if handle is None and self._post.take(self._name):
                    return  # who kept us from taking it has ended since
                await self._watch(handle)
            finally:
                if handle is not None:
                    os.close(handle)

    async def _watch(self, handle: int | None) -> None:
        """Look once, and wait until the holder ends or it is time for the next look."""
        if await self._holder_hangs() and handle is not None:
            LOGGER.warning(
                "%s has given no sign of life for %g s: it is ended, and %s takes its place",
                self._post.holder(),
                self._lease_seconds,
                self._name,
            )
            end_process(handle)
        over, loop = Listener(), asyncio.get_running_loop()
        if handle is not None:
            loop.add_reader(handle, over.wake)
        try:
            await over.wait(self._lease_seconds / LOOKS)
        finally:
            if handle is not None:
                loop.remove_reader(handle)

    async def _holder_hangs(self) -> bool:
        holder = self._post.holder()
        try:
            beat = await self._database.read(lambda tx: self._store.processes.beats(tx, holder))
        except StoreError as error:
            LOGGER.debug("cannot see whether %s lives: %s", holder, error)
            return False
        now = self._seconds()
        self._watched = look(self._watched, holder, beat, now, self._lease_seconds)
        return is_hung(self._watched, self._lease_seconds)
