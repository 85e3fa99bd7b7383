"""Commands that tell runs what happened, and that settle effects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from runyard.gate.deciding import tell_in
from runyard.model.effect import Pending
from runyard.model.errors import CallerError, IllegalTransition, NotFound
from runyard.model.event import DeadlinePassed, Due, Event
from runyard.model.ids import EffectId, RunId
from runyard.model.run import Run
from runyard.store.working_set import Needs, WorkingSet

BUDGETS_KEPT = timedelta(days=2)  #: twice the longest stretch that a budget of retries may have


@dataclass(slots=True)
class Tell:
    """An event for a run, from the provider, a person or another run."""

    run: RunId
    event: Event
    now: datetime
    settles: EffectId | None = None
    answer: Run | CallerError | None = None

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""
        needs.runs.append(self.run)

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""
        if self.settles is not None:
            work.settle(self.settles)
        try:
            self.answer = tell_in(work, self.run, self.event, self.now)
        except (NotFound, IllegalTransition) as error:
            self.answer = error

    def act(self, work: WorkingSet) -> Run:
        """See `Command.act`."""
        if isinstance(self.answer, CallerError):
            raise self.answer
        return work.runs[self.run]


@dataclass(slots=True)
class StartDue:
    """Start what is due, best rank first; the answer is how many were due."""

    now: datetime
    limit: int = 200
    ids: tuple[RunId, ...] = ()

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        self.ids = tuple(await work.store.runs.due(work.tx, self.now, self.limit))
        await work.load_runs(self.ids)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> int:
        """See `Command.act`."""
        for run_id in self.ids:
            due_at = work.runs[run_id].due_at
            if due_at is not None and due_at <= self.now:
                tell_in(work, run_id, Due(), self.now)
        return len(self.ids)


@dataclass(slots=True)
class PassDeadlines:
    """Tell runs that their deadline has passed; the answer is how many."""

    now: datetime
    limit: int = 200
    ids: tuple[RunId, ...] = ()

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        self.ids = tuple(await work.store.runs.past_deadline(work.tx, self.now, self.limit))
        await work.load_runs(self.ids)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""
        for run_id in self.ids:
            try:
                tell_in(work, run_id, DeadlinePassed(), self.now)
            except IllegalTransition:
                continue  # it ended, or is being stopped, by an earlier command of this batch

    def act(self, work: WorkingSet) -> int:
        """See `Command.act`."""
        return len(self.ids)


@dataclass(slots=True)
class Settle:
    """An effect was carried out and there is nothing to tell."""

    effect: EffectId
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""
        work.settle(self.effect)

    def act(self, work: WorkingSet) -> None:
        """See `Command.act`."""


@dataclass(slots=True)
class Delay:
    """An effect could not be carried out now: again at `until`, and `event` for its run."""

    effect: Pending
    until: datetime
    now: datetime
    event: Event | None = None

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""
        needs.runs.append(self.effect.run)

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""
        work.delay(self.effect, self.until)
        if self.event is not None:
            try:
                tell_in(work, self.effect.run, self.event, self.now)
            except (NotFound, IllegalTransition):
                return  # the run went on without it; the effect itself will find that out

    def act(self, work: WorkingSet) -> None:
        """See `Command.act`."""


@dataclass(slots=True)
class Forget:
    """Remove final runs with all that is kept of them but their charges, old keys, what became of
    old instants, and replays that were over before those."""

    runs: tuple[RunId, ...]
    keys_before: datetime
    now: datetime
    instants_before: datetime | None = None

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.store.runs.delete(work.tx, self.runs)
        await work.store.dead_letters.delete(work.tx, self.runs)
        await work.store.request_keys.delete_before(work.tx, self.keys_before)
        await work.store.budgets.forget(work.tx, self.now - BUDGETS_KEPT)
        if self.instants_before is not None:
            await work.store.triggers.forget_instants(work.tx, self.instants_before)
            await work.store.dead_letters.forget_replays(work.tx, self.instants_before)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> None:
        """See `Command.act`."""
