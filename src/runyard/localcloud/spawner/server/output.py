"""What a task prints, on its way from its pipes to the log: secrets out, cut, bounded, written.

A log that cannot be written (full disk, over its limit) never stops a task: what is lost is
counted. Once a disk has room again the log goes on; a log at its limit is at its end.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from runyard.localcloud.logging.format import (
    LINE_BYTES_MAX,
    STDERR,
    STDOUT,
    SYSTEM,
    cut_mark,
    encode,
    encode_block,
)
from runyard.localcloud.spawner.server.redact import Redactor, spellings

READ_BYTES = 65536  #: what a pipe holds (pipe(7)); so no stream can keep the others waiting


class LogFile:
    """The file several tasks may append to, each through a descriptor of its own.

    After a write that the disk cut short, the next one to the same file begins with a newline, so
    that one line is torn and no more.
    """

    __slots__ = ("_fd", "_key", "failure")
    _torn: set[tuple[int, int]] = set()  # noqa: RUF012 - files whose last line is torn, by all tasks

    def __init__(self, fd: int) -> None:
        self._fd = fd
        status = os.fstat(fd)
        self._key = (status.st_dev, status.st_ino)
        self.failure = ""

    def append(self, data: bytes) -> bool:
        """Write whole lines; False if they are lost (then `failure` says why)."""
        if self._key in LogFile._torn:
            data = b"\n" + data
        try:
            written = os.write(self._fd, data)
            while written < len(data):
                LogFile._torn.add(self._key)  # before the write that the full disk refuses
                written += os.write(self._fd, data[written:])
        except OSError as error:
            self.failure = error.strerror or str(error)
            return False
        LogFile._torn.discard(self._key)
        return True

    def close(self) -> None:
        """Let go of the descriptor."""
        os.close(self._fd)


class TaskLog:
    """The log of one task attempt: both streams, one budget.

    `bytes_max` bounds the bytes of text (not of the entries around it); 0: no bound.
    """

    __slots__ = (
        "_at",
        "_attempt",
        "_clock",
        "_file",
        "_full",
        "_task",
        "_written",
        "bytes_max",
        "dropped",
    )

    def __init__(
        self, file: LogFile, task: int, attempt: int, bytes_max: int, clock: Callable[[], int]
    ) -> None:
        self._file = file
        self._task = task
        self._attempt = attempt
        self._clock = clock
        self._at = 0
        self._written = 0
        self._full = False  # the limit was reached
        self.bytes_max = bytes_max
        self.dropped = 0

    def lines(self, stream: str, block: bytes) -> None:
        """Whole lines, each ended by a newline."""
        room = self.bytes_max - self._written if self.bytes_max else len(block)
        if self._full:
            room = 0  # a shorter line that would fit would stand where longer ones are missing
        if len(block) > room:
            self._full = True
            fits = block.rfind(b"\n", 0, max(room, 0)) + 1
            self.dropped += len(block) - fits
            block = block[:fits]
        if block:
            self._write(encode_block(self._now(), self._task, self._attempt, stream, block), block)

    def _write(self, entries: bytes, block: bytes) -> None:
        if self._file.append(entries):
            self._written += len(block)
        else:
            self.dropped += len(block)

    def say(self, words: str) -> None:
        """Have the log say something of ours about the task."""
        self._file.append(encode(self._now(), self._task, self._attempt, SYSTEM, "WARNING", words))

    def finish(self) -> str:
        """Say how much was dropped, in the log and as an answer (empty: nothing), and close."""
        said = ""
        if self.dropped:
            why = (
                f"the log could not be written: {self._file.failure}"
                if self._file.failure
                else f"the limit of {self.bytes_max} bytes was reached"
            )
            said = f"{self.dropped} bytes of output were dropped: {why}"
            self.say(said)
        self._file.close()
        return said

    def _now(self) -> int:
        self._at = max(self._at, self._clock())  # the wall clock may be set back
        return self._at


class Stream:
    """One pipe of a task, read here."""

    __slots__ = ("_line", "_log", "_name", "_over", "_redactor", "fd")

    def __init__(self, fd: int, name: str, log: TaskLog, redactor: Redactor | None) -> None:
        self.fd = fd
        self._name = name
        self._log = log
        self._redactor = redactor
        self._line = bytearray()  # the begun line
        self._over = 0  # bytes of it beyond the limit, dropped

    def read(self) -> bool:
        """Take what is there, at most one pipe full; False once there will be no more."""
        try:
            data = os.read(self.fd, READ_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        self._take(self._redactor.feed(data) if self._redactor else data)
        return True

    def drain(self) -> None:
        """Take all that is left in the pipe, end the last line, close. Nobody writes any more.

        A pipe that someone outside the task still holds is not waited for.
        """
        while True:
            try:
                data = os.read(self.fd, READ_BYTES)
            except OSError:  # BlockingIOError: empty, but not closed on the other side
                break
            if not data:
                break
            self._take(self._redactor.feed(data) if self._redactor else data)
        os.close(self.fd)
        if self._redactor:
            self._take(self._redactor.finish())
        if self._line or self._over:
            self._log.lines(self._name, self._cut() + b"\n")

    def _take(self, data: bytes) -> None:
        """Pass on whole lines, keep the begun one, never more of it than may be logged."""
        end = data.rfind(b"\n") + 1
        if not end:
            self._begin(data)
            return
        first = data.find(b"\n") + 1
        if self._line or self._over:
            self._begin(data[: first - 1])
            self._log.lines(self._name, self._cut() + b"\n")
            block = data[first:end]
        else:
            block = data[:end]
        if block:
            self._log.lines(self._name, block)
        self._begin(data[end:])

    def _begin(self, data: bytes) -> None:
        room = LINE_BYTES_MAX - len(self._line)
        self._line += data[:room]
        self._over += max(0, len(data) - room)

    def _cut(self) -> bytes:
        line, over = bytes(self._line), self._over
        self._line.clear()
        self._over = 0
        if over:
            whole = _whole_characters(line)
            return line[:whole] + cut_mark(over + len(line) - whole).encode()
        return line


def _whole_characters(line: bytes) -> int:
    """How much of `line` can be kept without cutting a UTF-8 character in two."""
    for back in range(1, min(4, len(line)) + 1):
        lead = line[-back]
        if lead & 0xC0 != 0x80:  # not a continuation byte
            length = 1 if lead < 0xC0 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
            return len(line) if length <= back else len(line) - back
    return len(line)


def streams(
    out: int, err: int, log: TaskLog, secrets: list[tuple[str, str]]
) -> tuple[Stream, Stream]:
    """Both pipes of a task, joined to its log."""
    marks = spellings(secrets)
    made = [
        Stream(fd, name, log, Redactor(marks) if marks else None)
        for fd, name in ((out, STDOUT), (err, STDERR))
    ]
    return made[0], made[1]
