"""Whether a schedule stands as it has to: with a next instant, by what its zone is today. Pure.

An enabled schedule always has a next instant. What was reckoned by data of a zone that has changed
since is put right while it is not due; one whose zone was missing goes on once it is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runyard.flow.freezing import Zones
from runyard.flow.schedule.compiling import compiled
from runyard.flow.schedule.timing import Timing
from runyard.model.run import TriggerKind
from runyard.model.trigger.row import Trigger, TriggerState

ENDED = "it has no instant any more"


@dataclass(frozen=True, slots=True)
class Mending:
    """A trigger as it has to be. `words`: what people are told; empty where nobody has to act."""

    trigger: Trigger
    words: str = ""


def check(row: Trigger, zones: Zones, now: datetime) -> Mending | None:
    """What has to be mended about a trigger; None when it is as it should be."""
    if row.kind is not TriggerKind.SCHEDULE or row.state not in (
        TriggerState.ENABLED,
        TriggerState.BROKEN,
    ):
        return None
    found = compiled(row, zones)
    if isinstance(found, str):
        return _unreckoned(row, found)
    timing = found.schedule.timing
    if row.state is TriggerState.BROKEN:
        return Mending(_reckoned(row, timing))
    if row.next_at is None:
        words = f"{row.path} was enabled and had no next instant; it was reckoned anew"
        return Mending(_reckoned(row, timing), words)
    if row.next_instant is None or row.next_at <= now:
        return None  # it is due: firing reckons it
    after = _reckoned(row, timing)
    return None if _when(after) == _when(row) else Mending(after)


def overdue(row: Trigger, zones: Zones, now: datetime) -> Mending | None:
    """What becomes of a trigger that stayed due though it was looked for; None when it is not due.

    Its instant stays: what is made up for is decided by its own policies. Nobody has to act on one
    that is in a blackout: it would have been skipped.
    """
    if row.state is not TriggerState.ENABLED or row.next_at is None or row.next_at > now:
        return None
    words = f"{row.path} was due at {row.next_at:%Y-%m-%d %H:%M:%S} UTC and was not looked at"
    return Mending(row.evolve(next_at=now), "" if _is_blacked_out(row, zones) else words)


def _is_blacked_out(row: Trigger, zones: Zones) -> bool:
    found = compiled(row, zones) if row.kind is TriggerKind.SCHEDULE else ""
    at = row.next_instant
    if isinstance(found, str) or at is None:
        return False
    return any(one.begin <= at < one.until for one in found.schedule.blackouts)


def _unreckoned(row: Trigger, why: str) -> Mending | None:
    """One that is enabled and cannot be reckoned any more is broken when it is due, not before."""
    if row.state is TriggerState.BROKEN or row.next_at is not None:
        return None
    words = f"{row.path} was enabled, and cannot be reckoned: {why}"
    return Mending(row.evolve(state=TriggerState.BROKEN, reason=why), words)


def _reckoned(row: Trigger, timing: Timing) -> Trigger:
    """The trigger with the first instant that was not decided on."""
    upcoming = timing.next_after(max(row.since, row.last_instant or row.since))
    if upcoming is None:
        return row.evolve(state=TriggerState.ENDED, next_instant=None, next_at=None, reason=ENDED)
    return row.evolve(
        state=TriggerState.ENABLED,
        next_instant=upcoming,
        next_at=timing.due_at(upcoming),
        reason="",
    )


def _when(row: Trigger) -> tuple[datetime | None, datetime | None]:
    return row.next_instant, row.next_at
