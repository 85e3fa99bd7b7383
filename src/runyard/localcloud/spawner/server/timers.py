"""Things to do later: a heap of calls by monotonic seconds."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Timer:
    """One call to come. `cancel` may be called at any time, also after it has happened."""

    __slots__ = ("call", "due")

    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due = due
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """It will not happen."""
        self.call = None

    def __lt__(self, other: Timer) -> bool:
        return self.due < other.due


class Timers:
    """All calls to come. `monotonic` is the clock they are measured by."""

    __slots__ = ("_heap", "_monotonic")

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._heap: list[Timer] = []

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call `call` once, `seconds` from now."""
        timer = Timer(self._monotonic() + seconds, call)
        heapq.heappush(self._heap, timer)
        return timer

    def wait_seconds(self) -> float | None:
        """Until the next call is due; None if there is none."""
        while self._heap and self._heap[0].call is None:
            heapq.heappop(self._heap)
        return max(0.0, self._heap[0].due - self._monotonic()) if self._heap else None

    def run(self) -> None:
        """Make all calls that are due."""
        now = self._monotonic()
        while self._heap and self._heap[0].due <= now:
            call = heapq.heappop(self._heap).call
            if call is not None:
                call()
