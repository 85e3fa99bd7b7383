"""Absences that are due: it is looked whether it happened after all, and else something is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from runyard.flow.chaining import absent, armed, happened, spec_in
from runyard.flow.lifecycle import Decision
from runyard.flow.request import request
from runyard.flow.schedule.firing import Ask
from runyard.gate.asking import plan_in
from runyard.gate.readiness import job_in
from runyard.model.errors import CallerError
from runyard.model.ids import RunId
from runyard.model.plan import RunRequest
from runyard.model.run import TriggeredBy, TriggerKind
from runyard.model.trigger.absence import AbsenceAct, AbsenceSpec, OfEvent
from runyard.model.trigger.chain import STATES
from runyard.model.trigger.instant import Fate, Instant
from runyard.model.trigger.row import Trigger, TriggerState
from runyard.store.working_set import WorkingSet


@dataclass(frozen=True, slots=True)
class Look:
    """What an absence does: its row after, the runs it asks for or the error that asking is, and
    what people are told; both empty where it only goes on watching."""

    trigger: Trigger
    ask: tuple[Ask, Sequence[Decision] | CallerError] | None = None
    records: tuple[Instant, ...] = ()
    words: str = ""


async def look(work: WorkingSet, row: Trigger, new_id: Callable[[], RunId], now: datetime) -> Look:
    """What an absence that is due does `now`. Its job's runs are asked first: what is told of
    their ends may be on its way still."""
    spec = spec_in(row, AbsenceSpec)
    if isinstance(spec, str):
        return Look(row.evolve(state=TriggerState.BROKEN, next_at=None, reason=spec))
    at = row.next_instant
    if at is None:
        return Look(armed(row, spec, now))
    of = spec.absence.of
    if isinstance(of, OfEvent):  # who listens looks at it (`gate.hearing`)
        return Look(row.evolve(next_at=None))
    last = await work.store.runs.last_ended(
        work.tx,
        (row.project, row.environment, of.job),
        STATES[of.on],
        row.last_instant or row.since,
    )
    if last is not None:
        again = happened(row, spec, *last)
        if again.next_at is not None and again.next_at > now:
            return Look(again)
        row, at = again, again.next_instant or at
    return acted(work, row, spec, at, new_id, now)


def acted(
    work: WorkingSet,
    row: Trigger,
    spec: AbsenceSpec,
    at: datetime,
    new_id: Callable[[], RunId],
    now: datetime,
) -> Look:
    """What an absence does about what has not happened by `at`."""
    after, words = absent(row, spec)
    if spec.act is AbsenceAct.ALERT:
        told = Instant(row.path, at, Fate.ALERT, now, words)
        return Look(after, records=(told,), words=words)
    return Look(after, (Ask(at), _runs(work, row, spec, at, new_id, now)))


def _runs(
    work: WorkingSet,
    row: Trigger,
    spec: AbsenceSpec,
    at: datetime,
    new_id: Callable[[], RunId],
    now: datetime,
) -> Sequence[Decision] | CallerError:
    asking = spec.asking
    asked = RunRequest(
        environment=row.environment,
        job=row.job,
        by=row.path,
        project=row.project,
        region=asking.region or "",
        overrides=asking.overrides(),
        labels=tuple(sorted(asking.labels.items())),
        priority=asking.priority,
        trigger=TriggerKind.ABSENCE,
        triggered_by=TriggeredBy(row.path, at),
    )
    try:
        return request(plan_in(work, job_in(work, row)), asked, new_id, now)
    except CallerError as error:
        return error
