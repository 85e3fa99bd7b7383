"""An incident: what people are told of and deal with. Alerts of one group are of one incident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from runyard.model.alert import AlertId, IncidentId, Labels
from runyard.model.notice import Severity


class IncidentState(StrEnum):
    """Where an incident is. What may follow what is said by `flow.incident.TRANSITIONS`."""

    OPEN = "open"  # nobody has it
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Member:
    """An alert of an incident, as it was when it joined. `is_open`: it has not left."""

    alert: AlertId
    rule: str
    severity: Severity
    title: str
    is_open: bool = True


Queue = tuple[str, tuple[int, ...]]  #: a channel, and the facts that it has still to be told of


@dataclass(frozen=True, slots=True)
class Incident:
    """One row. `severity` is the worst there was. `due_at`: when the next step of the escalation
    is due, `escalated` how many are done. `told`: the channels that know of it. `queues`: what each
    channel has still to be told, in order, as numbers of facts; only the first is on its way.
    `previous`: the incident of this group before. `version` numbers its facts."""

    id: IncidentId
    environment: str
    project: str
    job: str
    group: str
    state: IncidentState
    severity: Severity
    title: str
    opened_at: datetime
    members: tuple[Member, ...] = ()
    labels: Labels = ()
    runbook: str = ""
    but: str = ""
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    assignee: str = ""
    resolved_at: datetime | None = None
    resolved_by: str = ""
    reason: str = ""
    due_at: datetime | None = None
    escalated: int = 0
    told: tuple[str, ...] = ()
    queues: tuple[Queue, ...] = ()
    previous: str = ""
    version: int = 0

    @property
    def is_final(self) -> bool:
        """True when it is over: then only notes are added, and what was on its way is told."""
        return self.state is IncidentState.RESOLVED

    @property
    def seconds_to_acknowledge(self) -> float | None:
        """How long nobody had it; None: nobody ever had."""
        at = self.acknowledged_at
        return None if at is None else (at - self.opened_at).total_seconds()

    @property
    def seconds_to_resolve(self) -> float | None:
        """How long it lasted; None: it is not over."""
        at = self.resolved_at
        return None if at is None else (at - self.opened_at).total_seconds()

    @property
    def is_by_itself(self) -> bool:
        """True when it is over without anybody saying so."""
        return self.is_final and not self.resolved_by

    def next_for(self, channel: str) -> int | None:
        """The number of the fact that is on its way to a channel; None: none is."""
        return next((numbers[0] for name, numbers in self.queues if name == channel), None)


# -- what happens to one: each is a fact of its timeline ------------------------------------------
@dataclass(frozen=True, slots=True)
class Joined:
    """An alert is part of it; the first one opened it. `to`: channels that are told."""

    alert: AlertId
    rule: str
    severity: Severity
    title: str
    text: str
    run: str = ""
    region: str = ""
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """An alert is not part of it any more; with the last one it is over."""

    alert: AlertId
    reason: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Somebody has it: nothing escalates any more."""

    by: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Assigned:
    """It is somebody's to deal with; an empty name: nobody's."""

    by: str
    to: str


@dataclass(frozen=True, slots=True)
class Noted:
    """Somebody wrote something down."""

    by: str
    text: str


class RemedyAction(StrEnum):
    """What people can do about an incident, besides dealing with it elsewhere."""

    REPLAY = "replay"  # runs in place of those that are dead
    ROLLBACK = "rollback"  # an older revision of the job
    PAUSE = "pause"  # its schedules ask for no runs
    RAISE_MEMORY = "raise_memory"  # its tasks get more
    CHANGE_WATCH = "change_watch"  # what it is watched for


@dataclass(frozen=True, slots=True)
class Remedied:
    """Somebody did something about it: `what`, in words. `key` is the idempotency key that it was
    asked for with, if any; `runs`, `replay`, `triggers` and `operation` are what came of it."""

    by: str
    action: RemedyAction
    what: str
    reason: str = ""
    key: str = ""
    runs: tuple[str, ...] = ()
    replay: str = ""
    triggers: tuple[str, ...] = ()
    operation: str = ""


@dataclass(frozen=True, slots=True)
class Escalated:
    """Nobody acknowledged it in time. `step` counts from 1."""

    step: int
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resolved:
    """Somebody says that it is over."""

    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A channel took what fact `number` says."""

    channel: str
    number: int


@dataclass(frozen=True, slots=True)
class NotTold:
    """A channel did not take what fact `number` says, and is not told of it any more."""

    channel: str
    number: int
    error: str


IncidentEvent = (
    Joined
    | Left
    | Acknowledged
    | Assigned
    | Noted
    | Remedied
    | Escalated
    | Resolved
    | Told
    | NotTold
)
EVENTS: dict[str, type] = {
    "joined": Joined,
    "left": Left,
    "acknowledged": Acknowledged,
    "assigned": Assigned,
    "noted": Noted,
    "remedied": Remedied,
    "escalated": Escalated,
    "resolved": Resolved,
    "told": Told,
    "not_told": NotTold,
}
