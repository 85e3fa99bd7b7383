"""What the tasks of a world print, as it lies on disk, and what each line is to be counted as.

Lines come in bursts, in pieces, torn, and some after their task has ended. They are read by the
real reader of logs, a few at a time, from whoever is not away.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random

from runyard.localcloud.logging.format import encode, encode_block
from runyard.localcloud.logging.sifting import sift
from runyard.localcloud.logging.wanted import Matcher
from runyard.model.errors import ProviderUnavailable
from runyard.model.ids import AttemptKey
from runyard.model.instants import to_micros
from runyard.provider.local import translate
from runyard.provider.port import LogPlace, LogSifted, LogWanted
from tests.simulation.cloud import Cloud, Execution

Counted = tuple[str, str, tuple[tuple[str, str], ...], float]  #: job, metric, labels, value
WORDS = ("apple", "birch", "cedar", "daisy", "elder")
ERROR, PLAIN = "ERROR", "DEFAULT"


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is whole: where it ends, what it counts as, and of which pattern it is (the
    first word of it; none: it tells of no error)."""

    end: int
    at: datetime
    counted: tuple[Counted, ...]
    pattern: str = ""


@dataclass(slots=True)
class Log:
    """The log of one attempt. `is_whole`: nothing is written any more."""

    key: AttemptKey
    job: str
    path: Path
    lines: list[Line] = field(default_factory=list)
    size: int = 0
    rest: tuple[bytes, Line] | None = None
    is_whole: bool = False

    def until(self, after: int, position: int) -> list[Line]:
        """The lines that end after one position and not after another."""
        return [line for line in self.lines if after < line.end <= position]

    def add(self, data: bytes, line: Line | None, cut: int = 0) -> None:
        """Write bytes, at first only some of them if `cut`."""
        if self.rest is not None:
            rest, kept = self.rest
            self.rest = None
            self._append(rest, kept)
        if cut:
            assert line is not None
            self._append(data[:cut], None)
            self.rest = data[cut:], line
        else:
            self._append(data, line)

    def _append(self, data: bytes, line: Line | None) -> None:
        with self.path.open("ab", buffering=0) as file:
            file.write(data)
        self.size += len(data)
        if line is not None:
            self.lines.append(Line(self.size, line.at, line.counted, line.pattern))


class Written:
    """All logs of a world, in a folder."""

    def __init__(self, cloud: Cloud, random: Random, folder: Path) -> None:
        self._cloud = cloud
        self._random = random
        self._folder = folder
        self.logs: dict[AttemptKey, Log] = {}
        cloud.watchers.append(self._begin)

    def _begin(self, one: Execution) -> None:
        path = self._folder / f"{len(self.logs)}.jsonl"
        self.logs[one.key] = Log(one.key, one.job, path)

    def is_kept(self, key: AttemptKey) -> bool:
        """False once a log was pruned, whoever may not have read it."""
        return key in self._cloud.executions

    def write(self) -> None:
        """Tasks print, those that have ended for the last time."""
        for log in self.logs.values():
            if log.is_whole:
                continue
            one = self._cloud.executions.get(log.key)
            ended = one is None or one.ended
            for _ in range(self._random.choice((0, 0, 1, 1, 2, 9))):
                self._print(log)
            if ended and log.rest is not None:
                log.add(b"", None)
            log.is_whole = ended

    def _print(self, log: Log) -> None:
        at = self._cloud.now() - timedelta(seconds=self._random.choice((0, 0, 0, 3, 50)))
        kind = self._random.choice(KINDS)
        data, line = kind(self._random, log.job, at)
        if self._random.random() < 0.05:
            log.add(data[: len(data) // 2] + b"\n", None)  # torn for good
        log.add(data, line, cut=len(data) // 3 if self._random.random() < 0.2 else 0)


@cache
def _matcher(wanted: LogWanted) -> Matcher:
    return Matcher(translate.wanted(wanted))


@dataclass(slots=True)
class FlakyViewer:
    """The eyes of one engine: away now and then, and never looking far."""

    written: Written
    cloud: Cloud
    pause: Callable[[str], Awaitable[None]]

    async def sift(self, places: Sequence[LogPlace]) -> list[LogSifted]:
        """See `Viewer.sift`."""
        await self.pause("sift begins")
        if self.cloud.faults and self.cloud.random.random() < 0.1:
            raise ProviderUnavailable("the viewer is away", operation="sift")
        found = [self._sifted(place) for place in places]
        await self.pause("sifted")
        return found

    def _sifted(self, place: LogPlace) -> LogSifted:
        log = self.written.logs.get(place.key)
        if log is None or place.key not in self.cloud.executions:
            return LogSifted((), place.after, complete=True, ended=True)
        lines_max = self.cloud.random.choice((1, 3, 500))
        part = sift(log.path, place.after, [_matcher(one) for one in place.wanted], lines_max)
        entries = tuple((translate.log_entry(entry), wanted) for entry, wanted in part.found)
        ended = log.is_whole and part.complete
        return LogSifted(entries, part.after, part.complete, ended)


# -- kinds of lines --------------------------------------------------------------------------------
Made = tuple[bytes, Line]


def _text(at: datetime, text: str, *counted: Counted, severity: str = PLAIN, of: str = "") -> Made:
    data = encode(to_micros(at), 0, 0, "o", severity, text)
    return data, Line(0, at, counted, of)


def _fields(at: datetime, fields: dict[str, object], *counted: Counted) -> Made:
    block = json.dumps(fields).encode() + b"\n"
    return encode_block(to_micros(at), 0, 0, "o", block), Line(0, at, counted)


def _plain(random: Random, job: str, at: datetime) -> Made:
    return _text(at, f"all is well {random.randrange(9)}, 0 errors", severity="INFO")


def _none(random: Random, job: str, at: datetime) -> Made:
    return _text(at, "finished without errors")


def _lost(random: Random, job: str, at: datetime) -> Made:
    counted = [(job, "log_matches", (("rule", "lost"),), 1.0)] if job == "watched" else []
    return _text(at, f"order {random.randrange(1000)} was lost", *counted)


def _slow(random: Random, job: str, at: datetime) -> Made:
    counted = [(job, "own.slow", (), 1.0)] if job == "watched" else []
    return _text(at, "slow query on orders", *counted)


def _loaded(random: Random, job: str, at: datetime) -> Made:
    rows, table = random.randrange(50), random.choice(WORDS)
    counted = [(job, "own.loaded", (("table", table),), float(rows))] if job == "watched" else []
    return _text(at, f"loaded {rows} rows of {table}", *counted)


def _own(random: Random, job: str, at: datetime) -> Made:
    value, name = random.randrange(10), random.choice(("rows", "files"))
    counted = (job, f"own.{name}", (("table", "t"),), float(value))
    return _fields(at, {"metric": name, "value": value, "labels": {"table": "t"}}, counted)


def _several(random: Random, job: str, at: datetime) -> Made:
    counted = [(job, f"own.{name}", (), float(value)) for name, value in (("a", 1), ("b", 2))]
    fields = {"metric": {"a": 1, "b": 2}, "message": "a fatal error, that is a name of a measure"}
    return _fields(at, dict(fields), *counted)


def _refused(random: Random, job: str, at: datetime) -> Made:
    counted = (job, "own_refused", (("why", "form"),), 1.0)
    return _fields(at, {"metric": "rows", "value": -1}, counted)


def _connection(random: Random, job: str, at: datetime) -> Made:
    text = f"connection to 10.0.0.{random.randrange(9)} was refused"
    return _text(at, text, severity=ERROR, of="connection")


def _user(random: Random, job: str, at: datetime) -> Made:
    text = f"user {random.choice(WORDS)} may not enter here: an error"
    return _text(at, text, of="user")


def _new(random: Random, job: str, at: datetime) -> Made:
    word = random.choice(WORDS)
    return _text(at, f"{word} failed with a fatal error", of=word)


KINDS: tuple[Callable[[Random, str, datetime], Made], ...] = (
    _plain, _plain, _none, _lost, _slow, _loaded, _own, _several, _refused, _connection,
    _connection, _user, _new,
)  # fmt: skip
