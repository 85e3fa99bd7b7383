"""The alerts, incidents and silences that one batch of decisions works on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from runyard.database.port import Tx
from runyard.flow.incident import IncidentDecision
from runyard.model.alert import Alert, AlertId, IncidentId, Silence, SilenceId
from runyard.model.environment import Environment
from runyard.model.incident import Incident, Remedied
from runyard.store.alerts import IncidentFact
from runyard.store.memory import Store

Group = tuple[str, str]  #: (environment, group)


class AlertSet:
    """Loaded together, changed in memory, written together. A row that is here stays as the batch
    made it, whoever loads it again."""

    def __init__(self, store: Store, tx: Tx) -> None:
        self._store = store
        self._tx = tx
        self.rows: dict[AlertId, Alert] = {}
        self.open: dict[str, AlertId] = {}  #: by fingerprint, those that are not resolved
        self.last: dict[str, Alert] = {}  #: by fingerprint, the one that was resolved last
        self.incidents: dict[IncidentId, Incident] = {}
        self.remedies: dict[IncidentId, list[Remedied]] = {}
        self.groups: dict[Group, IncidentId] = {}  #: the newest incident of each
        self.environments: dict[tuple[str, str], Environment] = {}
        self.silences: dict[SilenceId, Silence] = {}
        self._seen: set[str] = set()
        self._places: set[str] = set()
        self._facts: list[IncidentFact] = []
        self._changed: tuple[dict[AlertId, None], dict[IncidentId, None], dict[SilenceId, None]]
        self._changed = ({}, {}, {})

    # -- loading ---------------------------------------------------------------------------------
    async def load(self, fingerprints: Iterable[str]) -> None:
        """Bring in the alerts of fingerprints: the open one, else the one before."""
        missing = [one for one in dict.fromkeys(fingerprints) if one not in self._seen]
        if not missing:
            return
        self._seen.update(missing)
        self.take(await self._store.alerts.open(self._tx, missing))
        for fingerprint in missing:
            if fingerprint not in self.open:
                last = await self._store.alerts.last(self._tx, fingerprint)
                self.last |= {fingerprint: last} if last else {}

    def take(self, alerts: Iterable[Alert]) -> list[AlertId]:
        """Take over alerts that were read; their ids."""
        found = []
        for one in alerts:
            if one.id not in self.rows:
                self.rows[one.id] = one
                if one.resolved_at is None:
                    self.open[one.fingerprint] = one.id
                    self._seen.add(one.fingerprint)
            found.append(one.id)
        return found

    async def load_incidents(self, ids: Iterable[IncidentId]) -> None:
        """Bring in incidents with their open alerts."""
        wanted = list(dict.fromkeys(ids))
        missing = [one for one in wanted if one not in self.incidents]
        if missing:
            self.take_incidents(await self._store.alerts.incidents(self._tx, missing))
        members = [
            member.alert
            for each in wanted
            if each in self.incidents
            for member in self.incidents[each].members
            if member.is_open and member.alert not in self.rows
        ]
        if members:
            self.take(await self._store.alerts.get(self._tx, members))

    def take_incidents(self, incidents: Iterable[Incident]) -> list[IncidentId]:
        """Take over incidents that were read; their ids."""
        found = []
        for one in incidents:
            self.incidents.setdefault(one.id, one)
            if not one.is_final:
                self.groups.setdefault((one.environment, one.group), one.id)
            found.append(one.id)
        return found

    async def load_group(self, environment: str, group: str) -> None:
        """Bring in the incident of a group that is open, else its newest."""
        if (environment, group) not in self.groups:
            found = await self._store.alerts.incident_of(self._tx, environment, group)
            if found is not None:
                self.take_incidents([found])
                self.groups[environment, group] = found.id

    async def load_remedies(self, incident: IncidentId) -> None:
        """Bring in what people did about an incident."""
        if incident not in self.remedies:
            self.remedies[incident] = await self._store.alerts.remedies(self._tx, incident)

    async def load_environment(self, name: str, now: datetime) -> None:
        """Bring in what was said of an environment in each project, and its silences."""
        if name in self._places:
            return
        self._places.add(name)
        for row in await self._store.environments.named(self._tx, name):
            self.environments[row.project, name] = row.environment
        for silence in await self._store.alerts.silences(self._tx, name, now):
            self.silences.setdefault(silence.id, silence)

    async def load_silence(self, silence: SilenceId) -> None:
        """Bring in a silence, if there is one with this id."""
        if silence not in self.silences:
            found = await self._store.alerts.silence(self._tx, silence)
            self.silences |= {found.id: found} if found else {}

    # -- what was decided ------------------------------------------------------------------------
    def put(self, alert: Alert) -> None:
        """Keep a new or changed alert."""
        self.rows[alert.id] = alert
        self._changed[0][alert.id] = None
        if alert.resolved_at is None:
            self.open[alert.fingerprint] = alert.id
        else:
            self.open.pop(alert.fingerprint, None)
            self.last[alert.fingerprint] = alert

    def apply(self, decision: IncidentDecision, now: datetime) -> Incident:
        """Take a decision on an incident over: its row and its fact."""
        row = decision.incident
        self.incidents[row.id] = row
        self.groups[row.environment, row.group] = row.id
        self._changed[1][row.id] = None
        self._facts.append((row, decision.fact, now))
        if isinstance(decision.fact, Remedied):
            self.remedies.setdefault(row.id, []).append(decision.fact)
        return row

    def put_silence(self, silence: Silence) -> None:
        """Keep a new or changed silence."""
        self.silences[silence.id] = silence
        self._changed[2][silence.id] = None

    @property
    def has_changed(self) -> bool:
        """True when an alert or an incident changed."""
        return bool(self._changed[0] or self._changed[1])

    @property
    def may_be_due(self) -> bool:
        """True when something that changed has an instant that somebody has to wait for."""
        alerts = (self.rows[each].due_at for each in self._changed[0])
        incidents = (self.incidents[each].due_at for each in self._changed[1])
        return any(at is not None for at in (*alerts, *incidents))

    async def write(self) -> None:
        """Write all of it. What is resolved goes first: there is one open alert, and one open
        incident, at a time."""
        alerts, incidents, silences = self._changed
        port, tx = self._store.alerts, self._tx
        rows = [self.rows[each] for each in alerts]
        await port.put(tx, sorted(rows, key=lambda one: one.resolved_at is None))
        found = [self.incidents[each] for each in incidents]
        await port.put_incidents(tx, sorted(found, key=lambda one: not one.is_final))
        await port.record(tx, self._facts)
        await port.put_silences(tx, [self.silences[each] for each in silences])
