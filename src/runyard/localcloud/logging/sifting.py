"""Reads a log as it grows, and lets through only what somebody wants of it.

What nobody wants is skipped at the speed of `bytes.find`. Each call is bounded, by the bytes that
are read and by the lines that are looked at, so that no log keeps its reader from the others.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runyard.localcloud.logging.reader import Entry, entry_of
from runyard.localcloud.logging.scanning import spans
from runyard.localcloud.logging.wanted import Matcher

LINES_MAX = 500  #: looked at in one call: some ten milliseconds
BYTES_MAX = 4 * 2**20  #: read in one call; what is longer without a newline is no line of ours


@dataclass(frozen=True, slots=True)
class Sifted:
    """Entries with the numbers of the matchers that want them, in order. `after` is where to read
    on; `complete`: there was no more."""

    found: tuple[tuple[Entry, tuple[int, ...]], ...]
    after: int
    complete: bool


def sift(
    path: Path,
    after: int,
    matchers: Sequence[Matcher],
    lines_max: int = LINES_MAX,
    bytes_max: int = BYTES_MAX,
) -> Sifted:
    """What matchers want of the whole lines from `after` on. A file that is gone is empty."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Sifted((), after, complete=True)
    try:
        data = os.pread(descriptor, bytes_max, after)
    finally:
        os.close(descriptor)
    end = data.rfind(b"\n") + 1
    if not end:
        is_torn = len(data) == bytes_max
        return Sifted((), after + (len(data) if is_torn else 0), complete=not is_torn)
    candidates = _candidates(data, end, matchers)
    looked_at = candidates[:lines_max]
    is_cut = len(candidates) > lines_max
    if is_cut:
        end = looked_at[-1][1] + 1
    found = []
    for start, stop in looked_at:
        line = data[start:stop]
        wanted = tuple(number for number, one in enumerate(matchers) if one.wants(line))
        entry = entry_of(line, after + stop + 1) if wanted else None
        if entry is not None:
            found.append((entry, wanted))
    return Sifted(tuple(found), after + end, complete=len(data) < bytes_max and not is_cut)


def _candidates(data: bytes, end: int, matchers: Sequence[Matcher]) -> list[tuple[int, int]]:
    """From where to where the lines go that one of the matchers may want, in order."""
    if all(one.driver for one in matchers):
        return sorted({span for one in matchers for span in spans(data, end, one)})
    found, start = [], 0
    while start < end:
        stop = data.find(b"\n", start)
        found.append((start, stop))
        start = stop + 1
    return found
