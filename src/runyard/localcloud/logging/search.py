"""Searches the logs of many executions, the newest first. Memory is bounded whatever is in them.

A log is a file of lines in the order of their arrival, so where a time begins is found by halving.
What is left is cut into units, and these are looked through: a little of it here, more of it by
processes, one for each core. As soon as the newest units have as many entries as are wanted, the
rest is left alone; after `seconds_max` it is left alone, too, and that is said.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import runyard
from runyard.localcloud.logging.reader import Entry, entry_of
from runyard.localcloud.logging.scanning import scan
from runyard.localcloud.logging.wanted import Matcher, Wanted, instant_of

#: The newest part is small, for it may have enough; each that follows is twice as large, up to what
#: a disk reads at its best.
UNIT_BYTES_MIN = 8 * 2**20
UNIT_BYTES_MAX = 64 * 2**20
HERE_BYTES_MAX = 16 * 2**20  #: what is looked through without other processes
SECONDS_MAX = 20.0
PROCESSES_MAX = 4
#: Lines are written in the order of their instants, but for a clock that was set back meanwhile.
SLACK_MICROS = 60 * 1_000_000
_HALVED_BYTES = 2**16  #: a part so small is not halved further
_LINE_BYTES = 2**21
_ROOT = str(Path(runyard.__file__).resolve().parent.parent)
_CODE = (
    "import sys; sys.path.append(sys.argv.pop()); "
    "from runyard.localcloud.logging.scanning import main; main()"
)

Unit = tuple[int, int, int]  #: number of the file, from where, to before where
Hits = list[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Found:
    """An entry of a file, by the file's number."""

    file: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Findings:
    """The newest entries that are wanted, oldest first. `bytes_searched`: of logs; `complete`:
    nothing was left out but what is older than the oldest of as many entries as were asked for."""

    found: tuple[Found, ...] = ()
    bytes_searched: int = 0
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Search:
    """How much, and how: at most `limit` entries."""

    wanted: Wanted
    limit: int
    processes: int = field(default_factory=lambda: min(PROCESSES_MAX, os.cpu_count() or 1))
    seconds_max: float = SECONDS_MAX


def search(files: Sequence[Path], asked: Search) -> Findings:
    """The entries of `files` (the newest first) that are wanted. Blocks: call it in a thread.

    A file that is gone is an empty one. Raises re.error for a pattern that is none.
    """
    matcher = Matcher(asked.wanted)
    units = list(_units(files, asked.wanted))
    size = sum(end - start for _, start, end in units)
    if size <= HERE_BYTES_MAX and not asked.wanted.pattern:  # an expression may never end
        results, complete = _here(files, units, matcher, asked.limit), True
    else:
        results, complete = _elsewhere(files, units, asked)
    newest: list[Found] = []
    searched = 0
    for unit, hits in zip(units, results, strict=False):
        searched += unit[2] - unit[1]
        entries = (entry_of(line, end) for end, line in reversed(hits))
        newest += [Found(unit[0], entry) for entry in entries if entry is not None]
    kept = newest[: asked.limit]
    kept.sort(key=lambda one: (one.entry.at, -one.file, one.entry.position))
    return Findings(tuple(kept), searched, complete)


def _units(files: Sequence[Path], wanted: Wanted) -> Iterator[Unit]:
    """The parts of files that may have what is wanted, the newest first."""
    size = UNIT_BYTES_MIN
    for number, path in enumerate(files):
        start, end = _span(path, wanted)
        while end > start:
            begin = max(start, end - size)
            yield number, begin, end
            end, size = begin, min(2 * size, UNIT_BYTES_MAX)


def _span(path: Path, wanted: Wanted) -> tuple[int, int]:
    """From where to where a file may have what is wanted."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0, 0
    try:
        size = os.fstat(descriptor).st_size
        since, before = wanted.since, wanted.before
        start = 0 if since is None else _reached(descriptor, size, since - SLACK_MICROS)
        end = size if before is None else _passed(descriptor, size, before + SLACK_MICROS)
    finally:
        os.close(descriptor)
    return start, end


def _reached(descriptor: int, size: int, instant: int) -> int:
    """A place that all lines at or after an instant begin behind, and most others before."""
    low, high = 0, size
    while high - low > _HALVED_BYTES:
        middle = (low + high) // 2
        at = _instant_after(descriptor, middle)
        if at is not None and at < instant:
            low = middle
        else:
            high = middle
    return low


def _passed(descriptor: int, size: int, instant: int) -> int:
    """A place that all lines before an instant begin before, and most others behind."""
    low = _reached(descriptor, size, instant)
    return min(size, low + _HALVED_BYTES + _LINE_BYTES)


def _instant_after(descriptor: int, place: int) -> int | None:
    """The instant of the first whole line after a place; None where none says."""
    chunk = os.pread(descriptor, 4096, place)
    for line in chunk.split(b"\n")[1:]:
        at = instant_of(line)
        if at is not None:
            return at
    return None


def _here(files: Sequence[Path], units: Sequence[Unit], matcher: Matcher, limit: int) -> list[Hits]:
    results: list[Hits] = []
    left = limit
    for number, start, end in units:
        if left <= 0:
            break
        results.append(scan(str(files[number]), start, end, matcher, left))
        left -= len(results[-1])
    return results


def _elsewhere(
    files: Sequence[Path], units: Sequence[Unit], asked: Search
) -> tuple[list[Hits], bool]:
    """What processes find: of as many of the first units as were needed, or as time allowed."""
    count = max(1, min(asked.processes, len(units)))
    orders = [
        {
            "wanted": asked.wanted.as_json(),
            "limit": asked.limit,
            "units": [
                (place, str(files[units[place][0]]), *units[place][1:])
                for place in range(first, len(units), count)
            ],
        }
        for first in range(count)
    ]
    results: dict[int, Hits] = {}
    with ExitStack() as stack:
        workers = [stack.enter_context(_Worker(order)) for order in orders]
        deadline = time.monotonic() + asked.seconds_max
        enough = False
        for told in _lines(workers, deadline):
            place, hits = told
            results[place] = [(end, line.encode()) for end, line in hits]
            enough = _is_enough(results, asked.limit)
            if enough:
                break
    first = list(_first(results))
    return first, enough or len(first) == len(units)


def _first(results: dict[int, Hits]) -> Iterator[Hits]:
    """The results of the first units without a gap."""
    place = 0
    while place in results:
        yield results[place]
        place += 1


def _is_enough(results: dict[int, Hits], limit: int) -> bool:
    return sum(len(hits) for hits in _first(results)) >= limit


class _Worker:
    """A process that looks through units; ended when it is left."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # this very program
            [sys.executable, "-I", "-S", "-X", "utf8", "-c", _CODE, _ROOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            start_new_session=True,
        )
        self._order = json.dumps(order).encode()

    def __enter__(self) -> int:
        """Where it is heard."""
        process = self._process
        if process.stdin is None or process.stdout is None:  # never: both are pipes
            raise RuntimeError("a process without pipes")
        try:
            process.stdin.write(self._order)
            process.stdin.close()
        except BrokenPipeError:  # it died: its silence says so
            pass
        return process.stdout.fileno()

    def __exit__(self, *_: object) -> None:
        """It has done enough, or too much."""
        self._process.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.wait()


def _lines(workers: Sequence[int], deadline: float) -> Iterator[tuple[int, list[tuple[int, str]]]]:
    """What the workers say, line by line, until all have ended or it is too late."""
    with selectors.DefaultSelector() as selector:
        rests = dict.fromkeys(workers, b"")
        for worker in workers:
            selector.register(worker, selectors.EVENT_READ)
        while selector.get_map() and (left := deadline - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                chunk = os.read(key.fd, 2**16)
                if not chunk:
                    selector.unregister(key.fd)
                *whole, rests[key.fd] = (rests[key.fd] + chunk).split(b"\n")
                for line in whole:
                    yield json.loads(line)
