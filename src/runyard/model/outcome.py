"""What an attempt ended with, as data. Bounded: single tasks never pass the gate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from runyard.model.failure import Failure

OUTPUT_BYTES_MAX = 64 * 1024  #: of the JSON that a run may write for those that follow it
FAILURES_KEPT = 10  #: first failed tasks kept as evidence; the rest is a count
#: Of what a failed task wrote last, kept as evidence: so many lines, of so many characters each,
#: so many together. With ten tasks it is some 30 KB in a run's row.
LAST_LINES_KEPT = 30
LAST_LINE_CHARACTERS_MAX = 400
LAST_CHARACTERS_MAX = 3_000


class Ending(StrEnum):
    """How an attempt ended. One spelling everywhere."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"  # a task ended with a non-zero exit code or a signal, retries used up
    TIMED_OUT = "timed_out"  # a task's last attempt reached its timeout
    CANCELLED = "cancelled"  # somebody asked for it, us or another
    LOST = "lost"  # the provider no longer knows what became of it
    REFUSED = "refused"  # the provider would not launch it, for good


@dataclass(frozen=True, slots=True)
class TaskFailure:
    """A task that failed for good. At most one of `exit_code` and `signal` is set.

    `last_lines` is what it wrote last, oldest first, secrets redacted as in its log; empty where
    the provider keeps no log.
    """

    index: int
    attempts: int
    message: str
    exit_code: int | None = None
    signal: int | None = None
    timed_out: bool = False
    out_of_memory: bool = False
    last_lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used, summed over every task attempt (an instance, in Google's price list).

    `billed_milliseconds` is already rounded and raised to the minimum, per task attempt, by
    `flow.costing.billed_milliseconds`. `cpu_milliseconds` and `memory_peak_bytes` are measured
    (0 where the machine offers no measure); `vcpu_milli` and `memory_bytes` are what was asked.
    """

    task_attempts: int = 0
    wall_milliseconds: int = 0
    billed_milliseconds: int = 0
    cpu_milliseconds: int = 0
    memory_peak_bytes: int = 0
    vcpu_milli: int = 1000
    memory_bytes: int = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """`reason` is the provider's own word (Google's condition reasons), `message` a sentence.

    `failure` is what was made of it by `flow.failure.classify` when it was judged. `output` is
    what the first task wrote as the attempt's result: JSON text of at most `OUTPUT_BYTES_MAX`, or
    empty.
    """

    ending: Ending
    message: str
    reason: str = ""
    task_count: int = 0
    succeeded_count: int = 0
    failed_count: int = 0
    cancelled_count: int = 0
    retried_count: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    failures: tuple[TaskFailure, ...] = ()
    usage: Usage = Usage()
    failure: Failure | None = None
    output: str = ""
