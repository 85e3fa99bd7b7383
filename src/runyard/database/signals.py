"""Signals: who waits is woken, nobody polls. A signal says that, never what: look again.

In one process these are plain events; what other processes did comes in by the database
(`Database.listen`) and is sent on here. A signal that comes while nobody waits is not lost: the
next wait of that listener ends at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress


class Listener:
    """One who waits. Must be made and awaited in the event loop's thread."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def wake(self) -> None:
        """Let the wait end."""
        self._event.set()

    async def wait(self, timeout_seconds: float | None = None) -> bool:
        """Until woken, or for `timeout_seconds`; True when woken. Forgets earlier wakes."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._event.wait()
        woken = self._event.is_set()
        self._event.clear()
        return woken


class Signals:
    """Topics and who listens to them. A topic is any string, such as `run/run_0...`."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Listener]] = {}

    @contextmanager
    def listening(self, topics: Iterable[str]) -> Iterator[Listener]:
        """A listener to `topics` for as long as the block lasts."""
        listener = Listener()
        names = list(topics)
        for topic in names:
            self._listeners.setdefault(topic, []).append(listener)
        try:
            yield listener
        finally:
            for topic in names:
                self._listeners[topic].remove(listener)
                if not self._listeners[topic]:
                    del self._listeners[topic]

    def send(self, topics: Iterable[str]) -> None:
        """Wake everyone who listens to one of `topics`."""
        if self._listeners:
            for topic in topics:
                for listener in self._listeners.get(topic, ()):
                    listener.wake()

    def pass_on(self, topics: Iterable[str] | None) -> None:
        """Send what another process said; None: it is not known what changed, so wake everyone."""
        self.send(list(self._listeners) if topics is None else topics)
