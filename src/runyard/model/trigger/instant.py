"""What became of a trigger's instants: runs, or a reason why not. Nothing is left out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from runyard.model.ids import RunId


class Fate(StrEnum):
    """What became of an instant."""

    RUN = "run"  # runs were asked for
    ALERT = "alert"  # people were told
    OVERLAP = "overlap"  # an earlier run was still going
    SUPERSEDED = "superseded"  # a newer instant took its place
    MISSED = "missed"  # nobody was there at the time, and the catch-up does not reach it
    LATE = "late"  # its start-by had passed
    BLACKOUT = "blackout"
    PAUSED = "paused"
    UNMATCHED = "unmatched"  # what ended did not end as the chain wants it
    WAITING = "waiting"  # other jobs that the chain waits for have not ended yet
    REFUSED = "refused"  # the job could not be asked for


SCHEDULE = ""  #: the origin of an instant that came by the clock


@dataclass(frozen=True, slots=True)
class Instant:
    """An instant of a trigger, or `count` of them up to `last_at` that share a fate and a reason.

    `origin` tells what looked at it: the clock (empty), a backfill, a person; of a chain it is the
    run that ended at the instant. The same instant is decided on once for each origin.
    """

    trigger: str
    at: datetime
    fate: Fate
    decided_at: datetime
    reason: str = ""
    runs: tuple[RunId, ...] = ()
    origin: str = SCHEDULE
    last_at: datetime | None = None
    count: int = 1

    @property
    def end(self) -> datetime:
        """The last instant it speaks of."""
        return self.last_at or self.at


@dataclass(frozen=True, slots=True)
class Unrun:
    """So many instants that became no run, as rules look at them."""

    fate: Fate
    count: int
    decided_at: datetime
