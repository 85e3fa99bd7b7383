"""The loop: requests in, answers and ends out, until told to end or nobody needs it any more."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable

from runyard.localcloud.spawner.server.journal import Journal
from runyard.localcloud.spawner.server.link import Door, Link, Message
from runyard.localcloud.spawner.server.order import Order
from runyard.localcloud.spawner.server.poll import Poll
from runyard.localcloud.spawner.server.start import Ground
from runyard.localcloud.spawner.server.timers import Timer, Timers
from runyard.localcloud.spawner.server.yard import Yard

_FAULTS_MAX = 100  #: in a row: then it is no use
_STARTS_A_TURN = 8  #: then output, ends and timeouts of those that run have their turn


class Service:
    """Everything joined together."""

    def __init__(
        self,
        ground: Ground,
        journal: Journal,
        poll: Poll,
        timers: Timers,
        micros: Callable[[], int],
        idle_seconds: float,
    ) -> None:
        self._ground = ground
        self._poll = poll
        self._timers = timers
        self._journal = journal
        self._idle_seconds = idle_seconds
        self._yard = Yard(ground, journal, poll, timers, micros)
        self._yard.on_end = self._ended
        self._orders: deque[tuple[Link, Message, int]] = deque()
        self._is_ending = False
        self._is_over = False
        self._idle: Timer | None = None
        self._door: Door | None = None
        self._signals: socket.socket
        self._verbs: dict[str, Callable[[Message], Message]] = {
            "stop": self._stop,
            "running": lambda _: {"keys": list(self._yard.tasks)},
            "ends": lambda _: {"ends": list(journal.ends.values())},
            "forget": self._forget,
            "end": self._end,
            "stay": self._stay,
        }

    def open(
        self, door: socket.socket, owner_uid: int, hello: Message, signals: socket.socket
    ) -> None:
        """Let clients in."""
        self._door = Door(door, self._poll, owner_uid, hello, self._serve)
        self._door.on_change = self._rest_or_wake
        self._signals = signals
        self._poll.watch(signals.fileno(), self._signalled)
        self._rest_or_wake()

    def run(self) -> None:
        """Serve until it is over. A fault of ours in one turn must not end everybody's tasks."""
        faults = 0
        while not self._is_over:
            try:
                self._turn()
                faults = 0
            except Exception:
                sys.excepthook(*sys.exc_info())
                faults += 1
                if faults > _FAULTS_MAX:
                    raise
        self._ground.close()

    def _turn(self) -> None:
        busy = self._orders or self._yard.is_busy
        self._poll.wait(0 if busy else self._timers.wait_seconds())
        self._timers.run()
        self._yard.do_chores()
        for _ in range(min(_STARTS_A_TURN, len(self._orders))):
            self._start(*self._orders.popleft())
        if self._door:
            self._door.flush()
        if self._is_ending and not self._yard.tasks and not self._orders:
            self._is_over = not self._yard.is_busy

    # -- requests --------------------------------------------------------------------------------

    def _serve(self, link: Link, message: Message) -> None:
        verb = message.get("do")
        if verb == "spawn":
            try:
                fd = link.take_fd()
            except IndexError:
                self._answer(link, message, {"error": "no open log file came with the order"})
                return
            self._orders.append((link, message, fd))
            return
        do = self._verbs.get(str(verb))
        try:
            answer = do(message) if do else {"error": f"unknown request {verb!r}"}
        except (KeyError, TypeError, ValueError) as error:
            answer = {"error": f"malformed request {verb!r}: {type(error).__name__} {error}"}
        self._answer(link, message, answer)

    def _answer(self, link: Link, message: Message, answer: Message) -> None:
        link.say({"id": message.get("id"), **answer})

    def _start(self, link: Link, message: Message, fd: int) -> None:
        try:
            order = Order(message["order"])
        except (KeyError, TypeError, ValueError) as error:  # the text may hold a secret: not told
            os.close(fd)
            self._answer(link, message, {"error": f"malformed order: {type(error).__name__}"})
            return
        if self._is_ending:
            os.close(fd)
            self._answer(link, message, {"error": "the spawner is ending"})
            return
        started = self._yard.start(order, fd)
        self._rest_or_wake()
        self._answer(link, message, {"started": started})

    def _stop(self, message: Message) -> Message:
        key = message["key"]
        self._yard.stop(key)
        return {}

    def _forget(self, message: Message) -> Message:
        self._journal.forget([str(key) for key in message["keys"]])
        self._rest_or_wake()
        return {}

    def _end(self, message: Message) -> Message:
        self._is_ending = True
        if message.get("kill"):
            self._yard.kill_everything()
        return {"running": len(self._yard.tasks) + len(self._orders)}

    def _stay(self, message: Message) -> Message:
        self._is_ending = False
        return {}

    # -- what happens ----------------------------------------------------------------------------

    def _ended(self, line: bytes) -> None:
        if self._door:
            self._door.tell(line)
        self._rest_or_wake()

    def _signalled(self) -> None:
        try:
            numbers = self._signals.recv(4096)
        except BlockingIOError:
            return
        if signal.SIGTERM in numbers:
            self._is_ending = True
        self._yard.reap()

    def _rest_or_wake(self) -> None:
        """Count down to the end while nobody is connected and nothing runs."""
        needed = (self._door and self._door.links) or self._yard.tasks or self._orders
        if needed or not self._journal.is_sound:
            if self._idle:
                self._idle.cancel()
                self._idle = None
        elif self._idle is None:
            self._idle = self._timers.after(self._idle_seconds, self._rest)

    def _rest(self) -> None:
        self._is_ending = True
