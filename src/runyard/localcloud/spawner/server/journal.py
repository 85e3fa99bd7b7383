"""What must outlive the spawner: which keys were started, and how they ended until acknowledged.

Two files written in turn, JSON lines appended. The one in use grows until it is much larger than
what is still worth keeping; then the state is written to the other, whose number is higher, and
that one is in use. A torn last line is skipped. Not synced: it outlives the process, and with the
machine the tasks are gone too (their keys are then answered as lost).
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any

NAMES = ("journal-0", "journal-1")
_SMALL_BYTES = 1 << 20  #: never compacted below this
_SPARSE = 4  #: compacted when larger than this many times what is worth keeping

End = dict[str, Any]


class Journal:
    """`ends` are those not acknowledged, `begun` the keys started and not ended, by key."""

    def __init__(self, folder: str) -> None:
        """Read what is there. Descriptors stay open: later we may have no right to the folder."""
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._files = [os.open(f"{folder}/{name}", flags, 0o600) for name in NAMES]
        self.ends: dict[str, End] = {}
        self.begun: dict[str, tuple[int, str]] = {}
        self.is_sound = True  # False: something could not be written
        found = [_read(fd) for fd in self._files]
        numbers = [_number(lines) for lines in found]
        self._used = 1 if numbers[1] > numbers[0] else 0
        self._turn = max(*numbers, 0)
        self._torn = False
        for line in found[self._used]:
            self._replay(line)
        self._bytes = self._kept_bytes = 0
        self.compact()

    def begin(self, key: str, at: int, name: str) -> None:
        """Key is about to be started, at `at` microseconds; what it holds is called `name`."""
        self.begun[key] = at, name
        self._append({"begin": key, "at": at, "name": name})

    def end(self, end: End) -> bytes:
        """A key ended. Answers with the line that says so, the same as clients are told."""
        self.ends[end["key"]] = end
        self.begun.pop(end["key"], None)
        return self._append({"end": end})

    def forget(self, keys: list[str]) -> None:
        """Ends that are acknowledged."""
        for key in keys:
            self.ends.pop(key, None)
        self._append({"forget": keys})
        if self._bytes > max(_SMALL_BYTES, _SPARSE * self._kept_bytes):
            self.compact()

    def close(self) -> None:
        """Let go of the files."""
        for fd in self._files:
            os.close(fd)

    def compact(self) -> None:
        """Write the state to the other file and use that one."""
        other = 1 - self._used
        self._turn += 1
        lines: list[End] = [
            {"begin": key, "at": at, "name": name} for key, (at, name) in self.begun.items()
        ]
        lines += [{"end": end} for end in self.ends.values()]
        lines.append({"turn": self._turn})  # last: a file cut short is never the one in use
        data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        self._kept_bytes = len(data)
        try:
            os.ftruncate(self._files[other], 0)
            whole = os.write(self._files[other], data) == len(data)
        except OSError:
            whole = False
        if not whole:
            self._bytes = 0  # try again after it has grown once more
            return
        self._used, self._bytes, self._torn, self.is_sound = other, len(data), False, True

    def _append(self, line: End) -> bytes:
        text = json.dumps(line).encode() + b"\n"
        data = b"\n" + text if self._torn else text
        try:
            written = os.write(self._files[self._used], data)
        except OSError:
            written = 0
        self._torn = 0 < written < len(data)
        self._bytes += written
        if written < len(data):
            self.is_sound = False
        return text

    def _replay(self, line: End) -> None:
        if "begin" in line:
            self.begun[line["begin"]] = line["at"], line["name"]
        elif "end" in line:
            self.ends[line["end"]["key"]] = line["end"]
            self.begun.pop(line["end"]["key"], None)
        for key in line.get("forget", ()):
            self.ends.pop(key, None)


def _read(fd: int) -> list[End]:
    with open(os.dup(fd), "rb") as file:
        file.seek(0)
        text = file.read()
    lines = []
    for line in text.split(b"\n"):
        with suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict):
                lines.append(found)
    return lines


def _number(lines: list[End]) -> int:
    return max((line["turn"] for line in lines if "turn" in line), default=-1)
