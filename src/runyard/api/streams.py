"""Which streams are open, and how they all end when the server does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runyard.database.signals import Listener


class Streams:
    """Every open stream's listener. Lives in the event loop's thread."""

    def __init__(self) -> None:
        self._open: set[Listener] = set()
        self.is_closing = False

    @contextmanager
    def opened(self, listener: Listener) -> Iterator[None]:
        """Count a stream for as long as the block lasts; `close` wakes its listener."""
        self._open.add(listener)
        try:
            yield
        finally:
            self._open.discard(listener)

    def close(self) -> None:
        """Have every stream end now, and every later one at once."""
        self.is_closing = True
        for listener in self._open:
            listener.wake()

    def __len__(self) -> int:
        return len(self._open)
