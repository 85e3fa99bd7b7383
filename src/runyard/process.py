"""What every process of ours does with itself: its memory, what goes on beside, how it ends, and
whom it tells."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

GARBAGE_NEW, GARBAGE_YOUNG = 5_000, 20  #: see gc.set_threshold; a batch makes some thousands


@dataclass(frozen=True, slots=True)
class Told:
    """Who wants to hear how it goes: `ready` hears the URL, `say` a sentence."""

    ready: Callable[[str], None]
    say: Callable[[str], None]


def settle_memory() -> None:
    """What is here when all is up stays: the collector of cycles need not look at it again with
    every few hundred objects, which each batch of decisions makes. It works from here on, also
    where it rested during the imports."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(GARBAGE_NEW, GARBAGE_YOUNG, GARBAGE_YOUNG)


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """`work` goes on, as a task of this name, for as long as the block lasts, and is over after."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def on_stop(stop: Callable[[], object]) -> None:
    """Call `stop` when the process is told to end. For the event loop that runs."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
