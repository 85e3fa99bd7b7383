"""The command that tells triggers of the end of a run that they follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from runyard.flow.chaining import Step, chain, counted, happened, overrides, spec_in
from runyard.flow.lifecycle import Decision
from runyard.flow.request import request
from runyard.gate.asking import plan_in
from runyard.gate.deciding import tell_in
from runyard.gate.delivering import words_of
from runyard.gate.firing import audit
from runyard.gate.readiness import job_in
from runyard.model.effect import Follow, Pending
from runyard.model.errors import CallerError
from runyard.model.event import Due
from runyard.model.ids import RunId
from runyard.model.plan import RunRequest
from runyard.model.run import Overrides, Run, TriggeredBy, TriggerKind
from runyard.model.trigger.absence import AbsenceSpec
from runyard.model.trigger.chain import ChainSpec
from runyard.model.trigger.instant import Fate, Instant
from runyard.model.trigger.row import Trigger, TriggerKey
from runyard.model.trigger.schedule import ScheduleSpec
from runyard.store.working_set import Needs, WorkingSet


@dataclass(slots=True)
class FollowUp:
    """Have the triggers that follow a run do what its end is to them, once: the effect that wants
    it leaves the outbox with what they do. The answer is how many were told."""

    pending: Pending
    now: datetime
    new_id: Callable[[], RunId]
    keys: Sequence[TriggerKey] = field(default=(), init=False)

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""
        needs.runs.append(self.pending.run)

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        self.keys = ()
        effect = self.pending.effect
        is_open = await work.store.outbox.holds(work.tx, self.pending.id)
        if not isinstance(effect, Follow) or not is_open:
            return  # it was done by somebody whose claim had run out
        self.keys = [_key_of(path) for path in effect.triggers]
        jobs = [(environment, job) for _, environment, job, _ in self.keys]
        await work.triggers.load_jobs(jobs)
        await work.load_jobs(jobs)
        rows = [row for key in self.keys if (row := work.triggers.rows.get(key)) is not None]
        await work.load_runs(run for row in rows for _, run in row.ended)
        await work.load_facts(run for row in rows for run in self._likely(work, row))

    def _likely(self, work: WorkingSet, row: Trigger) -> list[Run]:
        """Runs as a chain will ask for them, if it does, so that their slots are loaded."""
        if row.kind is not TriggerKind.CHAIN:
            return []
        spec = spec_in(row, ChainSpec)
        if isinstance(spec, str):
            return []
        try:
            asked = self._asked(row, spec, self.now, [self.pending.run], Overrides())
            made = request(plan_in(work, job_in(work, row)), asked, self.new_id, self.now)
        except CallerError:
            return []
        return [one.run for one in made]

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> int:
        """See `Command.act`."""
        if work.is_settled(self.pending.id):
            return 0
        work.settle(self.pending.id)
        run = work.runs.get(self.pending.run)
        rows = [row for key in self.keys if (row := work.triggers.rows.get(key)) is not None]
        for row in rows if run is not None and run.is_final else ():
            self._tell(work, row, work.runs[self.pending.run])
        return len(rows)

    def _tell(self, work: WorkingSet, row: Trigger, run: Run) -> None:
        match row.kind:
            case TriggerKind.CHAIN:
                self._chain(work, row, run)
            case TriggerKind.ABSENCE:
                watch = spec_in(row, AbsenceSpec)
                if isinstance(watch, AbsenceSpec) and run.job in watch.absence.of.jobs:
                    _put(work, row, happened(row, watch, run.state, run.ended_at or self.now))
            case _:
                schedule = spec_in(row, ScheduleSpec)
                if isinstance(schedule, ScheduleSpec):
                    self._count(work, row, counted(row, schedule, run, self.now))

    def _count(self, work: WorkingSet, row: Trigger, after: Trigger) -> None:
        _put(work, row, after)
        if after.state is not row.state:
            audit(work, after, "pause", row.path, self.now)

    def _chain(self, work: WorkingSet, row: Trigger, run: Run) -> None:
        spec = spec_in(row, ChainSpec)
        if isinstance(spec, str):
            step = Step(row, record=self._refused(row, run, spec))
        else:
            step = chain(row, spec, run, self.now)
        _put(work, row, step.trigger)
        if step.record is not None:
            work.triggers.record([step.record])
        elif isinstance(spec, ChainSpec):
            work.triggers.record([self._fire(work, row, spec, run, step.follows)])

    def _fire(
        self, work: WorkingSet, row: Trigger, spec: ChainSpec, run: Run, follows: Sequence[RunId]
    ) -> Instant:
        """The run that a chain asks for; what became of the end that it follows."""
        try:
            runs = [work.runs[each] for each in follows if each in work.runs]
            asked = self._asked(row, spec, run.ended_at, follows, overrides(spec, runs))
            made = request(plan_in(work, job_in(work, row)), asked, self.new_id, self.now)
        except CallerError as error:
            return self._refused(row, run, words_of(error))
        ids = begin_all(work, made, self.now)
        return Instant(
            row.path, run.ended_at or self.now, Fate.RUN, self.now, runs=ids, origin=run.id
        )

    def _refused(self, row: Trigger, run: Run, reason: str) -> Instant:
        at = run.ended_at or self.now
        return Instant(row.path, at, Fate.REFUSED, self.now, reason, origin=run.id)

    def _asked(
        self,
        row: Trigger,
        spec: ChainSpec,
        at: datetime | None,
        follows: Sequence[RunId],
        over: Overrides,
    ) -> RunRequest:
        asking = spec.asking
        return RunRequest(
            environment=row.environment,
            job=row.job,
            by=row.path,
            project=row.project,
            region=asking.region or "",
            overrides=over,
            labels=tuple(sorted(asking.labels.items())),
            priority=asking.priority,
            trigger=TriggerKind.CHAIN,
            triggered_by=TriggeredBy(row.path, at, after=tuple(follows)),
        )


def begin_all(work: WorkingSet, made: Sequence[Decision], now: datetime) -> tuple[RunId, ...]:
    """Begin runs that were asked for; their ids."""
    for decision in made:
        work.apply(decision, now, new=True)
    for decision in made:
        tell_in(work, decision.run.id, Due(), now)
    return tuple(decision.run.id for decision in made)


def _put(work: WorkingSet, before: Trigger, after: Trigger) -> None:
    if after is not before:
        work.triggers.put(after)


def _key_of(path: str) -> TriggerKey:
    project, environment, job, name = path.split("/")
    return project, environment, job, name
