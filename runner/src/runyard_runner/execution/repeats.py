"""Calls that come twice. Scheduler delivers at least once, and a caller may lose an answer.

By its key a call that succeeded is answered again and not done again, as long as this process
remembers it; one that is going on is joined; one that failed is done again, because then the
caller wants it to be tried again. A key that comes with another request is refused.

The memory is bounded in bytes: the oldest answers are forgotten first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from runyard_runner.faults import KeyReused

_BYTES_MAX = 8 << 20
_ENTRY_BYTES = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it is sent. `replayed`: somebody else got it too."""

    status: int
    body: bytes
    replayed: bool = False


Work = Callable[[], Coroutine[Any, Any, Answer]]


@dataclass(slots=True)
class _Going:
    task: asyncio.Task[Answer]
    digest: bytes
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer
    digest: bytes
    until: float


class Repeats:
    """Knows the calls of this process by their keys."""

    def __init__(self, kept_seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = kept_seconds
        self._clock = clock
        self._going: dict[str, _Going] = {}
        self._kept: dict[str, _Kept] = {}
        self._bytes = 0

    async def once(self, key: str, digest: bytes, work: Work) -> Answer:
        """The answer of `work`, which is not begun when the answer is known or coming.

        Raises KeyReused. When everybody who waits for it goes away, the work is cancelled.
        """
        kept = self._kept.get(key)
        if kept is not None and self._clock() < kept.until:
            _same(key, digest, kept.digest)
            return Answer(kept.answer.status, kept.answer.body, replayed=True)
        going = self._going.get(key)
        joined = going is not None
        if going is None:
            going = self._begin(key, digest, work)
        _same(key, digest, going.digest)
        going.waiting += 1
        try:
            answer = await asyncio.shield(going.task)
            return replace(answer, replayed=joined)
        finally:
            going.waiting -= 1
            if not going.waiting:
                going.task.cancel()

    def _begin(self, key: str, digest: bytes, work: Work) -> _Going:
        going = _Going(asyncio.get_running_loop().create_task(work()), digest)
        self._going[key] = going

        def ended(task: asyncio.Task[Answer]) -> None:
            del self._going[key]
            if not task.cancelled() and task.exception() is None and task.result().status < 400:
                self._keep(key, digest, task.result())

        going.task.add_done_callback(ended)
        return going

    def _keep(self, key: str, digest: bytes, answer: Answer) -> None:
        self._forget(key)
        self._kept[key] = _Kept(answer, digest, self._clock() + self._seconds)
        self._bytes += len(answer.body) + _ENTRY_BYTES
        while self._bytes > _BYTES_MAX:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= len(kept.answer.body) + _ENTRY_BYTES


def _same(key: str, digest: bytes, before: bytes) -> None:
    if digest != before:
        raise KeyReused(
            f"The idempotency key {key!r} came before, with another request.",
            hint="Use a key of its own for every request that differs.",
        )
