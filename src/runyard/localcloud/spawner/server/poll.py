"""Who is to be called when a descriptor is ready: epoll, one call for each."""

from __future__ import annotations

import select
from collections.abc import Callable

READ = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR
WRITE = select.EPOLLOUT


class Poll:
    """Watched descriptors. A call may watch and forget any of them, also its own."""

    __slots__ = ("_calls", "_epoll")

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._calls: dict[int, Callable[[], None]] = {}

    def watch(self, fd: int, call: Callable[[], None], events: int = READ) -> None:
        """Call `call` whenever `fd` is ready."""
        if fd in self._calls:
            self._epoll.modify(fd, events)
        else:
            self._epoll.register(fd, events)
        self._calls[fd] = call

    def forget(self, fd: int) -> None:
        """No longer; a descriptor that is not watched does not matter."""
        if self._calls.pop(fd, None):
            self._epoll.unregister(fd)

    def wait(self, seconds: float | None) -> None:
        """Sleep until something is ready or `seconds` are over; make the calls."""
        for fd, _ in self._epoll.poll(seconds):
            call = self._calls.get(fd)
            if call:
                call()
