"""An operation: the one way to change the world in several steps. It ends complete or undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from runyard.model.ids import OperationId


class OperationKind(StrEnum):
    """What an operation does to its jobs."""

    APPLY = "apply"
    ROLLBACK = "rollback"
    DELETE = "delete"
    UNDELETE = "undelete"


class OperationState(StrEnum):
    """Where an operation is. What may follow what is said by `flow.operation.TRANSITIONS`."""

    WAITING = "waiting"  # at rest until people have confirmed or approved it
    RUNNING = "running"  # a step is out
    STOPPING = "stopping"  # asked to stop while a step is out
    UNDOING = "undoing"  # the undoing of a step is out
    STUCK = "stuck"  # a step cannot be undone: a person must look, then resume it
    COMPLETE = "complete"
    UNDONE = "undone"


FINAL = frozenset({OperationState.COMPLETE, OperationState.UNDONE})
AT_REST = FINAL | {OperationState.WAITING, OperationState.STUCK}  #: nothing goes on by itself


class StepKind(StrEnum):
    """What one step does to one job; see `provider.port_jobs` for how."""

    NETWORK = "network"  # the template's network, against what the provider keeps
    IDENTITY = "identity"  # its service account, and what that may do
    SECRETS = "secrets"  # they exist, and the identity may read them
    DEPLOY = "deploy"  # the job's resource in a region is as the spec says
    PROVE = "prove"  # all of it is read back and compared
    RUNS = "runs"  # its runs are stopped, and have ended
    REMOVE = "remove"  # the job's resource in a region is gone
    UNBIND = "unbind"  # what its service account may do for its sake is taken away
    RETIRE = "retire"  # secrets that it owned are disabled


class Change(StrEnum):
    """What becomes of a job by an operation."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class JobChange:
    """One job of an operation.

    `document` is the spec it shall have (None: none), `before` the one in force when the operation
    began (None: none). `revision` is what the job has in the end, `base` what it had. `etags` are
    those of the job's resources as they were looked at when the operation was asked for, by region;
    an empty one says that there was none. `found` has those that were not as `before` wants them:
    template, labels and annotations. `targets` has regions whose resource is not to be as
    `document` wants it, since what somebody else changed there is to stay.
    """

    project: str
    name: str
    change: Change
    revision: int
    base: int = 0
    document: Mapping[str, Any] | None = None
    before: Mapping[str, Any] | None = None
    etags: tuple[tuple[str, str], ...] = ()
    found: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    targets: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What it is unique in, in its environment."""
        return (self.project, self.name)

    def target(self, region: str) -> Mapping[str, Any] | None:
        """What the resource in `region` is to be like; None: it is to be gone."""
        return dict(self.targets).get(region, self.document)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what is done to the job of this number in `Operation.jobs`, and where."""

    kind: StepKind
    job: int
    region: str = ""


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step that is done found or did: a sentence, what was removed or made by kind and
    name, and what its undoing needs to know."""

    at: datetime
    message: str = ""
    reason: str = ""
    touched: tuple[tuple[str, str], ...] = ()
    undo: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody said yes."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Operation:
    """One row. What was asked for never changes: `jobs`, `steps`, `unsafe` and all before `state`.

    `unsafe` are sentences that somebody has to confirm before it begins; `approvals_needed` so many
    others must have said yes. `position` is the step that is out, or the one that is being undone.
    `results` has one for each step that is done, in order. `error` says why it is being undone,
    and `failed_step` which step that was, if it was one.
    `trouble` says why the step that is out is not done yet. `due_at` is when waiting is over. What
    it deletes can be had back for `grace_seconds`. What it does comes with `fence`, greater
    than that of every operation before; what it undoes comes with the next number.
    """

    id: OperationId
    kind: OperationKind
    environment: str
    requested_by: str
    requested_at: datetime
    jobs: tuple[JobChange, ...]
    steps: tuple[Step, ...]
    reason: str = ""
    unsafe: tuple[str, ...] = ()
    approvals_needed: int = 0
    forced: bool = False
    grace_seconds: float = 0.0
    fence: int = 0
    state: OperationState = OperationState.RUNNING
    position: int = 0
    results: tuple[StepResult, ...] = ()
    confirmed_by: str = ""
    approvals: tuple[Approval, ...] = ()
    error: str = ""
    failed_step: int | None = None
    hint: str = ""
    trouble: str = ""
    due_at: datetime | None = None
    ended_at: datetime | None = None
    version: int = 0

    @property
    def is_final(self) -> bool:
        """True when nothing will ever change it again."""
        return self.state in FINAL

    @property
    def waits_for_confirmation(self) -> bool:
        """True while somebody has to confirm what is unsafe."""
        return bool(self.unsafe) and not self.confirmed_by

    @property
    def approvals_missing(self) -> int:
        """How many people have still to say yes."""
        return max(0, self.approvals_needed - len(self.approvals))


# -- events: what happens to it ----------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Begun:
    """Somebody asked for it, and it was reserved: its jobs are nobody else's until it ends."""

    by: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Somebody knows what is unsafe about it and wants it."""

    by: str


@dataclass(frozen=True, slots=True)
class Approved:
    """Another person wants it too."""

    by: str


@dataclass(frozen=True, slots=True)
class Declined:
    """A person does not want it."""

    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Expired:
    """Nobody said yes in time."""


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """Somebody wants it undone."""

    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StepDone:
    """The step is done, now or before; `others` are the results of steps that went with it."""

    step: int
    result: StepResult
    others: tuple[StepResult, ...] = ()


@dataclass(frozen=True, slots=True)
class StepFailed:
    """The step will not be done, whatever part of it was, nor of those that went with it: `failed`
    is the one that failed, if it is another."""

    step: int
    message: str
    hint: str = ""
    failed: int | None = None


@dataclass(frozen=True, slots=True)
class StepDelayed:
    """The step, or its undoing, could not be done just now; it is tried again at `until`."""

    step: int
    message: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Compensated:
    """Nothing of the step is left, nor of the others of the `count` that went with it."""

    step: int
    message: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class CompensationFailed:
    """Something of the step is left, and will be until a person has looked."""

    step: int
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Resumed:
    """A person has looked: undo on."""

    by: str


OperationEvent = (
    Begun
    | Confirmed
    | Approved
    | Declined
    | Expired
    | CancelAsked
    | StepDone
    | StepFailed
    | StepDelayed
    | Compensated
    | CompensationFailed
    | Resumed
)
