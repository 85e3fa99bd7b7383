"""One connection to the spawner: requests with open files out, answers and ends in."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runyard.localcloud.spawner.server.places import SOCKET
from runyard.model.errors import ProviderUnavailable

ANSWER_SECONDS = 60.0  #: of silence, then it is taken for hung
_READ_BYTES = 1 << 18
_SEND_BYTES = 1 << 16
_FDS_A_SEND = 200  #: SCM_MAX_FD is 253 (unix(7))

Message = dict[str, Any]


def connect(folder: Path) -> socket.socket | None:
    """A connected socket; None if nobody listens. The folder's path may be of any length.

    Raises ProviderUnavailable if there is a socket that we may not use.
    """
    try:
        handle = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        peer.connect(f"/proc/self/fd/{handle}/{SOCKET}")
        peer.setblocking(False)
    except OSError as error:
        peer.close()
        if isinstance(error, FileNotFoundError | ConnectionRefusedError):
            return None
        raise ProviderUnavailable(f"spawner socket in {folder}: {error.strerror}") from None
    finally:
        os.close(handle)
    return peer


class Channel:
    """Made inside a running event loop. `heard` gets every message that is no answer, `lost` is
    called once when the other side is gone."""

    def __init__(
        self, peer: socket.socket, heard: Callable[[Message], None], lost: Callable[[], None]
    ) -> None:
        self._peer = peer
        self._heard = heard
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._in = bytearray()
        self._out: deque[tuple[bytes, tuple[int, ...]]] = deque()
        self._number = 0
        self._pieces_heard = 0
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._is_flushing = False
        self._hello: asyncio.Future[Message] = self._loop.create_future()
        self.is_open = True
        self._loop.add_reader(peer.fileno(), self._readable)

    async def hello(self) -> Message:
        """What the other side says first. Raises ProviderUnavailable."""
        return await self._within(self._hello, "to say hello")

    async def _within(self, answer: asyncio.Future[Message], what: str) -> Message:
        """As long as something comes it is at work, perhaps on a thousand other requests."""
        heard = -1
        while heard != self._pieces_heard:
            heard = self._pieces_heard
            done, _ = await asyncio.wait((answer,), timeout=ANSWER_SECONDS)
            if done:
                return answer.result()
        raise ProviderUnavailable(f"the spawner took {ANSWER_SECONDS:.0f} seconds {what}")

    async def ask(self, do: str, *fds: int, **said: Any) -> Message:
        """Send a request (the descriptors are ours from now on) and await its answer.

        Raises ProviderUnavailable.
        """
        if not self.is_open:
            _close(fds)
            raise gone()
        self._number += 1
        number = self._number
        text = json.dumps({"id": number, "do": do, **said}).encode() + b"\n"
        answer: asyncio.Future[Message] = self._loop.create_future()
        self._waiting[number] = answer
        self._out.append((text, fds))
        if not self._is_flushing:
            self._is_flushing = True
            self._loop.call_soon(self._flush)
        try:
            found = await self._within(answer, f"to answer {do!r}")
        finally:
            self._waiting.pop(number, None)
        if "error" in found:
            raise ProviderUnavailable(f"the spawner refused {do!r}: {found['error']}")
        return found

    def close(self) -> None:
        """Let go; whoever still waits for an answer hears that there will be none."""
        if not self.is_open:
            return
        self.is_open = False
        self._loop.remove_reader(self._peer.fileno())
        self._loop.remove_writer(self._peer.fileno())
        self._peer.close()
        for _, fds in self._out:
            _close(fds)
        self._out.clear()
        if not self._hello.done():
            self._hello.set_exception(gone())
            self._hello.exception()  # nobody may be waiting for it
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(gone())
        self._waiting.clear()

    def _flush(self) -> None:
        """Send what is queued, many requests at a time."""
        while self._out and self.is_open:
            data, fds, count = self._next_batch()
            try:
                sent = socket.send_fds(self._peer, [data], fds)
            except (BlockingIOError, InterruptedError):
                self._loop.add_writer(self._peer.fileno(), self._writable)
                return
            except OSError:
                self._fail()
                return
            for _ in range(count):
                _close(self._out.popleft()[1])
            if sent < len(data):  # the descriptors went with the first byte
                self._out.appendleft((data[sent:], ()))
        self._is_flushing = False

    def _next_batch(self) -> tuple[bytes, list[int], int]:
        texts: list[bytes] = []
        fds: list[int] = []
        size = 0
        for text, own in self._out:
            if texts and (size + len(text) > _SEND_BYTES or len(fds) + len(own) > _FDS_A_SEND):
                break
            texts.append(text)
            fds += own
            size += len(text)
        return b"".join(texts), fds, len(texts)

    def _writable(self) -> None:
        self._loop.remove_writer(self._peer.fileno())
        self._flush()

    def _readable(self) -> None:
        try:
            data = self._peer.recv(_READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._fail()
            return
        self._pieces_heard += 1
        self._in += data
        end = self._in.rfind(b"\n") + 1
        lines = bytes(self._in[:end]).splitlines()
        del self._in[:end]
        for line in lines:
            self._take(json.loads(line))

    def _take(self, message: Message) -> None:
        answer = self._waiting.get(message.get("id", 0))
        if "hello" in message:
            self._hello.set_result(message["hello"])
        elif answer is None:
            self._heard(message)
        elif not answer.done():
            answer.set_result(message)

    def _fail(self) -> None:
        if self.is_open:
            self.close()
            self._lost()


def gone() -> ProviderUnavailable:
    """What is raised when the other side went away."""
    return ProviderUnavailable("the spawner went away; it is being started again")


def _close(fds: tuple[int, ...]) -> None:
    for fd in fds:
        os.close(fd)
