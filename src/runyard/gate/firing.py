"""Commands that have triggers do what they are due for, and that people tell triggers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from runyard.flow.freezing import Zones
from runyard.flow.lifecycle import Decision
from runyard.flow.request import request
from runyard.flow.schedule.compiling import Compiled, compiled
from runyard.flow.schedule.firing import Ask, Firing, LiveRun, fire, fire_now, skip_paused
from runyard.flow.triggering import CLOCKED, paused
from runyard.gate.absence import Look, look
from runyard.gate.asking import plan_in
from runyard.gate.deciding import tell_in
from runyard.gate.readiness import job_in
from runyard.model.audit import HERE, AuditEntry, Origin
from runyard.model.errors import CallerError, IllegalTransition, NotFound, Refused
from runyard.model.event import CancelRequested, Due, Skipped
from runyard.model.ids import RunId
from runyard.model.plan import RunRequest
from runyard.model.run import Run, State, TriggeredBy, TriggerKind
from runyard.model.trigger.instant import Fate, Instant
from runyard.model.trigger.row import Trigger, TriggerKey, TriggerState
from runyard.store.working_set import Needs, WorkingSet

BACKFILL = "backfill/"  #: how the slot of a backfill begins: its runs are no schedule's overlap


@dataclass(slots=True)
class Plan:
    """What one trigger is to do, decided on the rows as they were loaded. `runs` are the runs of
    each ask, or the error that asking for them is. `words` are for people, who are told."""

    row: Trigger
    firing: Firing
    runs: list[tuple[Ask, Sequence[Decision] | CallerError]] = field(default_factory=list)
    words: str = ""


@dataclass(slots=True)
class FireDue:
    """Have the triggers whose instant has come do what they do. The answer is how many had."""

    now: datetime
    new_id: Callable[[], RunId]
    zones: Zones
    limit: int = 200
    plans: list[Plan] = field(default_factory=list)

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        due = [
            work.triggers.rows[key] for key in await work.triggers.load_due(self.now, self.limit)
        ]
        rows = [row for row in due if row.next_at is not None and row.next_at <= self.now]
        await work.load_jobs((row.environment, row.job) for row in rows)
        live = await live_runs(work, [row.path for row in rows])
        self.plans = [await self._plan(work, row, live.get(row.path, ())) for row in rows]
        await work.load_facts(
            decision.run
            for plan in self.plans
            for _, runs in plan.runs
            if not isinstance(runs, CallerError)
            for decision in runs
        )

    async def _plan(self, work: WorkingSet, row: Trigger, live: Sequence[LiveRun]) -> Plan:
        if row.kind is TriggerKind.ABSENCE:
            seen = await look(work, row, self.new_id, self.now)
            return plan_of_look(row, seen)
        schedule = compiled(row, self.zones)
        if isinstance(schedule, str):
            broken = row.evolve(state=TriggerState.BROKEN, next_at=None, reason=schedule)
            return Plan(row, Firing(broken))
        firing = fire(row, schedule.schedule, live, self.now)
        plan = Plan(row, firing)
        for ask in firing.asks:
            plan.runs.append((ask, asked_runs(work, row, schedule, ask, self.new_id, self.now)))
        return plan

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""
        for plan in self._standing(work):
            give_way(work, plan.firing, plan.row, self.now)

    def act(self, work: WorkingSet) -> int:
        """See `Command.act`."""
        for plan in self._standing(work):
            carry_out(work, plan, self.now)
        return len(self.plans)

    def _standing(self, work: WorkingSet) -> list[Plan]:
        """Those whose trigger is still as it was loaded: not paused, fired or changed by another
        command of this batch."""
        rows = work.triggers.rows
        return [plan for plan in self.plans if rows.get(plan.row.key) is plan.row]


def plan_of_look(row: Trigger, seen: Look) -> Plan:
    """What an absence is to do."""
    runs = [seen.ask] if seen.ask is not None else []
    return Plan(row, Firing(seen.trigger, records=seen.records), runs, seen.words)


def carry_out(work: WorkingSet, plan: Plan, now: datetime) -> None:
    """Do what one trigger is to do."""
    work.triggers.put(plan.firing.trigger)
    work.triggers.record(plan.firing.records)
    for ask, runs in plan.runs:
        work.triggers.record([begin(work, plan.row, ask, runs, now)])
    if plan.words:
        row, title = plan.firing.trigger, f"{plan.row.job}: {plan.row.name}"
        work.announce(row.told_as("absent"), title, plan.words, now)


async def live_runs(work: WorkingSet, triggers: Sequence[str]) -> dict[str, list[LiveRun]]:
    """The runs of triggers (their paths) that have not ended, oldest first; backfills aside."""
    found: dict[str, list[LiveRun]] = {}
    if not triggers:
        return found
    ids = await work.store.runs.live_of_triggers(work.tx, triggers)
    await work.load_runs(ids)
    for run in (work.runs[each] for each in ids):
        by = run.triggered_by
        if by is not None and not by.slot.startswith(BACKFILL):
            found.setdefault(by.trigger, []).append(LiveRun(run.id, _is_waiting(run)))
    return found


def _is_waiting(run: Run) -> bool:
    return run.state is State.QUEUED


def asked_runs(
    work: WorkingSet,
    row: Trigger,
    compiled: Compiled,
    ask: Ask,
    new_id: Callable[[], RunId],
    now: datetime,
) -> Sequence[Decision] | CallerError:
    """The runs that an ask of a trigger becomes; the error, where it cannot become any."""
    by = TriggeredBy(row.path, ask.instant, ask.start_by, compiled.slot(row), compiled.slot_limit)
    asked = RunRequest(
        environment=row.environment,
        job=row.job,
        by=row.path,
        project=row.project,
        region=compiled.region,
        overrides=compiled.overrides_at(ask.instant),
        labels=compiled.labels,
        priority=compiled.priority,
        trigger=row.kind,
        triggered_by=by,
    )
    try:
        return request(plan_in(work, job_in(work, row)), asked, new_id, now)
    except CallerError as error:
        return error


def begin(
    work: WorkingSet,
    row: Trigger,
    ask: Ask,
    runs: Sequence[Decision] | CallerError,
    now: datetime,
    origin: str = "",
) -> Instant:
    """Begin the runs of an ask; what became of its instant."""
    if isinstance(runs, CallerError):
        return Instant(row.path, ask.instant, Fate.REFUSED, now, runs.message, origin=origin)
    for decision in runs:
        work.apply(decision, now, new=True)
    for decision in runs:
        tell_in(work, decision.run.id, Due(), now)
    ids = tuple(decision.run.id for decision in runs)
    return Instant(row.path, ask.instant, Fate.RUN, now, runs=ids, origin=origin)


def give_way(work: WorkingSet, firing: Firing, row: Trigger, now: datetime) -> None:
    """End the runs that a firing replaces, and keep those from starting that have not."""
    reason = "a newer instant took its place"
    for run in firing.supersedes:
        _tell(work, run, Skipped(reason), now)
    for run in firing.cancels:
        _tell(work, run, CancelRequested(by=row.path, reason=reason), now)


def _tell(work: WorkingSet, run: RunId, event: Skipped | CancelRequested, now: datetime) -> None:
    try:
        tell_in(work, run, event, now)
    except IllegalTransition:
        return  # it ended, or is being stopped already: it is out of the way


@dataclass(slots=True)
class OfOne:
    """A command about one trigger, which `key` says."""

    key: TriggerKey
    by: str
    now: datetime
    origin: Origin = HERE

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.triggers.load_jobs([(self.key[1], self.key[2])])

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def _row(self, work: WorkingSet) -> Trigger:
        row = work.triggers.rows.get(self.key)
        if row is None:
            raise NotFound(
                f"there is no trigger {'/'.join(self.key)}",
                hint="`runyard triggers list` lists them",
            )
        return row


@dataclass(slots=True)
class PauseTrigger(OfOne):
    """Keep a trigger from asking for runs until it is resumed. The answer is its row.

    Raises NotFound, or Refused when it is paused or has ended.
    """

    reason: str = ""

    def act(self, work: WorkingSet) -> Trigger:
        """See `Command.act`."""
        row = paused(self._row(work), self.by, self.reason, self.now)
        work.triggers.put(row)
        audit(work, row, "pause", self.by, self.now, self.origin)
        return row


@dataclass(slots=True)
class ResumeTrigger(OfOne):
    """Have a paused trigger ask for runs again, from now on. The answer is its row.

    What came while it was paused is recorded as such. Raises NotFound, or Refused when it is not
    paused.
    """

    zones: Zones | None = None

    def act(self, work: WorkingSet) -> Trigger:
        """See `Command.act`."""
        row = self._row(work)
        if row.state is not TriggerState.PAUSED:
            raise Refused(f"trigger {row.path} is {row.state}, not paused")
        schedule: Compiled | str = ""
        if row.kind is TriggerKind.SCHEDULE and self.zones is not None:
            schedule = compiled(row, self.zones)
        if isinstance(schedule, str):
            is_clocked = row.kind in CLOCKED
            after = row.evolve(
                state=TriggerState.ENABLED,
                next_at=self.now if is_clocked else None,
                next_instant=row.next_instant if row.kind is TriggerKind.SCHEDULE else None,
                failures=0,
                said_by="",
                said_at=None,
                reason="",
            )
        else:
            firing = skip_paused(row, schedule.schedule.timing, self.now)
            work.triggers.record(firing.records)
            after = replace(firing.trigger, failures=0)
        work.triggers.put(after)
        audit(work, after, "resume", self.by, self.now, self.origin)
        return after


@dataclass(slots=True)
class FireNow(OfOne):
    """Have a schedule ask for a run now, whatever its timetable. The answer is what became of it.

    Its overlap policy holds; it may be paused. Raises NotFound, and Refused where a run of it is
    still going and its policy is to skip, or where the job cannot be asked for.
    """

    new_id: Callable[[], RunId] = lambda: RunId("")
    zones: Zones | None = None
    firing: Firing | None = None
    row: Trigger | None = None
    runs: Sequence[Decision] | CallerError = ()

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.triggers.load_jobs([(self.key[1], self.key[2])])
        self.row, self.firing, self.runs = work.triggers.rows.get(self.key), None, ()
        if self.row is None:
            return
        if self.row.kind is not TriggerKind.SCHEDULE:
            hint = f"ask for the job alone: `runyard run {self.row.job}`"
            self.runs = Refused(f"trigger {self.row.path} is no schedule", hint=hint)
            return
        await work.load_jobs([(self.row.environment, self.row.job)])
        live = (await live_runs(work, [self.row.path])).get(self.row.path, ())
        schedule = compiled(self.row, self.zones) if self.zones is not None else "no zones"
        if isinstance(schedule, str):
            self.runs = Refused(f"trigger {self.row.path} is not ready: {schedule}")
            return
        self.firing = fire_now(self.row, schedule.schedule, live, self.now)
        for ask in self.firing.asks:
            self.runs = asked_runs(work, self.row, schedule, ask, self.new_id, self.now)
        if not isinstance(self.runs, CallerError):
            await work.load_facts(decision.run for decision in self.runs)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""
        if self.firing is not None and self.row is not None:
            give_way(work, self.firing, self.row, self.now)

    def act(self, work: WorkingSet) -> Instant:
        """See `Command.act`."""
        row = self._row(work)
        if isinstance(self.runs, CallerError):
            raise self.runs
        for record in self.firing.records if self.firing is not None else ():
            raise Refused(
                f"trigger {row.path} does not overlap with itself: {record.reason}",
                hint=f"wait for it, or ask for the job alone: `runyard run {row.job}`",
            )
        ask = Ask(self.now)
        done = begin(work, row, ask, self.runs, self.now, origin=f"by hand of {self.by}")
        work.triggers.record([done])
        return done


def audit(
    work: WorkingSet, row: Trigger, verb: str, by: str, now: datetime, origin: Origin = HERE
) -> None:
    """Have the audit log keep what was done to a trigger, and by whom."""
    work.record(
        AuditEntry(
            now,
            by,
            f"trigger.{verb}",
            f"trigger/{row.path}",
            row.environment,
            after={"state": row.state},
            reason=row.reason,
            origin=origin,
        )
    )
