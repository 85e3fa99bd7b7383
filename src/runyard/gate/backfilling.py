"""Commands that ask for runs of a schedule's past instants, and that end such runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from runyard.flow.freezing import Zones
from runyard.flow.lifecycle import Decision
from runyard.flow.schedule.backfilling import Backfill, backfill, schedule_of
from runyard.flow.schedule.firing import Ask
from runyard.flow.schedule.instants import EPOCH
from runyard.gate.deciding import tell_in
from runyard.gate.firing import BACKFILL, OfOne, asked_runs, audit, begin
from runyard.model.errors import CallerError, IllegalTransition, NotFound
from runyard.model.event import CancelRequested
from runyard.model.ids import RunId
from runyard.model.trigger.instant import Instant
from runyard.model.trigger.row import Trigger
from runyard.store.working_set import WorkingSet

LABEL = "backfill"  #: of the runs of a backfill; its value is the backfill's id


@dataclass(frozen=True, slots=True)
class Filled:
    """What a backfill did. `there`: instants that had a run before, and got none."""

    id: str
    instants: tuple[Instant, ...]
    there: tuple[datetime, ...]


def _nowhere(name: str) -> tzinfo:
    raise KeyError(name)


@dataclass(slots=True)
class FillBack(OfOne):
    """Ask for runs of a schedule's past instants, at most `parallelism` of them at once.

    Asked again it asks for nothing that has a run, unless `again`. The answer is `Filled`. Raises
    NotFound, InvalidSpec (the range) and Refused (no schedule, or the job cannot be asked for).
    """

    id: str = ""
    since: datetime = EPOCH
    until: datetime = EPOCH
    parallelism: int = 1
    again: bool = False
    new_id: Callable[[], RunId] = lambda: RunId("")
    zones: Zones = _nowhere
    plan: Backfill | CallerError | None = None
    runs: list[tuple[Ask, Sequence[Decision]]] = field(default_factory=list)

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.triggers.load_jobs([(self.key[1], self.key[2])])
        row = work.triggers.rows.get(self.key)
        self.plan, self.runs = None, []
        if row is None:
            return
        await work.load_jobs([(row.environment, row.job)])
        had = await work.store.triggers.instants_with_runs(
            work.tx, row.path, self.since, self.until
        )
        try:
            self.plan = self._plan(work, row, had)
        except CallerError as error:
            self.plan, self.runs = error, []
        await work.load_facts(decision.run for _, runs in self.runs for decision in runs)

    def _plan(self, work: WorkingSet, row: Trigger, had: set[datetime]) -> Backfill:
        schedule = schedule_of(row, self.zones)
        plan = backfill(
            schedule.schedule.timing, self.since, self.until, had, self.now, again=self.again
        )
        held = schedule.held_back(f"{BACKFILL}{self.id}", self.parallelism, {LABEL: self.id})
        for ask in plan.asks:
            runs = asked_runs(work, row, held, ask, self.new_id, self.now)
            if isinstance(runs, CallerError):
                raise runs
            self.runs.append((ask, runs))
        return plan

    def act(self, work: WorkingSet) -> Filled:
        """See `Command.act`."""
        row = self._row(work)
        if isinstance(self.plan, CallerError):
            raise self.plan
        there = self.plan.there if self.plan is not None else ()
        origin = f"backfill {self.id} of {self.by}"
        done = [begin(work, row, ask, runs, self.now, origin) for ask, runs in self.runs]
        work.triggers.record(done)
        if done:
            audit(work, row, "backfill", self.by, self.now, self.origin)
        return Filled(self.id, tuple(done), there)


@dataclass(slots=True)
class CancelBackfill(OfOne):
    """End what is left of a backfill. The answer is how many runs that were."""

    id: str = ""
    ids: tuple[RunId, ...] = ()

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.triggers.load_jobs([(self.key[1], self.key[2])])
        self.ids = ()
        if self.key not in work.triggers.rows:
            return  # who is told that there is no such trigger has ended nothing
        path = "/".join(self.key)
        ids = await work.store.runs.live_of_triggers(work.tx, [path])
        await work.load_runs(ids)
        self.ids = tuple(each for each in ids if self._is_mine(work, each))

    def _is_mine(self, work: WorkingSet, run: RunId) -> bool:
        by = work.runs[run].triggered_by
        slot = f"{BACKFILL}{self.id}"
        return by is not None and (by.slot == slot or by.slot.startswith(f"{slot}/"))

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`. Room is given on when all of them are told: none that waits gets
        that of another."""
        for run in self.ids:
            try:
                tell_in(work, run, CancelRequested(self.by, f"backfill {self.id}"), self.now)
            except (IllegalTransition, NotFound):
                continue  # it ended, or is being stopped, by an earlier command of this batch

    def act(self, work: WorkingSet) -> int:
        """See `Command.act`."""
        self._row(work)
        return len(self.ids)
