"""What the end of a run is to the triggers that follow it: chains, absences, schedules. Pure.

Each is told of each end once (`gate.chaining`), and what it makes of it is kept: a run, or the
reason why there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import orjson

from runyard.flow.mapping import mapped
from runyard.model.ids import RunId
from runyard.model.run import Overrides, Run, State
from runyard.model.strict import Strict
from runyard.model.trigger.absence import AbsenceSpec, OfEvent
from runyard.model.trigger.chain import STATES, AfterAll, ChainSpec
from runyard.model.trigger.instant import Fate, Instant
from runyard.model.trigger.pointing import ATTRIBUTES, BODY, Told
from runyard.model.trigger.row import Trigger, TriggerState
from runyard.model.trigger.schedule import ScheduleSpec
from runyard.model.trigger.spec import TriggerSpec
from runyard.model.validation import read

AFTER_VARIABLE = "RUNYARD_AFTER"  #: what a task finds the runs in that its own follows, as JSON
S = TypeVar("S", bound=Strict)


@dataclass(frozen=True, slots=True)
class Step:
    """What a chain makes of the end of a run. `follows`: the runs that its own run comes after;
    empty where it asks for none, and `record` then says why."""

    trigger: Trigger
    follows: tuple[RunId, ...] = ()
    record: Instant | None = None


def sources_of(spec: TriggerSpec, job: str) -> tuple[str, ...]:
    """The jobs whose runs a trigger of `job` has to be told of when they end."""
    if isinstance(spec, ChainSpec):
        return spec.after.jobs
    if isinstance(spec, AbsenceSpec):
        return spec.absence.of.jobs
    return (job,) if isinstance(spec, ScheduleSpec) and spec.pause_on_failures else ()


def spec_in(row: Trigger, kind: type[S]) -> S | str:
    """What a trigger's row says; in words, why this version does not understand it."""
    spec, complaints = read(kind, row.document)
    if spec is None:
        return f"this version does not understand it: expected {complaints[0].expected}"
    return spec


def chain(row: Trigger, spec: ChainSpec, run: Run, now: datetime) -> Step:
    """What a chain does when a run of one of its jobs has ended."""
    if run.job not in spec.after.jobs:
        return _none(row, run, Fate.MISSED, "its trigger was changed before its turn came", now)
    if row.state is not TriggerState.ENABLED:
        by = f"{row.state} by {row.said_by}" + (f": {row.reason}" if row.reason else "")
        return _none(row, run, Fate.PAUSED, by, now)
    if run.state not in STATES[spec.after.on]:
        words = f"{run.job} ended as {run.state}, not as {spec.after.on}"
        return _none(row, run, Fate.UNMATCHED, words, now)
    if not isinstance(spec.after, AfterAll):
        return Step(row.evolve(last_instant=run.ended_at), (run.id,))
    ended = dict(row.ended) | {run.job: run.id}
    missing = [job for job in spec.after.jobs if job not in ended]
    if missing:
        kept = row.evolve(ended=tuple(sorted(ended.items())))
        return _none(kept, run, Fate.WAITING, f"{', '.join(missing)} did not end so yet", now)
    follows = tuple(ended[job] for job in spec.after.jobs)
    return Step(row.evolve(last_instant=run.ended_at, ended=()), follows)


def _none(row: Trigger, run: Run, fate: Fate, reason: str, now: datetime) -> Step:
    return Step(
        row, record=Instant(row.path, run.ended_at or now, fate, now, reason, origin=run.id)
    )


def overrides(spec: ChainSpec, runs: Sequence[Run]) -> Overrides:
    """What differs in the run that follows `runs`. Raises InvalidSpec when they have not written
    what the chain's map takes over."""
    names = [{"job": run.job, "run": run.id, "state": run.state} for run in runs]
    over = spec.asking.overrides()
    env = dict(over.env) | {AFTER_VARIABLE: orjson.dumps(names).decode()}
    return mapped(spec.map, _told(spec, runs), replace(over, env=tuple(sorted(env.items()))))


def _told(spec: ChainSpec, runs: Sequence[Run]) -> Told:
    bodies = {run.job: output_of(run) for run in runs}
    names = {run.job: {"job": run.job, "run": run.id, "state": run.state.value} for run in runs}
    if isinstance(spec.after, AfterAll):
        return {BODY: bodies, ATTRIBUTES: names}
    return {BODY: bodies[runs[0].job], ATTRIBUTES: names[runs[0].job]}


def output_of(run: Run) -> Any:
    """What a run wrote as its output; None where it wrote nothing."""
    text = run.outcome.output if run.outcome is not None else ""
    return orjson.loads(text) if text else None


def counted(row: Trigger, spec: ScheduleSpec, run: Run, now: datetime) -> Trigger:
    """A schedule after one of its own runs has ended: dead ones in a row pause it."""
    if run.state is State.SUCCEEDED:
        return row.evolve(failures=0) if row.failures else row
    if run.state is not State.DEAD:
        return row
    after = row.evolve(failures=row.failures + 1)
    limit = spec.pause_on_failures
    if limit is None or after.failures < limit or row.state is not TriggerState.ENABLED:
        return after
    in_a_row = f"{after.failures} dead runs in a row" if after.failures > 1 else "a dead run"
    reason = f"{in_a_row}, the last is {run.id}: {run.reason}"
    return replace(
        after,
        state=TriggerState.PAUSED,
        next_at=None,
        said_by=row.path,
        said_at=now,
        reason=reason,
    )


def happened(row: Trigger, spec: AbsenceSpec, state: State, at: datetime) -> Trigger:
    """An absence after a run of its job ended at `at`: it watches from there on."""
    of = spec.absence.of
    if isinstance(of, OfEvent) or state not in STATES[of.on]:
        return row
    if row.last_instant is not None and at <= row.last_instant:
        return row
    due = at + timedelta(seconds=spec.within_seconds)
    is_on = row.state is TriggerState.ENABLED
    return row.evolve(last_instant=at, next_instant=due, next_at=due if is_on else None)


def heard(row: Trigger, spec: AbsenceSpec, at: datetime) -> Trigger:
    """An absence after a message that it waits for was published at `at`. One that was resumed
    since then watches no shorter than from there on: while the clock has still to say from when,
    that is left to it."""
    if row.last_instant is not None and at <= row.last_instant:
        return row
    if row.next_at is not None and row.next_instant is None:
        return row.evolve(last_instant=at)
    due = at + timedelta(seconds=spec.within_seconds)
    return row.evolve(last_instant=at, next_instant=max(due, row.next_instant or due), next_at=None)


def armed(row: Trigger, spec: AbsenceSpec, now: datetime) -> Trigger:
    """An absence that has just come into force or was resumed: it watches from now on, or from what
    has happened since. Where it waits for an event, who listens to the topic looks at it, and not
    the clock alone."""
    due = max(now, row.last_instant or now) + timedelta(seconds=spec.within_seconds)
    is_clocked = not isinstance(spec.absence.of, OfEvent)
    return row.evolve(next_instant=due, next_at=due if is_clocked else None)


def absent(row: Trigger, spec: AbsenceSpec) -> tuple[Trigger, str]:
    """An absence that is due: it rests until it happens again. And what is absent, in words."""
    of, last = spec.absence.of, row.last_instant
    since = f"since {last:%Y-%m-%d %H:%M:%S} UTC" if last is not None else "since it was asked for"
    if isinstance(of, OfEvent):
        what = f"no message of {of.event.topic} that fits came"
    else:
        what = f"no run of {of.job} ended" + ("" if of.on == "any" else f" as {of.on}")
    words = f"{what} within {spec.absence.within}, {since}"
    return row.evolve(next_at=None, next_instant=None), words
