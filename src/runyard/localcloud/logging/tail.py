"""Reads the end of an execution's log: what each of some tasks wrote last. Bounded in memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from runyard.flow.last_lines import kept
from runyard.localcloud.logging.format import STDERR, STDOUT, decode
from runyard.model.outcome import LAST_LINES_KEPT

#: So much of the end is looked at: where thousands of tasks share a log, the lines of one that
#: ended long before the others may lie further up, and are then not found.
TAIL_BYTES_MAX = 2**20


def last_lines(path: Path, attempts: Mapping[int, int]) -> dict[int, tuple[str, ...]]:
    """The last lines of each task of `attempts` (its index, and the attempt from 0 that is meant),
    oldest first. A file that is not there is an empty one."""
    found: dict[int, deque[str]] = {task: deque(maxlen=LAST_LINES_KEPT) for task in attempts}
    for line in _end_of(path).split(b"\n"):
        entry = decode(line)
        if entry is None or entry["s"] not in (STDOUT, STDERR):
            continue
        task = entry["k"]
        if isinstance(task, int) and attempts.get(task, -1) == entry["n"]:
            found[task].append(str(entry["m"]))
    return {task: kept(reversed(lines)) for task, lines in found.items()}


def _end_of(path: Path) -> bytes:
    """The end of the file; its first line may be torn, which `decode` then says."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES_MAX))
            return file.read(TAIL_BYTES_MAX)
    except FileNotFoundError:
        return b""
