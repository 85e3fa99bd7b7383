"""Entries of Cloud Logging as lines of an attempt's log, and positions in it. Pure.

Sources: https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry; the labels are those
that Cloud Run gives to what a task writes (`run.googleapis.com/...`).

A position is when a line was written, in milliseconds since `base`, and which of the lines of this
millisecond it is. So any process can read on from it, and nothing is kept for it anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from runyard.model.instants import from_micros, to_micros
from runyard.provider.gcp import names
from runyard.provider.port import LogEntry

EXECUTION = "run.googleapis.com/execution_name"
TASK = "run.googleapis.com/task_index"
ATTEMPT = "run.googleapis.com/task_attempt"
#: A line may say itself when it was written (`time` of a JSON line): so long before its execution
#: was made at most.
EARLY = timedelta(days=1)
LINE_BITS = 19  #: 524,288 lines of one millisecond; 34 bits, 198 days, are left for the time
_LINES = (1 << LINE_BITS) - 1
_MILLISECONDS_MAX = (1 << 34) - 1
_DIGITS = 9  #: of a second that Google knows
_MILLISECOND = timedelta(milliseconds=1)
_STREAMS = {"stdout": "stdout", "stderr": "stderr", "varlog%2Fsystem": "system"}
_AUDIT = "cloudaudit.googleapis.com"
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """Which lines: of an execution (by its full name) that was made then, of one task or of all."""

    execution: str
    created_at: datetime
    task: int | None = None

    @property
    def base(self) -> datetime:
        """The instant that positions count from."""
        return self.created_at - EARLY

    @property
    def google_project(self) -> str:
        """Whose logs are read."""
        return names.google_project_of(self.execution)


def filter_of(asked: Question, after: int, until: datetime | None) -> str:
    """The filter that lets through the lines from the millisecond of a position on; `until`: those
    that were written before it."""
    terms = [
        'resource.type="cloud_run_job"',
        f'labels."{EXECUTION}"="{names.short(asked.execution)}"',
        f'timestamp>="{stamp(asked.base + (after >> LINE_BITS) * _MILLISECOND)}"',
    ]
    if asked.task is not None:
        terms.append(f'labels."{TASK}"="{asked.task}"')
    if until is not None:
        terms.append(f'timestamp<"{stamp(until)}"')
    return " AND ".join(terms)


def last_filter(asked: Question, tasks: Sequence[int]) -> str:
    """The filter that lets through what these tasks of an execution wrote."""
    indexes = " OR ".join(f'"{index}"' for index in tasks)
    return f'{filter_of(asked, 0, None)} AND labels."{TASK}"=({indexes})'


def stamp(at: datetime) -> str:
    """An instant as filters have it."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def start_of(position: int) -> int:
    """The position before the first line of the millisecond of a position."""
    return position & ~_LINES


def told(position: int) -> int:
    """How many lines of its own millisecond a position is past."""
    return position & _LINES


def lines(
    asked: Question, entries: Sequence[Entry], counted: int, after: int
) -> tuple[list[LogEntry], int]:
    """The lines of entries, which come in order, that are past `after`; and the position of the
    last one. `counted` is the position of what came before. An entry that is told twice is one."""
    found: list[LogEntry] = []
    position = counted
    before: tuple[object, object] | None = None
    for entry in entries:
        identity = entry.get("timestamp"), entry.get("insertId")
        if identity == before:
            continue
        before = identity
        at = instant(entry)
        millisecond = min(max(0, (at - asked.base) // _MILLISECOND), _MILLISECONDS_MAX)
        for line in _lines_of(entry, at):
            position = max(position, millisecond << LINE_BITS) + 1
            if position > after:
                found.append(replace(line, position=position))
    return found, position


def newest_first(entries: Sequence[Entry]) -> Iterator[LogEntry]:
    """What tasks wrote, of entries that come newest first."""
    for entry in entries:
        of_entry = list(_lines_of(entry, instant(entry)))
        yield from (line for line in reversed(of_entry) if line.stream != "system")


def instant(entry: Entry) -> datetime:
    """When an entry was written: of its nanoseconds only the microseconds."""
    text = str(entry.get("timestamp", ""))
    whole, dot, rest = text.removesuffix("Z").partition(".")
    try:
        at = datetime.fromisoformat(whole)
    except ValueError:
        return from_micros(0)
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    digits = rest[:6] if dot and rest.isdecimal() else "0"
    return from_micros(to_micros(at.replace(tzinfo=UTC)) + int(digits.ljust(6, "0")))


def lines_in(entry: Entry) -> list[LogEntry]:
    """What an entry says, in order; without positions in a log."""
    return list(_lines_of(entry, instant(entry)))


def order_of(entry: Entry) -> tuple[datetime, str, str]:
    """Where an entry is among others, as Google orders them: by its time, to the nanosecond, and
    its insert id."""
    fraction = str(entry.get("timestamp", "")).removesuffix("Z").partition(".")[2]
    return instant(entry), fraction.ljust(_DIGITS, "0"), str(entry.get("insertId", ""))


def whose(entry: Entry) -> tuple[str, str]:
    """The location and the short name of the execution that an entry is of; empty where it says
    neither."""
    labels = (entry.get("resource") or {}).get("labels") or {}
    return str(labels.get("location", "")), str((entry.get("labels") or {}).get(EXECUTION, ""))


def _lines_of(entry: Entry, at: datetime) -> Iterator[LogEntry]:
    """One line for each of a text; none of an audit log, which tells what people did."""
    log = str(entry.get("logName", "")).rpartition("/logs/")[2]
    if log.startswith(_AUDIT):
        return
    labels = entry.get("labels") or {}
    stream = _STREAMS.get(log.removeprefix("run.googleapis.com%2F"), "stdout")
    fields, texts = _said(entry)
    for text in texts:
        yield LogEntry(
            position=0,
            at=at,
            task=_number(labels.get(TASK)),
            attempt=_number(labels.get(ATTEMPT)),
            stream=stream,
            severity=str(entry.get("severity") or "DEFAULT"),
            text=text,
            fields=fields,
        )


def _said(entry: Entry) -> tuple[Mapping[str, Any] | None, list[str]]:
    payload = entry.get("jsonPayload")
    if not isinstance(payload, Mapping):
        return None, str(entry.get("textPayload", "")).removesuffix("\n").split("\n")
    message = payload.get("message")
    if not isinstance(message, str):
        return payload, [orjson.dumps(payload).decode()]
    return {name: value for name, value in payload.items() if name != "message"}, [message]


def _number(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdecimal() else 0
