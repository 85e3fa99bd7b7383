"""The port of every provider: what the engine asks of a cloud, and what a cloud may answer.

Promises of an implementation (held by `tests/contract/provider.py`):

1. `launch` is idempotent by `order.key`: asked again, it answers with what is there already.
2. `stop` is idempotent; stopping a key that was never launched makes a later `launch` of it
   answer with an ended report (`cancelled`) instead of starting anything.
3. `look` is level-based: it says how things are, not what happened; lost or doubled notices do
   no harm. A key it does not know is reported with phase `unknown`.
4. An ended report is final: the same outcome for ever, until `forget`.
5. After `release` nothing of the attempt is left on the machine but its record and its log;
   after `forget` those are gone too. Both are idempotent.
6. It raises `ProviderUnavailable`, `ProviderTimeout` or `ProviderRefused`, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from runyard.model.ids import AttemptKey
from runyard.model.outcome import Outcome
from runyard.model.run import Overrides
from runyard.provider.port_access import Access
from runyard.provider.port_jobs import Deployer


@dataclass(frozen=True, slots=True)
class LaunchOrder:
    """One attempt to launch. `template` is Cloud Run v2's ExecutionTemplate as JSON (camelCase).

    `untried`: nobody can have tried to launch it before, so that a provider whose own launch is not
    idempotent need not look for it.
    """

    key: AttemptKey
    project: str
    environment: str
    region: str
    job: str
    revision: int
    template: Mapping[str, Any]
    overrides: Overrides = Overrides()
    labels: tuple[tuple[str, str], ...] = ()
    untried: bool = False


class Phase(StrEnum):
    """Where an attempt is, seen from the provider."""

    PENDING = "pending"  # accepted; no task has started yet
    RUNNING = "running"
    ENDED = "ended"
    UNKNOWN = "unknown"  # never heard of, or forgotten
    UNSEEN = "unseen"  # it cannot be looked at now, while others can: of several providers, one


@dataclass(frozen=True, slots=True)
class Progress:
    """How many tasks are where."""

    task_count: int = 0
    running_count: int = 0
    succeeded_count: int = 0
    failed_count: int = 0
    cancelled_count: int = 0
    retried_count: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """How an attempt is now. `outcome` is set exactly when the phase is `ended`."""

    key: AttemptKey
    phase: Phase
    handle: str = ""
    progress: Progress = Progress()
    outcome: Outcome | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Released:
    """What `release` found removed, as (what, how many): ("folder", 12), ("cgroup", 12) ...

    The counts cover the whole life of the attempt, also what was removed as each task ended.
    `left` names what could not be removed, and why; empty when all is gone.
    """

    removed: tuple[tuple[str, int], ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskView:
    """One task of an attempt, for people to look at. `state` is pending, running, succeeded,
    failed, cancelled or lost; `attempt` counts from 0 as CLOUD_RUN_TASK_ATTEMPT does."""

    index: int
    state: str
    attempt: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    exit_code: int | None = None
    signal: int | None = None
    message: str = ""
    cpu_milliseconds: int = 0
    memory_peak_bytes: int = 0


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line. `position` is a cursor: read on with `after=entry.position`.

    `fields` is the JSON object of a structured line (its `message` is then `text`).
    """

    position: int
    at: datetime
    task: int
    attempt: int
    stream: str
    severity: str
    text: str
    fields: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class LogPage:
    """Entries in order. `after` is where to read on; `ended`: no more will ever come."""

    entries: tuple[LogEntry, ...]
    after: int
    ended: bool


@dataclass(frozen=True, slots=True)
class LogWanted:
    """Which entries of logs; what is empty or None holds always.

    `text` is contained in the entry's text, `pattern` (of Python's `re`) is found in it.
    `severities`: one of them. `fields`: a structured line has this value (as JSON, or as a text)
    at this path (`user.name`). `has`: it has this field, whatever its value. `since` and
    `before` are when it was written.
    """

    text: str = ""
    pattern: str = ""
    severities: tuple[str, ...] = ()
    task: int | None = None
    fields: tuple[tuple[str, str], ...] = ()
    since: datetime | None = None
    before: datetime | None = None
    has: str = ""


@dataclass(frozen=True, slots=True)
class LogPlace:
    """From where on the log of an attempt is read, and what of it: entries that any of `wanted`
    wants."""

    key: AttemptKey
    after: int
    wanted: tuple[LogWanted, ...]


@dataclass(frozen=True, slots=True)
class LogSifted:
    """Entries with the numbers of what wants them. `after` is where to read on; `complete`: there
    is no more now; `ended`: nor will there ever be, or not before the end of the attempt is known,
    where logs are read that late."""

    found: tuple[tuple[LogEntry, tuple[int, ...]], ...]
    after: int
    complete: bool
    ended: bool


@dataclass(frozen=True, slots=True)
class LogFindings:
    """Entries with the attempts that wrote them, oldest first; their positions are 0 where logs
    are kept elsewhere. `complete`: there are no others that are as new; else time was up, or what
    `unsearched` says, for people: what was not searched, and why. `bytes_searched`: of logs."""

    found: tuple[tuple[AttemptKey, LogEntry], ...] = ()
    bytes_searched: int = 0
    complete: bool = True
    unsearched: tuple[str, ...] = ()


class Provider(Protocol):
    """The hands. Made with `wake`, a function it calls whenever `changed` has something new.

    `jobs` deploys jobs, `access` gives them what they may do and read.
    """

    name: str
    jobs: Deployer
    access: Access

    async def start(self) -> None:
        """Come up; find again what an earlier process left behind."""

    async def close(self) -> None:
        """Let go. What runs goes on running."""

    async def launch(self, order: LaunchOrder) -> Report:
        """Start the attempt unless it is there already; say how it is."""

    async def stop(self, key: AttemptKey) -> None:
        """Ask the attempt to end: SIGTERM, ten seconds, SIGKILL."""

    async def look(self, keys: Sequence[AttemptKey]) -> list[Report]:
        """How each of `keys` is now, in the same order."""

    async def changed(self) -> list[Report]:
        """Reports of attempts that changed since the last call (may repeat, may be empty)."""

    async def release(self, key: AttemptKey) -> Released:
        """Remove all that an ended attempt held."""

    async def forget(self, key: AttemptKey) -> None:
        """Remove the attempt's record and log too."""

    async def log_bytes(self) -> int:
        """How much room the logs of all attempts take here; 0 where they are kept elsewhere."""


class Viewer(Protocol):
    """The eyes: what people may look at. Works from another process than the provider's."""

    async def progress(self, key: AttemptKey) -> Progress:
        """How many tasks are where; zeros when the attempt is not known."""

    async def tasks(self, key: AttemptKey, first: int = 0, limit: int = 100) -> list[TaskView]:
        """Tasks from index `first` on, in order."""

    async def log(
        self, key: AttemptKey, after: int = 0, limit: int = 1000, task: int | None = None
    ) -> LogPage:
        """Log entries after position `after`, oldest first, of one task or of all. A position holds
        for the same `task`."""

    async def sift(self, places: Sequence[LogPlace]) -> list[LogSifted]:
        """What is wanted of logs from places on, in the same order: a part of it that is bounded.
        The log of an attempt that is not known is empty and has ended."""

    async def search(
        self, keys: Sequence[AttemptKey], wanted: LogWanted, limit: int
    ) -> LogFindings:
        """The newest `limit` entries that are wanted in the logs of attempts, the newest of which
        is first in `keys`. What an attempt wrote long after a newer one may be left out, when
        there are more than `limit`. Logs that cannot be read are no error: it is said."""
