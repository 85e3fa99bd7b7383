"""An alert: something is wrong, one for each fingerprint until it is resolved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from runyard.model.notice import Severity

AlertId = NewType("AlertId", str)
IncidentId = NewType("IncidentId", str)
SilenceId = NewType("SilenceId", str)
Labels = tuple[tuple[str, str], ...]


class AlertState(StrEnum):
    """Where an alert is. What may follow what is said by `flow.alerting.TRANSITIONS`."""

    PENDING = "pending"  # seen, and not yet for as long as its rule asks for
    FIRING = "firing"  # people are told
    ACKNOWLEDGED = "acknowledged"  # somebody has it
    SILENCED = "silenced"  # nobody is told, by a silence or a window of maintenance
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Observation:
    """What a rule says now of what it watches: that something is wrong (`seen`), or not any more.

    `fingerprint` is what there is one alert for. `group` is what incidents are about: alerts of one
    group are of one incident. `hold_seconds`: how long it must be seen before people are told.
    `but`: a channel that is not told, since it is what is wrong. `reason`: why it is over.
    """

    fingerprint: str
    group: str
    seen: bool
    environment: str
    project: str
    job: str
    rule: str
    severity: Severity
    title: str
    text: str = ""
    run: str = ""
    region: str = ""
    labels: Labels = ()
    runbook: str = ""
    hold_seconds: float = 0.0
    but: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """One row. `seen_count` grows each time that it is seen; `run`, `region` and `text` are of the
    last time. `cleared_at`: since when it is not seen any more. `due_at`: when something happens by
    itself. `flaps`: how often it came back soon after it was resolved. `silence` says which silence
    or maintenance holds it back. `version` grows with every decision."""

    id: AlertId
    fingerprint: str
    group: str
    environment: str
    project: str
    job: str
    rule: str
    state: AlertState
    severity: Severity
    title: str
    text: str
    opened_at: datetime
    last_seen_at: datetime
    seen_count: int = 1
    run: str = ""
    region: str = ""
    labels: Labels = ()
    runbook: str = ""
    but: str = ""
    due_at: datetime | None = None
    cleared_at: datetime | None = None
    resolved_at: datetime | None = None
    reason: str = ""
    silence: str = ""
    flaps: int = 0
    incident: str = ""
    version: int = 1

    @property
    def is_told(self) -> bool:
        """True while it is part of its incident."""
        return self.state in (AlertState.FIRING, AlertState.ACKNOWLEDGED)


# -- what happens to one -------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Seen:
    """What is wrong was seen, or is still."""

    observation: Observation


@dataclass(frozen=True, slots=True)
class Cleared:
    """What was wrong is not any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """It was seen for as long as its rule asks for."""


@dataclass(frozen=True, slots=True)
class Calmed:
    """It stayed away for long enough."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Somebody acknowledged its incident."""

    by: str


@dataclass(frozen=True, slots=True)
class Silenced:
    """Nobody is told of it until an instant; `silence` is why."""

    silence: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Unsilenced:
    """What held it back is over."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Somebody resolved its incident by hand."""

    by: str
    reason: str = ""


AlertEvent = Seen | Cleared | Held | Calmed | Taken | Silenced | Unsilenced | Closed


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody is told of alerts in an environment from an instant until another: of one job, one
    rule, or all (empty). `ended_by`: who ended it before its time."""

    id: SilenceId
    environment: str
    job: str
    rule: str
    begins_at: datetime
    ends_at: datetime
    by: str
    reason: str
    ended_by: str = ""

    @property
    def words(self) -> str:
        """What alerts that it holds back say about it."""
        return f"silenced by {self.by}" + (f": {self.reason}" if self.reason else "")

    def is_open(self, now: datetime) -> bool:
        """True while it holds."""
        return not self.ended_by and self.begins_at <= now < self.ends_at

    def holds(self, job: str, rule: str, now: datetime) -> bool:
        """True when it holds back what is told of a rule of a job, now."""
        fits = self.job in ("", job) and self.rule in ("", rule)
        return fits and self.is_open(now)
