"""Alerts, incidents and silences, asked for in the words of the domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from runyard.database.port import Row, Tx
from runyard.model.alert import Alert, AlertId, IncidentId, Silence, SilenceId
from runyard.model.event import kind_of
from runyard.model.incident import Incident, IncidentEvent, IncidentState, Remedied
from runyard.model.instants import from_micros, to_micros
from runyard.store.alert_rows import alert_of, body_of, fact_of, incident_of, silence_of
from runyard.store.documents import dumps
from runyard.store.run_rows import instant, micros

_FAR_FUTURE = 2**62
IncidentFact = tuple[Incident, IncidentEvent, datetime]


@dataclass(frozen=True, slots=True)
class IncidentHappening:
    """One fact of an incident's timeline. `state` is the incident's after it."""

    sequence: int
    at: datetime
    kind: str
    state: IncidentState
    fact: IncidentEvent


@dataclass(frozen=True, slots=True)
class AlertQuestion:
    """Which alerts or incidents: of an environment, a job, a state (empty: any), opened before an
    (instant in microseconds, id)."""

    environment: str
    job: str = ""
    state: str = ""
    before: tuple[int, str] | None = None
    limit: int = 50

    def params(self) -> tuple[str | int, ...]:
        """As the queries take them."""
        place = self.before or (_FAR_FUTURE, "")
        return (self.environment, *place, self.job, self.state, self.limit)


class Alerts:
    """The port of alerts and incidents to the database."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._q = queries

    # -- alerts ----------------------------------------------------------------------------------
    async def open(self, tx: Tx, fingerprints: Iterable[str]) -> list[Alert]:
        """Those of these fingerprints that are not resolved."""
        return await self._alerts(tx, "alerts_open", dumps(list(fingerprints)))

    async def last(self, tx: Tx, fingerprint: str) -> Alert | None:
        """The one of a fingerprint that was resolved last."""
        found = await self._alerts(tx, "alerts_last", fingerprint)
        return found[0] if found else None

    async def get(self, tx: Tx, ids: Iterable[AlertId]) -> list[Alert]:
        """The alerts with these ids; unknown ids are left out."""
        return await self._alerts(tx, "alerts_by_id", dumps(list(ids)))

    async def unresolved(self, tx: Tx, limit: int) -> list[Alert]:
        """Those that are not resolved, in every environment, oldest first."""
        return await self._alerts(tx, "alerts_unresolved", limit)

    async def unresolved_in(self, tx: Tx, environment: str) -> list[Alert]:
        """Those of an environment that are not resolved."""
        return await self._alerts(tx, "alerts_unresolved_in", environment)

    async def due(self, tx: Tx, now: datetime, limit: int) -> list[Alert]:
        """Those whose instant has come."""
        return await self._alerts(tx, "alerts_due", to_micros(now), limit)

    async def page(self, tx: Tx, question: AlertQuestion) -> list[Alert]:
        """Alerts, newest first."""
        return await self._alerts(tx, "alerts_page", *question.params())

    async def put(self, tx: Tx, alerts: Sequence[Alert]) -> None:
        """Write new and changed alerts."""
        rows = [
            (
                one.id, one.fingerprint, one.environment, one.project, one.job, one.state,
                to_micros(one.opened_at), micros(one.due_at), micros(one.resolved_at),
                one.version, body_of(one),
            )
            for one in alerts
        ]  # fmt: skip
        await tx.execute_many(self._q["alert_upsert"], rows)

    async def _alerts(self, tx: Tx, query: str, *params: str | int) -> list[Alert]:
        return [alert_of(row[0]) for row in await tx.fetch(self._q[query], params)]

    # -- incidents -------------------------------------------------------------------------------
    async def incidents(self, tx: Tx, ids: Iterable[IncidentId]) -> list[Incident]:
        """The incidents with these ids; unknown ids are left out."""
        return await self._incidents(tx, "incidents_by_id", dumps(list(ids)))

    async def incident_of(self, tx: Tx, environment: str, group: str) -> Incident | None:
        """The incident of a group that is open, else its newest."""
        found = await self._incidents(tx, "incident_of_group", environment, group)
        return found[0] if found else None

    async def incidents_due(self, tx: Tx, now: datetime, limit: int) -> list[Incident]:
        """Those with a step of the escalation whose instant has come."""
        return await self._incidents(tx, "incidents_due", to_micros(now), limit)

    async def incidents_page(self, tx: Tx, question: AlertQuestion) -> list[Incident]:
        """Incidents, newest first."""
        return await self._incidents(tx, "incidents_page", *question.params())

    async def next_instant(self, tx: Tx) -> datetime | None:
        """When something happens to an alert or an incident by itself."""
        rows = [
            (await tx.fetch(self._q[query]))[0][0]
            for query in ("alerts_next_instant", "incidents_next_instant")
        ]
        return min((at for row in rows if (at := instant(row)) is not None), default=None)

    async def put_incidents(self, tx: Tx, incidents: Sequence[Incident]) -> None:
        """Write new and changed incidents."""
        rows = [
            (
                one.id, one.environment, one.project, one.job, one.group, one.state,
                to_micros(one.opened_at), micros(one.due_at), micros(one.resolved_at),
                one.version, body_of(one),
            )
            for one in incidents
        ]  # fmt: skip
        await tx.execute_many(self._q["incident_upsert"], rows)

    async def record(self, tx: Tx, facts: Sequence[IncidentFact]) -> None:
        """Add to timelines: the incident after the decision, the fact, the instant."""
        rows = [
            (one.id, one.version, to_micros(at), kind_of(fact), one.state, dumps(fact))
            for one, fact, at in facts
        ]
        await tx.execute_many(self._q["incident_fact_insert"], rows)

    async def history(self, tx: Tx, incident: IncidentId) -> list[IncidentHappening]:
        """What happened to an incident, in order."""
        rows = await tx.fetch(self._q["incident_history"], (incident,))
        return [_happening(row) for row in rows]

    async def fact(self, tx: Tx, incident: IncidentId, number: int) -> IncidentHappening | None:
        """One fact of a timeline."""
        rows = await tx.fetch(self._q["incident_fact"], (incident, number))
        return _happening(rows[0]) if rows else None

    async def remedies(self, tx: Tx, incident: IncidentId) -> list[Remedied]:
        """What people did about an incident, in order."""
        rows = await tx.fetch(self._q["incident_remedies"], (incident,))
        facts = [fact_of(row[0], row[1]) for row in rows]
        return [fact for fact in facts if isinstance(fact, Remedied)]

    async def incidents_between(
        self, tx: Tx, environment: str, after: tuple[datetime, str], until: datetime, limit: int
    ) -> list[Incident]:
        """Those that were opened after (an instant, an id) and before another; the oldest first."""
        params = (environment, to_micros(after[0]), after[1], to_micros(until), limit)
        return await self._incidents(tx, "incidents_between", *params)

    async def remedies_between(
        self, tx: Tx, environment: str, job: str, span: tuple[datetime, datetime], limit: int
    ) -> list[Remedied]:
        """What people did about incidents that were opened within a span of time, of a job or (an
        empty name) of all."""
        params = (environment, to_micros(span[0]), to_micros(span[1]), job, limit)
        rows = await tx.fetch(self._q["remedies_between"], params)
        facts = [fact_of(row[0], row[1]) for row in rows]
        return [fact for fact in facts if isinstance(fact, Remedied)]

    async def _incidents(self, tx: Tx, query: str, *params: str | int) -> list[Incident]:
        return [incident_of(row[0]) for row in await tx.fetch(self._q[query], params)]

    # -- silences --------------------------------------------------------------------------------
    async def silences(self, tx: Tx, environment: str, now: datetime) -> list[Silence]:
        """Those of an environment that hold, or will."""
        rows = await tx.fetch(self._q["silences_open"], (environment, to_micros(now)))
        return [one for row in rows if not (one := silence_of(row[0])).ended_by]

    async def silence(self, tx: Tx, silence: SilenceId) -> Silence | None:
        """The silence with this id."""
        rows = await tx.fetch(self._q["silence_by_id"], (silence,))
        return silence_of(rows[0][0]) if rows else None

    async def put_silences(self, tx: Tx, silences: Sequence[Silence]) -> None:
        """Write new and changed silences."""
        rows = [(one.id, one.environment, to_micros(one.ends_at), body_of(one)) for one in silences]
        await tx.execute_many(self._q["silence_upsert"], rows)

    async def forget(self, tx: Tx, before: datetime) -> None:
        """Remove what was over before an instant."""
        for query in (
            "incident_history_forget",
            "incidents_forget",
            "alerts_forget",
            "silences_forget",
        ):
            await tx.execute(self._q[query], (to_micros(before),))


def _happening(row: Row) -> IncidentHappening:
    return IncidentHappening(
        row[0], from_micros(row[1]), row[2], IncidentState(row[3]), fact_of(row[2], row[4])
    )
