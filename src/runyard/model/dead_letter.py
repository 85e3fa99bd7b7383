"""A dead letter: a run that was given up, until somebody has dealt with it. And a replay: several
of them, asked for anew one after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from runyard.model.failure import FailureClass
from runyard.model.ids import RunId

ReplayId = NewType("ReplayId", str)
NOTES_KEPT = 20  #: of what was done to a letter; older ones are in the audit log
LETTERS_MAX = 1_000
"""Letters of one replay, or of one discard: Cloud Run's quota of running executions in a region
(https://cloud.google.com/run/quotas), as for a backfill."""
PER_MINUTE = 60  #: runs that a replay asks for in a minute, if nobody says how many
PER_MINUTE_MAX = 6_000


class LetterState(StrEnum):
    """Where a letter is. What may follow what is said by `flow.dead_letters.TRANSITIONS`."""

    OPEN = "open"  # nobody has dealt with it
    CHOSEN = "chosen"  # a replay has it, and its turn comes
    REPLAYING = "replaying"  # a new run was asked for in its place, and has not ended
    REPLAYED = "replayed"  # that run succeeded
    REPLACED = "replaced"  # that run is dead too, and a letter of its own stands for both
    DISCARDED = "discarded"  # somebody said that it need not be run, and why
    EXPIRED = "expired"  # it was kept for as long as the settings say


QUEUED = frozenset({LetterState.OPEN, LetterState.CHOSEN, LetterState.REPLAYING})  #: in the queue


@dataclass(frozen=True, slots=True)
class Note:
    """What was done to a letter: by whom, why, and the run that came of it, if any."""

    at: datetime
    state: LetterState
    by: str
    why: str = ""
    run: RunId = RunId("")


@dataclass(frozen=True, slots=True)
class Published:
    """That a letter was published: to which topic (of its environment), as which message."""

    at: datetime
    topic: str
    message: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One row; `run` is the dead run, and the letter's own id.

    `fingerprint` is that of its group and `title` what all of the group have in common.
    `replay_of` is the dead run in whose place this one was asked for. `replay` is the replay that
    has it, `replayed_by` the run that was asked for last in its place. `settled_at`: when it left
    the queue. `version` grows by one with every decision.
    """

    run: RunId
    project: str
    environment: str
    job: str
    region: str
    revision: int
    failure_class: FailureClass
    rule: str
    evidence: tuple[str, ...]
    reason: str
    attempts: int
    fingerprint: str
    title: str
    died_at: datetime
    state: LetterState = LetterState.OPEN
    replay_of: RunId = RunId("")
    replay: ReplayId = ReplayId("")
    replayed_by: RunId = RunId("")
    settled_at: datetime | None = None
    notes: tuple[Note, ...] = ()
    published: tuple[Published, ...] = ()
    version: int = 1

    @property
    def key(self) -> tuple[str, str, str]:
        """Its job: project, environment, name."""
        return (self.project, self.environment, self.job)

    @property
    def is_queued(self) -> bool:
        """True while it is in the queue."""
        return self.state in QUEUED

    def evolve(self, **changes: Any) -> DeadLetter:
        """This row with `changes`."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class ReplayHow:
    """What is different in the new run; None: as the dead run had it.

    `as_it_was`: by the job's revision that the dead run had, else by the one in force. `env` is
    added to what the dead run had, and wins. `timeout_seconds` is per task attempt, `memory_bytes`
    of one task.
    """

    as_it_was: bool = False
    args: tuple[str, ...] | None = None
    env: tuple[tuple[str, str], ...] = ()
    task_count: int | None = None
    timeout_seconds: float | None = None
    memory_bytes: int | None = None


class ReplayState(StrEnum):
    """Where a replay is. What may follow what is said by `flow.replaying.TRANSITIONS`."""

    VERIFYING = "verifying"  # the first letter is to succeed before any other is asked for
    REPLAYING = "replaying"  # the letters are asked for, one after the other
    FINISHING = "finishing"  # all are asked for; some runs have not ended
    DONE = "done"
    STOPPED = "stopped"  # the first one did not succeed: the others were left as they were
    CANCELLED = "cancelled"


REPLAY_OVER = frozenset({ReplayState.DONE, ReplayState.STOPPED, ReplayState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Replay:
    """One row. `what` says in words which letters were meant.

    Of `total` letters `asked` became runs and `left` could not (they are in the queue again); of
    those runs `succeeded` did, `died` are dead, and `ended_otherwise` were cancelled or skipped.
    `due_at` is when the next one is asked for; None: it waits for a run, or is over.
    """

    id: ReplayId
    environment: str
    what: str
    how: ReplayHow
    by: str
    requested_at: datetime
    total: int
    per_minute: int = PER_MINUTE
    verify_first: bool = False
    state: ReplayState = ReplayState.REPLAYING
    due_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""
    asked: int = 0
    left: int = 0
    succeeded: int = 0
    died: int = 0
    ended_otherwise: int = 0
    version: int = 1

    @property
    def is_over(self) -> bool:
        """True when it asks for nothing more and waits for nothing."""
        return self.state in REPLAY_OVER

    @property
    def is_asked(self) -> bool:
        """True when every letter was asked for, or could not be."""
        return self.asked + self.left >= self.total

    @property
    def has_ended_all(self) -> bool:
        """True when every run that it asked for has ended."""
        return self.succeeded + self.died + self.ended_otherwise >= self.asked

    def evolve(self, **changes: Any) -> Replay:
        """This row with `changes`."""
        return replace(self, **changes)
