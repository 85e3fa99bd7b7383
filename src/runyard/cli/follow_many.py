"""The events of several runs at once, as one sequence: a thread for each run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from queue import SimpleQueue
from threading import Thread

from runyard.cli.client import Client
from runyard.cli.follow import events
from runyard.cli.sse import Event
from runyard.model.errors import PlatformError

_Item = tuple[int, Event | PlatformError]


def events_of(
    connect: Callable[[], Client],
    runs: Sequence[str],
    pause: Callable[[float], None],
    *,
    log: bool = True,
) -> Iterator[tuple[int, Event]]:
    """`(place in runs, event)` until every run has ended. Raises what following one of them does.

    The threads are daemons: whoever stops listening (Ctrl-C) waits for none of them.
    """
    if len(runs) == 1:
        yield from ((0, event) for event in events(connect, runs[0], pause, log=log))
        return
    queue: SimpleQueue[_Item] = SimpleQueue()
    for place, run in enumerate(runs):
        source = events(connect, run, pause, log=log)
        # A thread begins without the settings of this command line: it is given them.
        Thread(target=copy_context().run, args=(_listen, place, queue, source), daemon=True).start()
    going = len(runs)
    while going:
        place, item = queue.get()
        if isinstance(item, PlatformError):
            raise item
        going -= item.kind == "end"
        yield place, item


def _listen(place: int, queue: SimpleQueue[_Item], source: Iterator[Event]) -> None:
    try:
        for event in source:
            queue.put((place, event))
    except PlatformError as error:
        queue.put((place, error))
