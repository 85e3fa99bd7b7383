"""Waits for the ends of executions, however many wait for one. Acts."""

from __future__ import annotations

import asyncio

from runyard.localcloud.cloudrun.cloud import CloudRun
from runyard.localcloud.cloudrun.resources import Execution


class Watch:
    """Hears of every execution of `cloud` whose state changed."""

    def __init__(self, cloud: CloudRun) -> None:
        self._cloud = cloud
        self._waiting: dict[str, set[asyncio.Event]] = {}
        cloud.subscribe(self._notice)

    def _notice(self, execution: Execution) -> None:
        if execution.is_final:
            for event in self._waiting.get(execution.name, ()):
                event.set()

    async def ended(self, name: str) -> Execution:
        """The execution, once it has ended. Raises NotFound when there is none."""
        event = asyncio.Event()
        waiting = self._waiting.setdefault(name, set())
        waiting.add(event)
        try:
            found = await self._cloud.execution(name)
            if not found.is_final:
                await event.wait()
                found = await self._cloud.execution(name)
            return found
        finally:
            waiting.discard(event)
            if not waiting:
                self._waiting.pop(name, None)
