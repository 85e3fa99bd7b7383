"""Deletes executions in the background: one that runs is cancelled first, as Google does. Acts.

What is under way when the process ends is not taken up again: the execution is cancelled by then
or runs on, and whoever asked may ask again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from functools import partial

from runyard.localcloud.cloudrun.cloud import CloudRun
from runyard.localcloud.cloudrun.resources import Execution
from runyard.localcloud.google.watching import Watch
from runyard.model.errors import NotFound, PlatformError

_log = logging.getLogger(__name__)


class Removal:
    """Deletes executions of `cloud`."""

    def __init__(self, cloud: CloudRun, watch: Watch) -> None:
        self._cloud = cloud
        self._watch = watch
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def begin(self, executions: Iterable[Execution]) -> None:
        """See to it that they will be gone."""
        for one in executions:
            if one.name not in self._under_way:
                task = asyncio.create_task(self._delete(one.name), name=f"delete {one.name}")
                self._under_way[one.name] = task
                task.add_done_callback(partial(self._done, one.name))

    def _done(self, name: str, _: asyncio.Task[None]) -> None:
        del self._under_way[name]

    async def gone(self, name: str) -> None:
        """Wait until what is under way of it is done."""
        task = self._under_way.get(name)
        if task is not None:
            await asyncio.wait([task])

    async def close(self) -> None:
        """Let go of what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _delete(self, name: str) -> None:
        try:
            await self._cloud.cancel_execution(name)
            await self._watch.ended(name)
            await self._cloud.delete_execution(name)
        except NotFound:
            return
        except PlatformError as error:
            _log.warning("execution %s could not be deleted: %s", name, error.message)
