"""How triggers follow the jobs in force, and what people may do with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runyard.model.errors import Refused
from runyard.model.run import TriggerKind
from runyard.model.trigger.instant import Fate, Instant
from runyard.model.trigger.row import Trigger, TriggerState

#: The kinds that the clock wakes.
CLOCKED = frozenset({TriggerKind.SCHEDULE, TriggerKind.ABSENCE})
MANIFEST = "the manifest"  #: who paused a trigger that its manifest says is not enabled


@dataclass(frozen=True, slots=True)
class Wanted:
    """A trigger as a manifest has it: `document` is all that it says."""

    name: str
    kind: TriggerKind
    document: Mapping[str, Any]
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Followed:
    """What becomes of a job's triggers: rows to keep, rows to drop, instants nobody decided on."""

    puts: tuple[Trigger, ...] = ()
    drops: tuple[Trigger, ...] = ()
    records: tuple[Instant, ...] = ()


def follow(
    job: tuple[str, str, str], wanted: Sequence[Wanted], rows: Sequence[Trigger], now: datetime
) -> Followed:
    """Make the triggers of a job (project, environment, name) those that its manifest has.

    What a manifest does not change goes on as it is; what it changes is reckoned anew from `now`,
    and stays paused if a person paused it.
    """
    known = {row.name: row for row in rows}
    names = {one.name for one in wanted}
    changed = [one for one in wanted if not _is_same(known.get(one.name), one)]
    drops = tuple(row for row in rows if row.name not in names)
    overdue = [known[one.name] for one in changed if one.name in known] + list(drops)
    return Followed(
        puts=tuple(_row(job, one, known.get(one.name), now) for one in changed),
        drops=drops,
        records=tuple(_undecided(row, now) for row in overdue if _is_overdue(row, now)),
    )


def paused(trigger: Trigger, by: str, reason: str, now: datetime) -> Trigger:
    """The trigger after somebody paused it. Raises Refused when it is paused or at its end."""
    if trigger.state in (TriggerState.PAUSED, TriggerState.ENDED):
        raise Refused(f"trigger {trigger.path} is {trigger.state} already")
    return trigger.evolve(
        state=TriggerState.PAUSED, next_at=None, said_by=by, said_at=now, reason=reason
    )


def _is_same(row: Trigger | None, wanted: Wanted) -> bool:
    return row is not None and row.kind is wanted.kind and row.document == wanted.document


def _row(job: tuple[str, str, str], wanted: Wanted, row: Trigger | None, now: datetime) -> Trigger:
    project, environment, name = job
    before = row or Trigger(
        project, environment, name, wanted.name, wanted.kind, wanted.document, now, version=0
    )
    by_person = before.state is TriggerState.PAUSED and before.said_by != MANIFEST
    after = before.evolve(
        kind=wanted.kind,
        document=wanted.document,
        since=now,
        next_instant=None,
        failures=0,
        ended=(),
    )
    if by_person:
        return after
    if not wanted.enabled:
        return after.evolve(
            version=before.version + 1,
            state=TriggerState.PAUSED,
            next_at=None,
            said_by=MANIFEST,
            said_at=now,
            reason="enabled is false",
        )
    return after.evolve(
        version=before.version + 1,
        state=TriggerState.ENABLED,
        next_at=now if wanted.kind in CLOCKED else None,
        said_by="",
        said_at=None,
        reason="",
    )


def _is_overdue(row: Trigger, now: datetime) -> bool:
    return row.next_at is not None and row.next_instant is not None and row.next_at <= now


def _undecided(row: Trigger, now: datetime) -> Instant:
    at = row.next_instant or now
    return Instant(row.path, at, Fate.MISSED, now, "its trigger was changed before its turn came")
