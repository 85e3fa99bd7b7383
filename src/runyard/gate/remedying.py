"""Something is done about an incident: by a command of its own, and told of in its timeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from runyard.flow.freezing import Zones
from runyard.flow.triggering import paused
from runyard.gate.alert_steps import tell_incident
from runyard.gate.door import Command
from runyard.gate.firing import audit
from runyard.model.alert import IncidentId
from runyard.model.audit import AuditEntry
from runyard.model.errors import AlreadyExists, NotFound
from runyard.model.incident import Incident, Remedied, RemedyAction
from runyard.model.principal import Caller
from runyard.model.trigger.row import Trigger, TriggerKey, TriggerState
from runyard.store.working_set import Needs, WorkingSet

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What shall be done about which incident, by whom. `key` is the caller's idempotency key, or
    empty."""

    incident: IncidentId
    action: RemedyAction
    by: Caller
    reason: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What was done. `fact` None: there was nothing to do. `answer` None: the key was known, and
    `fact` is what was done then."""

    incident: Incident
    fact: Remedied | None
    answer: T | None


@dataclass(slots=True)
class Remedy(Generic[T]):
    """Do something about an incident: `command` does it, its fact and its entry in the audit log
    are written in the same transaction. The answer is `Done`.

    `told` makes the fact of the command's answer; None: there was nothing to do. A key that the
    incident knows does nothing a second time. Raises NotFound, AlreadyExists (the key was used for
    another action), and whatever the command raises; then nothing was done.
    """

    wanted: Wanted
    command: Command[T]
    told: Callable[[T], Remedied | None]
    now: datetime
    zones: Zones

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""
        self.command.needs(needs)

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.alerts.load_incidents([self.wanted.incident])
        await work.alerts.load_remedies(self.wanted.incident)
        row = work.alerts.incidents.get(self.wanted.incident)
        if row is not None:
            await work.alerts.load_environment(row.environment, self.now)
        await self.command.load(work)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`. What a remedy does frees nothing: it may be done already."""

    def act(self, work: WorkingSet) -> Done[T]:
        """See `Command.act`."""
        row = work.alerts.incidents.get(self.wanted.incident)
        if row is None:
            raise NotFound(
                f"there is no incident {self.wanted.incident}",
                hint="list them with `runyard incidents`",
            )
        before = done_before(self.wanted, work.alerts.remedies[row.id])
        if before is not None:
            return Done(row, before, None)
        answer = self.command.act(work)
        fact = self.told(answer)
        if fact is None:
            return Done(row, None, answer)
        after = tell_incident(work, row.id, fact, self.now, self.zones)
        work.record(self._entry(after, fact))
        return Done(after, fact, answer)

    def _entry(self, row: Incident, fact: Remedied) -> AuditEntry:
        came = {
            "runs": list(fact.runs),
            "replay": fact.replay,
            "triggers": list(fact.triggers),
            "operation": fact.operation,
        }
        return AuditEntry(
            self.now,
            self.wanted.by.name,
            f"incident.{fact.action}",
            f"incident/{row.id}",
            row.environment,
            after={"what": fact.what} | {name: it for name, it in came.items() if it},
            reason=fact.reason,
            origin=self.wanted.by.origin,
        )


def done_before(wanted: Wanted, done: Sequence[Remedied]) -> Remedied | None:
    """What was done about an incident with this key; None: nothing, or there is no key.

    Raises AlreadyExists when the key was used for another action.
    """
    found = next((one for one in done if wanted.key and one.key == wanted.key), None)
    if found is not None and found.action is not wanted.action:
        raise AlreadyExists(
            f"the idempotency key {wanted.key} was used for {found.action}",
            hint="use a new key for a new request; the same key stands for the same request",
        )
    return found


@dataclass(slots=True)
class PauseTriggers:
    """Keep triggers from asking for runs until somebody resumes them. The answer is the rows that
    were paused by it: those that are paused already, have ended or are gone stay as they are."""

    keys: Sequence[TriggerKey]
    by: Caller
    reason: str
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.triggers.load_jobs([(key[1], key[2]) for key in self.keys])

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> list[Trigger]:
        """See `Command.act`."""
        rows = [work.triggers.rows[key] for key in self.keys if key in work.triggers.rows]
        over = (TriggerState.PAUSED, TriggerState.ENDED)
        made = [
            paused(row, self.by.name, self.reason, self.now)
            for row in rows
            if row.state not in over
        ]
        for row in made:
            work.triggers.put(row)
            audit(work, row, "pause", self.by.name, self.now, self.by.origin)
        return made
