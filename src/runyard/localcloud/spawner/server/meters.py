"""CPU time on machines whose v1 `cpuacct` is a tree of its own.

Making and removing a group there for every task costs more than all else about the group (a third
of the runs a second). Its counter can be set back to nothing, so a meter that a task has left is
used again while other tasks run; with the last task the spare ones go too.
"""

from __future__ import annotations

import os
from contextlib import suppress

PREFIX = "meter-"


class Meter:
    """One group in the cpuacct tree, with its files held open."""

    __slots__ = ("_door", "_usage", "path")

    def __init__(self, path: str) -> None:
        """Raises OSError."""
        self.path = path
        with suppress(FileExistsError):
            os.mkdir(path)
        self._door = os.open(f"{path}/tasks", os.O_WRONLY | os.O_CLOEXEC)
        try:
            self._usage = os.open(f"{path}/cpuacct.usage", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            os.close(self._door)
            raise

    def enter(self) -> None:
        """Set the counter to nothing and move the spawner in. Raises OSError."""
        os.pwrite(self._usage, b"0", 0)
        os.pwrite(self._door, b"0", 0)

    def milliseconds(self) -> int:
        """CPU time since then. Raises OSError."""
        return int(os.pread(self._usage, 64, 0)) // 1_000_000

    def close(self) -> None:
        """Let go of the files and remove it; if it cannot be, the next spawner does."""
        os.close(self._door)
        os.close(self._usage)
        with suppress(OSError):
            os.rmdir(self.path)


class Meters:
    """The meters in one folder."""

    __slots__ = ("_base", "_made", "_spare")

    def __init__(self, base: str) -> None:
        self._base = base
        self._made = 0
        self._spare: list[Meter] = []

    def take(self) -> Meter:
        """One that nobody uses. Raises OSError."""
        if self._spare:
            return self._spare.pop()
        self._made += 1
        return Meter(f"{self._base}/{PREFIX}{self._made}")

    def give_back(self, meter: Meter) -> None:
        """Nobody is in it any more."""
        self._spare.append(meter)

    def remove_spares(self) -> None:
        """No task runs: none is needed."""
        while self._spare:
            self._spare.pop().close()
