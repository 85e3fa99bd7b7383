"""An event loop for worlds: it waits for nothing outside, and knows when all that goes on in it has
come to a pause. Its timers go by a time of its own, so that they are the same in each life."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from selectors import SelectorKey, SelectSelector
from typing import Any, TypeVar

T = TypeVar("T")


class _Turns(SelectSelector):
    """Is asked after each turn of the loop what came from outside: never anything. It is asked to
    wait for it exactly when nothing else can go on."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: asyncio.Future[None] | None = None

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """See `selectors.BaseSelector`. Raises RuntimeError when all would wait for ever."""
        if timeout is None or timeout > 0:
            if self.waiting is None:
                raise RuntimeError("all wait for each other: nothing can go on in this world")
            self.waiting.set_result(None)
            self.waiting = None
        return []


class Loop(asyncio.SelectorEventLoop):
    """See the module."""

    def __init__(self) -> None:
        self._turns = _Turns()
        self.seconds = 0.0  #: its time, which stands until a world moves it on
        super().__init__(self._turns)

    def time(self) -> float:
        """See `asyncio.AbstractEventLoop`."""
        return self.seconds

    async def quiet(self) -> None:
        """Wait until everything else waits too. One may wait for this at a time."""
        assert self._turns.waiting is None
        self._turns.waiting = self.create_future()
        await self._turns.waiting


async def quiet() -> None:
    """Let everything else go on until it waits."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Loop), "a world lives in a loop of its own: see `run`"
    await loop.quiet()


def move_time(seconds: float) -> None:
    """Timers that are due by then go off at the next turn."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Loop), "a world lives in a loop of its own: see `run`"
    loop.seconds = max(loop.seconds, seconds)


def run(world: Coroutine[Any, Any, T]) -> T:
    """Live through a world in a loop of its own, and say what came of it."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(world)
