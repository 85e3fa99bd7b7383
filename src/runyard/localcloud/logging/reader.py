"""Reads the log of an execution, a page at a time. Memory is bounded whatever lies in the file.

A position is the byte offset where a line ends, so that reading on from it gives the next one.
Torn lines are skipped; the last line counts once its newline is there (`format` says why).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from runyard.localcloud.logging.format import STREAMS, decode
from runyard.model.instants import from_micros

SCAN_BYTES_MAX = 4 * 2**20  #: one page looks at so many bytes, then says where to read on
#: Entries of one page are not much longer together: whoever follows a log holds a page until its
#: reader takes it, and hundreds may follow.
PAGE_BYTES_MAX = 512 * 1024
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `position` is where it ends."""

    position: int
    at: datetime
    task: int
    attempt: int
    stream: str
    severity: str
    text: str
    fields: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Entries in order; `after` is where to read on. `complete`: the end of the file was reached.

    A page may be empty and not complete, when a filter let nothing through: read on.
    """

    entries: tuple[Entry, ...]
    after: int
    complete: bool


def read_page(path: Path, after: int = 0, limit: int = 1000, task: int | None = None) -> Page:
    """Up to `limit` entries that end after `after`, of one task or of all; fewer of long ones.

    A file that is not there is an empty one.
    """
    entries: list[Entry] = []
    held = 0
    after = max(0, after)
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        return Page((), after, complete=True)
    with file:
        file.seek(after)
        for end, line in _lines(file, after):
            after = end
            entry = entry_of(line, end)
            if entry is not None and task in (None, entry.task):
                entries.append(entry)
                held += len(line)
                if len(entries) >= limit or held >= PAGE_BYTES_MAX:
                    return Page(tuple(entries), after, complete=False)
        complete = file.tell() >= path.stat().st_size
    return Page(tuple(entries), after, complete)


def _lines(file: BinaryIO, start: int) -> Iterator[tuple[int, bytes]]:
    """Whole lines with the offset of their end, until the scan's bound or the end of the file.

    Bytes without any newline up to the bound are no line of ours: they count as one torn line.
    """
    rest = b""
    position, scanned = start, 0
    while scanned < SCAN_BYTES_MAX:
        chunk = file.read(_CHUNK_BYTES)
        if not chunk:
            return
        scanned += len(chunk)
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            position += len(line) + 1
            yield position, line
    if len(rest) >= SCAN_BYTES_MAX:
        yield position + len(rest), rest


def entry_of(line: bytes, end: int) -> Entry | None:
    """The entry in a line that ends at a position; None if it is torn."""
    found = decode(line)
    if found is None:
        return None
    at, task, attempt = found["t"], found["k"], found["n"]
    if not (isinstance(at, int) and isinstance(task, int) and isinstance(attempt, int)):
        return None
    fields = found.get("f")
    return Entry(
        position=end,
        at=from_micros(at),
        task=task,
        attempt=attempt,
        stream=STREAMS.get(str(found["s"]), str(found["s"])),
        severity=str(found["v"]),
        text=str(found["m"]),
        fields=fields if isinstance(fields, dict) else None,
    )
