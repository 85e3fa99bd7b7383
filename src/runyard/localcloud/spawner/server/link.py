"""The socket: one JSON object a line, requests answered by their `id`, ends told as they happen.

A request is {"id": 7, "do": "spawn", ...}; its answer {"id": 7, ...} or {"id": 7, "error": "..."}.
The first line from here is {"hello": {...}}; {"end": {...}} comes unasked. Each `spawn` brings its
open log file with it (SCM_RIGHTS), in the order of the requests. Only our owner is let in.
"""

from __future__ import annotations

import json
import os
import socket
from array import array
from collections import deque
from collections.abc import Callable
from typing import Any

from runyard.localcloud.spawner.server.places import peer_uid
from runyard.localcloud.spawner.server.poll import READ, WRITE, Poll

REQUEST_BYTES_MAX = 64 << 20
_READ_BYTES = 1 << 18
_FDS_MAX = 253  #: SCM_MAX_FD, unix(7)

Message = dict[str, Any]


class Link:
    """One connection. `answer` is asked for every request."""

    def __init__(
        self, peer: socket.socket, poll: Poll, serve: Callable[[Link, Message], None]
    ) -> None:
        peer.setblocking(False)
        self._peer = peer
        self._poll = poll
        self._serve = serve
        self._in = bytearray()
        self._out = bytearray()
        self._fds: deque[int] = deque()
        self._is_full = False
        self.on_close: Callable[[Link], None] = lambda link: None
        poll.watch(peer.fileno(), self._ready)

    def say(self, message: Message) -> None:
        """Send with the next `flush`."""
        self._out += json.dumps(message).encode() + b"\n"

    def say_line(self, line: bytes) -> None:
        """Send what is JSON already, with its newline."""
        self._out += line

    def flush(self) -> None:
        """Send what was said, or as much as the other side has room for; the rest follows."""
        if self._out and not self._is_full:
            self._send()

    def take_fd(self) -> int:
        """The open file that came with the oldest request that brought one."""
        return self._fds.popleft()

    def close(self) -> None:
        """Let go."""
        if self._peer.fileno() < 0:
            return
        self._poll.forget(self._peer.fileno())
        self._peer.close()
        while self._fds:
            os.close(self._fds.popleft())
        self.on_close(self)

    def _ready(self) -> None:
        if self._is_full and not self._send():
            return
        try:
            data, fds = _receive(self._peer)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        self._fds.extend(fds)
        if not data or len(self._in) + len(data) > REQUEST_BYTES_MAX:
            self.close()
            return
        self._in += data
        end = self._in.rfind(b"\n") + 1
        if not end:
            return
        lines = bytes(self._in[:end]).splitlines()
        del self._in[:end]
        for line in lines:
            self._request(line)

    def _request(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            self.close()
            return
        self._serve(self, message)

    def _send(self) -> bool:
        """False once the other side is gone."""
        if self._peer.fileno() < 0:
            return False
        try:
            sent = self._peer.send(self._out) if self._out else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return False
        del self._out[:sent]
        is_full = bool(self._out)
        if is_full != self._is_full:
            self._is_full = is_full
            events = READ | WRITE if is_full else READ
            self._poll.watch(self._peer.fileno(), self._ready, events)
        return True


def _receive(peer: socket.socket) -> tuple[bytes, list[int]]:
    """What has come, with open files that no task inherits (`socket.recv_fds` loses the flag)."""
    room = socket.CMSG_LEN(_FDS_MAX * array("i").itemsize)
    data, extra, flags, _ = peer.recvmsg(_READ_BYTES, room, socket.MSG_CMSG_CLOEXEC)
    fds = array("i")
    for level, kind, content in extra:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
    if flags & socket.MSG_CTRUNC:  # we have too many open: which log is whose is not known now
        for fd in fds:
            os.close(fd)
        return b"", []
    return data, list(fds)


class Door:
    """The listening socket and everyone who came in. `do` carries out a request."""

    def __init__(
        self,
        door: socket.socket,
        poll: Poll,
        owner_uid: int,
        hello: Message,
        serve: Callable[[Link, Message], None],
    ) -> None:
        self._door = door
        self._poll = poll
        self._owner_uid = owner_uid
        self._hello = hello
        self._serve = serve
        self.links: list[Link] = []
        self.on_change: Callable[[], None] = lambda: None
        poll.watch(door.fileno(), self._accept)

    def tell(self, line: bytes) -> None:
        """Say a line to everyone."""
        for link in self.links:
            link.say_line(line)

    def flush(self) -> None:
        """Send what was said since the last time, in one go for each."""
        for link in list(self.links):
            link.flush()

    def _accept(self) -> None:
        try:
            peer, _ = self._door.accept()
        except OSError:
            return
        if peer_uid(peer) != self._owner_uid:
            peer.close()
            return
        link = Link(peer, self._poll, self._serve)
        link.on_close = self._gone
        self.links.append(link)
        self.on_change()
        link.say({"hello": self._hello})

    def _gone(self, link: Link) -> None:
        if link in self.links:
            self.links.remove(link)
            self.on_change()
