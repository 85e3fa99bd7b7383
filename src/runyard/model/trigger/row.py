"""A trigger of a job in force: what asks for its runs, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from runyard.model.ids import RunId
from runyard.model.instants import to_micros
from runyard.model.run import TriggerKind

TriggerKey = tuple[str, str, str, str]  #: (project, environment, job, name)


class TriggerState(StrEnum):
    """Where a trigger stands."""

    ENABLED = "enabled"
    PAUSED = "paused"  # by a person, by its manifest, or after failures: until somebody resumes it
    ENDED = "ended"  # it has no instant any more
    BROKEN = "broken"  # it cannot be reckoned here, and why; looked at again when that may change


@dataclass(frozen=True, slots=True)
class Trigger:
    """One row. `document` is what the manifest says of it.

    `since` is when this document came into force: nothing is due before. `next_instant` is the
    next instant of a schedule (None: not reckoned yet, or there is none), `next_at` when the
    engine has to look at it, which jitter makes later. `last_instant` is the last that was decided
    on. `failures` are dead runs in a row.
    `ended` are the runs, each by its job, that a chain which waits for several has seen end since
    it last asked for a run. `said_by`, `said_at` and `reason` tell who put it into a
    state that is not `enabled`, when and why. `version` grows by one with every decision.
    """

    project: str
    environment: str
    job: str
    name: str
    kind: TriggerKind
    document: Mapping[str, Any] = field(compare=False, hash=False)
    since: datetime
    state: TriggerState = TriggerState.ENABLED
    next_at: datetime | None = None
    next_instant: datetime | None = None
    last_instant: datetime | None = None
    failures: int = 0
    ended: tuple[tuple[str, RunId], ...] = ()
    said_by: str = ""
    said_at: datetime | None = None
    reason: str = ""
    version: int = 1

    @property
    def key(self) -> TriggerKey:
        """What it is unique in."""
        return (self.project, self.environment, self.job, self.name)

    @property
    def path(self) -> str:
        """The key as one text, which runs and instants keep."""
        return "/".join(self.key)

    def told_as(self, what: str) -> str:
        """The key of what people are told of this decision. Versions begin anew when a trigger is
        taken out of its manifest and comes back: they alone do not tell it from an old one."""
        return f"{what}/{self.path}/{to_micros(self.since)}/{self.version}"

    def evolve(self, **changes: Any) -> Trigger:
        """The row after a decision: `changes`, and the next version."""
        return replace(self, **{"version": self.version + 1} | changes)
