"""A run: one asked-for run of a job in one region, with all its attempts, until it is final."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from runyard.model.failure import FailureRule
from runyard.model.ids import AttemptKey, RunId, attempt_key
from runyard.model.outcome import Outcome
from runyard.model.recovery import UNSCALED, Awaiting, Recovery, Scaled


class State(StrEnum):
    """Where a run is. What may follow what is said by `flow.lifecycle.TRANSITIONS`."""

    QUEUED = "queued"  # asked for; waits for its instant or for a slot
    LAUNCHING = "launching"  # an attempt is on its way to the provider
    RUNNING = "running"  # the provider has the attempt
    BACKING_OFF = "backing_off"  # an attempt failed; the next one is due later
    AWAITING_NETWORK = "awaiting_network"  # until what it needs can be reached
    AWAITING_CAPACITY = "awaiting_capacity"  # until there is room, or quota
    AWAITING_PERMISSION = "awaiting_permission"  # until it may do what it must
    AWAITING_FIX = "awaiting_fix"  # until its job has a newer revision, or somebody says so
    STOPPING = "stopping"  # asked to stop while an attempt is out
    SUCCEEDED = "succeeded"
    DEAD = "dead"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"  # never started, and the reason why not is recorded


FINAL = frozenset({State.SUCCEEDED, State.DEAD, State.CANCELLED, State.SKIPPED})
OUT = frozenset({State.LAUNCHING, State.RUNNING, State.STOPPING})  #: an attempt is out
AWAITING = frozenset(
    {
        State.AWAITING_NETWORK,
        State.AWAITING_CAPACITY,
        State.AWAITING_PERMISSION,
        State.AWAITING_FIX,
    }
)  #: an attempt failed, and what stands in the way of the next must go first


class Jitter(StrEnum):
    """How chance spreads a backoff (https://aws.amazon.com/blogs/architecture/
    exponential-backoff-and-jitter/): not at all, half of it, all of it."""

    NONE = "none"
    EQUAL = "equal"
    FULL = "full"


class OnConflict(StrEnum):
    """What a new run does when its job is at its concurrency limit."""

    QUEUE = "queue"
    SKIP = "skip"
    CANCEL_OLDER = "cancel_older"


class TriggerKind(StrEnum):
    """What asked for a run."""

    MANUAL = "manual"
    SCHEDULE = "schedule"
    EVENT = "event"
    WEBHOOK = "webhook"
    CHAIN = "chain"
    ABSENCE = "absence"


@dataclass(frozen=True, slots=True)
class TriggeredBy:
    """The trigger that asked for a run, and what it wants of it.

    `trigger` is the trigger's key (`project/environment/job/name`). `instant` is what it is for:
    a schedule's instant, however late the run was asked for. `start_by`: not started by then, it
    never starts. `slot` (empty: none) is a slot of `slot_limit` beside the job's own, by which
    runs of one trigger wait for each other.
    `after` are the runs whose end it follows.
    """

    trigger: str
    instant: datetime | None = None
    start_by: datetime | None = None
    slot: str = ""
    slot_limit: int = 1
    after: tuple[RunId, ...] = ()


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delay before attempt n+1: initial * factor**(n-1), at most `max_seconds`, then jittered."""

    initial_seconds: float = 10.0
    factor: float = 2.0
    max_seconds: float = 600.0
    jitter: Jitter = Jitter.FULL


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """All runs of a job may have so many retries in each stretch of `within_seconds`."""

    retries_max: int
    within_seconds: float


@dataclass(frozen=True, slots=True)
class Spent:
    """What a job has spent of its budget in the stretch that began at an instant."""

    key: tuple[str, str, str]  #: project, environment, job
    began_at: datetime
    retries: int = 0


@dataclass(frozen=True, slots=True)
class RunPolicy:
    """The job's rules as they were when the run was asked for; a later apply changes no run.

    `attempts_max` bounds all attempts. `timeout_attempts_max` bounds attempts when the last one
    timed out; 1 means a timeout is never retried. `concurrency_limit` 0 means none. `failures` are
    the job's own rules of which class a failure is. `budget` is of all runs of the job together.
    """

    attempts_max: int = 1
    timeout_attempts_max: int = 1
    backoff: Backoff = Backoff()
    concurrency_limit: int = 0
    on_conflict: OnConflict = OnConflict.QUEUE
    deadline_seconds: float | None = None
    priority: int = 0
    failures: tuple[FailureRule, ...] = ()
    recovery: Recovery = Recovery()
    budget: RetryBudget | None = None

    @property
    def launches_max(self) -> int:
        """The most attempts that a run can have, whatever its failures are."""
        return max(self.attempts_max, self.timeout_attempts_max, self.recovery.attempts_max)


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file for the tasks of one run, at an absolute path. It may hold what is nobody's business:
    only its tasks are told what is in it."""

    path: str
    content: str = field(repr=False)

    @property
    def size_bytes(self) -> int:
        """How long it is."""
        return len(self.content.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a caller changes for one run; the same four that Cloud Run's RunJob can change, and a
    file, which it cannot.

    `args` replaces the first container's arguments (empty tuple: no arguments); None keeps them.
    `env` merges and wins. `timeout_seconds` is per task attempt. `file` is what each task finds.
    """

    args: tuple[str, ...] | None = None
    env: tuple[tuple[str, str], ...] = ()
    task_count: int | None = None
    timeout_seconds: float | None = None
    file: InputFile | None = None


@dataclass(frozen=True)  # without slots: `evolve` copies `__dict__`
class Run:
    """One row. `attempt` is the number of the last attempt started (0: none yet).

    `rank_at` orders waiting runs: the instant it was asked for, moved earlier by its priority.
    `due_at` is when it may start next, None when it waits for nothing of its own (it is out or
    final) or for `waiting_on`, the name of a full slot. `concurrency_slot` names the slot that its
    job's concurrency limit is counted in (empty: no limit). `triggered_by` is the trigger that
    asked for it, None where a person did. `handle` is the provider's name of the last attempt.
    `scaled` is what recovery gives its attempts. `awaiting` is there exactly while its state is one
    of AWAITING. `replays` is the dead run in whose place it was asked for (empty: none).
    `stop_cause` is cancel or deadline once one of
    them has come. `version` grows by one with every decision.
    """

    id: RunId
    project: str
    environment: str
    job: str
    revision: int
    region: str
    state: State
    trigger: TriggerKind
    requested_by: str
    requested_at: datetime
    rank_at: datetime
    policy: RunPolicy
    task_count: int
    overrides: Overrides = Overrides()
    labels: tuple[tuple[str, str], ...] = ()
    attempt: int = 0
    due_at: datetime | None = None
    waiting_on: str = ""
    deadline_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    concurrency_slot: str = ""
    triggered_by: TriggeredBy | None = None
    replays: RunId = RunId("")
    handle: str = ""
    stop_cause: str = ""
    reason: str = ""
    outcome: Outcome | None = None
    scaled: Scaled = UNSCALED
    awaiting: Awaiting | None = None
    cost_nano_dollars: int = 0
    version: int = 0

    @property
    def job_key(self) -> tuple[str, str, str]:
        """What its job is unique in: project, environment, name."""
        return (self.project, self.environment, self.job)

    @property
    def attempt_key(self) -> AttemptKey:
        """The key of the last attempt started."""
        return attempt_key(self.id, self.attempt)

    @property
    def own_slots(self) -> tuple[str, ...]:
        """The slots it holds from its first start until it is final: its job's, its trigger's."""
        own = (self.concurrency_slot,) if self.concurrency_slot else ()
        return (
            (*own, self.triggered_by.slot) if self.triggered_by and self.triggered_by.slot else own
        )

    @property
    def is_final(self) -> bool:
        """True when nothing will ever change it again."""
        return self.state in FINAL

    @property
    def is_out(self) -> bool:
        """True while an attempt is with the provider or on its way there."""
        return self.state in OUT

    @property
    def view(self) -> RunView:
        """As much of it as rules look at."""
        return RunView(
            self.id,
            self.state,
            self.region,
            self.requested_at,
            self.started_at,
            self.ended_at,
            self.cost_nano_dollars,
        )

    def evolve(self, **changes: Any) -> Run:
        """This row with `changes`: `dataclasses.replace`, eight times as fast. Every decision
        makes a row. Raises TypeError for a field that there is not."""
        if not changes.keys() <= _FIELDS:
            raise TypeError(f"a run has no {', '.join(sorted(changes.keys() - _FIELDS))}")
        after = object.__new__(Run)
        after.__dict__.update(self.__dict__)
        after.__dict__.update(changes)
        return after


@dataclass(frozen=True, slots=True)
class RunView:
    """As much of a run as rules look at."""

    id: RunId
    state: State
    region: str
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    cost_nano_dollars: int = 0

    @property
    def is_dead(self) -> bool:
        """True when it was given up."""
        return self.state is State.DEAD

    @property
    def is_judged(self) -> bool:
        """True when it came to an end of its own: nobody cancelled it, and it was not skipped."""
        return self.state in (State.SUCCEEDED, State.DEAD)

    @property
    def seconds(self) -> float | None:
        """How long it took from its start; None: it has not started, or not ended."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


_FIELDS = frozenset(one.name for one in fields(Run))
