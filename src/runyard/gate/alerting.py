"""Commands about alerts, incidents and silences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from runyard.flow import alerting
from runyard.flow.freezing import Zones
from runyard.gate.alert_steps import (
    channel_seen,
    environment_of,
    load_for,
    load_incidents_of,
    observe,
    settle,
    steps_of,
    tell_incident,
)
from runyard.model.alert import (
    AlertId,
    AlertState,
    IncidentId,
    Observation,
    Silence,
    Silenced,
    SilenceId,
    Unsilenced,
)
from runyard.model.audit import AuditEntry
from runyard.model.effect import Pending
from runyard.model.errors import NotFound
from runyard.model.ids import EffectId
from runyard.model.incident import Escalated, Incident, IncidentEvent, NotTold, Told
from runyard.model.principal import Caller
from runyard.store.working_set import Needs, WorkingSet


@dataclass(slots=True)
class Observe:
    """Take what rules say into alerts. `settles`: the effect that it is the doing of; what left the
    outbox already was taken in already. `delays`: an effect to be tried again at an instant."""

    observations: tuple[Observation, ...]
    now: datetime
    zones: Zones
    settles: EffectId | None = None
    delays: tuple[Pending, datetime] | None = None
    done_before: bool = False

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        if self.settles is not None:
            self.done_before = not await work.store.outbox.holds(work.tx, self.settles)
        await load_for(work, self.observations, self.now)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> None:
        """See `Command.act`."""
        if self.settles is not None:
            work.settle(self.settles)
        if self.delays is not None:
            work.delay(*self.delays)
        if not self.done_before:
            for one in self.observations:
                observe(work, one, self.now, self.zones)


@dataclass(slots=True)
class AdvanceAlerts:
    """Have done what happens by itself: alerts fire, are over, are not silenced any more, and
    incidents escalate. The answer is how many there were."""

    now: datetime
    zones: Zones
    limit: int = 100
    alerts: tuple[AlertId, ...] = ()
    incidents: tuple[IncidentId, ...] = ()

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        port = work.store.alerts
        rows = await port.due(work.tx, self.now, self.limit)
        self.alerts = tuple(work.alerts.take(rows))
        for row in rows:
            await work.alerts.load_environment(row.environment, self.now)
            await work.alerts.load_group(row.environment, row.group)
        await load_incidents_of(work, [row.id for row in rows])
        found = await port.incidents_due(work.tx, self.now, self.limit)
        for one in found:
            await work.alerts.load_environment(one.environment, self.now)
        self.incidents = tuple(work.alerts.take_incidents(found))

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> int:
        """See `Command.act`."""
        for each in self.alerts:
            row = work.alerts.rows[each]
            if row.due_at is not None and row.due_at <= self.now:
                after = alerting.decide(row, alerting.due(row), self.now)
                settle(work, row, after, self.now, self.zones)
        for incident_id in self.incidents:
            incident = work.alerts.incidents[incident_id]
            if incident.due_at is not None and incident.due_at <= self.now:
                self._escalate(work, incident)
        return len(self.alerts) + len(self.incidents)

    def _escalate(self, work: WorkingSet, incident: Incident) -> None:
        steps = steps_of(work, incident, incident.severity)
        known = environment_of(work, incident.project, incident.environment).channels
        step = incident.escalated
        to = tuple(name for name in steps[step].to if name in known) if step < len(steps) else ()
        tell_incident(work, incident.id, Escalated(step + 1, to), self.now, self.zones)


@dataclass(slots=True)
class TellIncident:
    """An event for an incident, from a person or from what tells channels. The answer is its row.

    `settles` leaves the outbox in the same transaction, also when the event comes too late. Raises
    NotFound, or IllegalTransition when it may not happen now.
    """

    incident: IncidentId
    event: IncidentEvent
    now: datetime
    zones: Zones
    settles: EffectId | None = None

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.alerts.load_incidents([self.incident])
        row = work.alerts.incidents.get(self.incident)
        if row is not None:
            await work.alerts.load_environment(row.environment, self.now)
            if isinstance(self.event, Told | NotTold):
                channel = channel_seen(row, self.event.channel)
                await load_for(work, (channel,), self.now)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> Incident:
        """See `Command.act`."""
        if self.settles is not None:
            work.settle(self.settles)
        return tell_incident(work, self.incident, self.event, self.now, self.zones)


@dataclass(slots=True)
class AddSilence:
    """Have nobody told of some alerts for a while, those that fire already included."""

    caller: Caller
    silence: Silence
    now: datetime
    zones: Zones

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        environment = self.silence.environment
        await work.alerts.load_environment(environment, self.now)
        rows = await work.store.alerts.unresolved_in(work.tx, environment)
        work.alerts.take(rows)
        await load_incidents_of(work, [row.id for row in rows])

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> Silence:
        """See `Command.act`."""
        made = self.silence
        work.alerts.put_silence(made)
        _noted(work, self.caller, "silence.add", made, self.now)
        for each in list(work.alerts.open.values()):
            row = work.alerts.rows[each]
            fits = row.environment == made.environment
            if fits and row.is_told and made.holds(row.job, row.rule, self.now):
                after = alerting.decide(row, Silenced(made.words, made.ends_at), self.now)
                settle(work, row, after, self.now, self.zones)
        return made


@dataclass(slots=True)
class EndSilence:
    """Have people told again. What is still wrong fires at once. Raises NotFound."""

    caller: Caller
    silence: SilenceId
    now: datetime
    zones: Zones

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.alerts.load_silence(self.silence)
        found = work.alerts.silences.get(self.silence)
        if found is None:
            return
        await work.alerts.load_environment(found.environment, self.now)
        rows = await work.store.alerts.unresolved_in(work.tx, found.environment)
        work.alerts.take(rows)
        for row in rows:
            await work.alerts.load_group(row.environment, row.group)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> Silence:
        """See `Command.act`."""
        before = work.alerts.silences.get(self.silence)
        if before is None:
            raise NotFound(
                f"there is no silence {self.silence}", hint="`runyard alerts silences` lists them"
            )
        if before.ended_by or before.ends_at <= self.now:
            return before
        after = replace(before, ends_at=self.now, ended_by=self.caller.name)
        work.alerts.put_silence(after)
        _noted(work, self.caller, "silence.end", after, self.now)
        for each in list(work.alerts.open.values()):
            row = work.alerts.rows[each]
            if row.state is AlertState.SILENCED and row.environment == after.environment:
                again = alerting.decide(row, Unsilenced(), self.now)
                settle(work, row, again, self.now, self.zones)
        return after


@dataclass(slots=True)
class ForgetAlerts:
    """Remove alerts, incidents and silences that were over before an instant."""

    before: datetime
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.store.alerts.forget(work.tx, self.before)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> None:
        """See `Command.act`."""


def _noted(work: WorkingSet, caller: Caller, action: str, silence: Silence, now: datetime) -> None:
    after = {"job": silence.job, "rule": silence.rule, "ends_at": silence.ends_at.isoformat()}
    work.record(
        AuditEntry(
            now,
            caller.name,
            action,
            f"silence/{silence.id}",
            silence.environment,
            after=after,
            reason=silence.reason,
            origin=caller.origin,
        )
    )
