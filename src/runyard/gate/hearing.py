"""Commands about absences that wait for events: one has come, none has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from runyard.flow.chaining import heard, spec_in
from runyard.gate.absence import acted
from runyard.gate.firing import Plan, carry_out, plan_of_look
from runyard.model.errors import CallerError
from runyard.model.ids import RunId
from runyard.model.run import TriggerKind
from runyard.model.trigger.absence import AbsenceSpec, OfEvent
from runyard.model.trigger.row import Trigger, TriggerKey, TriggerState
from runyard.store.working_set import Needs, WorkingSet


def awaited(row: Trigger) -> tuple[AbsenceSpec, OfEvent] | None:
    """What an absence says, and which event it waits for; None where it waits for none."""
    if row.kind is not TriggerKind.ABSENCE:
        return None
    spec = spec_in(row, AbsenceSpec)
    if isinstance(spec, str) or not isinstance(spec.absence.of, OfEvent):
        return None
    return spec, spec.absence.of


@dataclass(slots=True)
class Heard:
    """A message that an absence waits for was published at `at`. The answer is the instant by which
    the next one has to come; None when it waits for none."""

    key: TriggerKey
    at: datetime
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.triggers.load_jobs([(self.key[1], self.key[2])])

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> datetime | None:
        """See `Command.act`."""
        row = work.triggers.rows.get(self.key)
        said = None if row is None else awaited(row)
        if row is None or said is None:
            return None
        after = heard(row, said[0], self.at)
        if after is not row:
            work.triggers.put(after)
        return after.next_instant


@dataclass(slots=True)
class Unheard:
    """No message that an absence waits for has come by `due_at`, and all that was published by then
    was looked at: it does what it does, once. The answer is whether it did; it does not when one
    was heard, or somebody paused or changed it, in between."""

    key: TriggerKey
    due_at: datetime
    now: datetime
    new_id: Callable[[], RunId]
    plan: Plan | None = field(default=None, init=False)

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        self.plan = None
        await work.triggers.load_jobs([(self.key[1], self.key[2])])
        row = work.triggers.rows.get(self.key)
        said = None if row is None else awaited(row)
        if row is None or said is None or row.state is not TriggerState.ENABLED:
            return
        if row.next_instant != self.due_at or self.due_at > self.now:
            return
        await work.load_jobs([(row.environment, row.job)])
        self.plan = plan_of_look(row, acted(work, row, said[0], self.due_at, self.new_id, self.now))
        for _, runs in self.plan.runs:
            if not isinstance(runs, CallerError):
                await work.load_facts(decision.run for decision in runs)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> bool:
        """See `Command.act`."""
        if self.plan is None or work.triggers.rows.get(self.key) is not self.plan.row:
            return False
        carry_out(work, self.plan, self.now)
        return True
