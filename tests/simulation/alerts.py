"""Channels of a world, which are down now and then; what is promised of alerts and incidents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from random import Random

from runyard.database.port import Database, Tx
from runyard.flow import alerting
from runyard.model.alert import Alert, AlertId, IncidentId
from runyard.model.channels import ChannelSpec
from runyard.model.environment import Environment
from runyard.model.errors import ChannelError, ChannelRefused
from runyard.model.ids import RunId
from runyard.model.incident import Incident, IncidentState, NotTold, Told
from runyard.model.notice import Notice
from runyard.model.run import Run, State
from runyard.store.alert_rows import alert_of, incident_of
from runyard.store.alerts import IncidentHappening
from runyard.store.memory import Store
from tests.simulation.rows import Groups, Rows

_SLACK = {"slack": {"url": {"secret": "url"}}}
LOCAL = Environment.from_document(
    {
        "channels": {"ops": _SLACK, "lead": _SLACK},
        "routes": [{"to": ["ops"]}, {"to": ["lead"], "severity": "critical"}],
        "escalation": [{"after": "60s", "to": ["lead"]}],
    }
)


LOOKED: ContextVar[int] = ContextVar("looked", default=0)
"""How much had been heard when the one who speaks looked last at the rows."""


@dataclass(slots=True)
class Ears:
    """What every channel of the world heard, in order, and how much had been heard before when
    the engine that told it saw that it was to be told."""

    heard: list[tuple[str, Notice, int]] = field(default_factory=list)

    def look(self) -> None:
        """Somebody looks at the rows."""
        LOOKED.set(len(self.heard))

    def hear(self, channel: str, notice: Notice) -> None:
        """Somebody tells a channel something."""
        self.heard.append((channel, notice, LOOKED.get()))


@dataclass(slots=True)
class FlakyVoices:
    """Channels as one engine meets them: each may fail before it is told, or after."""

    random: Random
    ears: Ears
    pause: Callable[[str], Awaitable[None]]
    is_calm: Callable[[], bool]

    async def send(self, environment: str, name: str, spec: ChannelSpec, notice: Notice) -> None:
        """See `Voices.send`."""
        await self.pause(f"tell {name}")
        self._fail(0.2, ChannelError("it is down"))
        self._fail(0.03, ChannelRefused("it does not like it"))
        self.ears.hear(name, notice)
        await self.pause(f"told {name}")
        self._fail(0.05, ChannelError("it was told, and the answer was lost"))

    def _fail(self, chance: float, error: ChannelError) -> None:
        if not self.is_calm() and self.random.random() < chance:
            raise error


@dataclass(slots=True)
class AlertPromises:
    """Knows every alert and incident there was."""

    ears: Ears
    alerts: dict[AlertId, Alert] = field(default_factory=dict)
    incidents: dict[IncidentId, Incident] = field(default_factory=dict)
    _alert_rows: Rows[AlertId, Alert] = field(
        default_factory=lambda: Rows("SELECT id, body FROM alerts"), init=False
    )
    _incident_rows: Rows[IncidentId, Incident] = field(
        default_factory=lambda: Rows("SELECT id, body FROM incidents"), init=False
    )

    async def check(self, database: Database) -> None:
        """After every step."""

        async def made_alerts(changed: Groups[AlertId]) -> dict[AlertId, Alert]:
            return {key: alert_of(rows[0][1]) for key, rows in changed.items()}

        async def made_incidents(changed: Groups[IncidentId]) -> dict[IncidentId, Incident]:
            return {key: incident_of(rows[0][1]) for key, rows in changed.items()}

        async def work(tx: Tx) -> tuple[Iterable[Alert], Iterable[Incident]]:
            alerts = await self._alert_rows.look(tx, made_alerts)
            return alerts.values(), (await self._incident_rows.look(tx, made_incidents)).values()

        alerts, incidents = await database.read(work)
        for alert in alerts:
            self._check_alert(alert)
        open_ones = [alert.fingerprint for alert in alerts if alert.resolved_at is None]
        assert len(open_ones) == len(set(open_ones)), "two alerts of one fingerprint are open"
        told: dict[str, set[AlertId]] = {}
        for alert in self.alerts.values():
            if alert.is_told:
                told.setdefault(alert.incident, set()).add(alert.id)
        for one in incidents:
            self._check_incident(one, told.get(one.id, set()))
            self.incidents[one.id] = one

    def forget(self) -> None:
        """The next look is at everything anew."""
        self._alert_rows.forget()
        self._incident_rows.forget()

    def _check_alert(self, alert: Alert) -> None:
        before = self.alerts.get(alert.id, alert)
        if before.resolved_at is not None:
            assert alert == before, f"{alert.id} came back to life"
        if alert is not before:
            after = {before.state, *_reachable(before)}
            assert alert.state in after, f"{alert.id}: {before.state} -> {alert.state}"
        self.alerts[alert.id] = alert

    def _check_incident(self, one: Incident, mine: set[AlertId]) -> None:
        before = self.incidents.get(one.id, one)
        if before.is_final:
            assert one.state is IncidentState.RESOLVED, f"{one.id} came back to life"
        told = {member.alert for member in one.members if member.is_open}
        assert told == mine, f"{one.id} has {told}, of which {mine} are told"

    async def check_rest(self, database: Database, store: Store, runs: Mapping[RunId, Run]) -> None:
        """When everything has come to rest."""
        dead = sum(run.state is State.DEAD for run in runs.values())
        counted = sum(one.seen_count for one in self.alerts.values() if one.rule == "dead")
        assert counted == dead, f"{dead} runs died, {counted} are in alerts"
        stuck = [one for one in self.alerts.values() if one.rule == "stuck"]
        for alert in stuck:
            assert alert.cleared_at or alert.resolved_at, f"{alert.id}: nobody waits any more"
        for one in self.incidents.values():
            assert not one.queues, f"{one.id} has still to tell {one.queues}"

            async def work(tx: Tx, each: Incident = one) -> None:
                self._check_timeline(each, await store.alerts.history(tx, each.id))

            await database.read(work)

    def _check_timeline(self, one: Incident, facts: Sequence[IncidentHappening]) -> None:
        if not facts:
            return  # forgotten
        numbers = [fact.sequence for fact in facts]
        assert numbers == list(range(1, one.version + 1)), f"{one.id} lost facts: {numbers}"
        delivered: dict[str, list[int]] = {}
        for fact in facts:
            if isinstance(fact.fact, Told | NotTold):
                delivered.setdefault(fact.fact.channel, []).append(fact.fact.number)
        for channel, order in delivered.items():
            assert order == sorted(set(order)), f"{one.id} told {channel} of {order}"
        assert set(delivered) == set(one.told), f"{one.id} told {set(delivered)}, not {one.told}"
        self._check_heard(one)

    def _check_heard(self, one: Incident) -> None:
        """What was heard came in order. An engine that stalled longer than its claim lasts, and
        so was taken for dead, may tell late what it had looked at before another told what comes
        later: nobody can call it back. That is the only exception."""
        for channel in one.told:
            said = [
                (int(notice.key.rpartition("/")[2]), place, looked)
                for place, (name, notice, looked) in enumerate(self.ears.heard)
                if name == channel and notice.thread == one.id
            ]
            for count, (number, _, looked) in enumerate(said):
                later = [
                    each for each, place, _ in said[:count] if each > number and place < looked
                ]
                assert not later, f"{channel} heard {number} of {one.id} after {later}"


def _reachable(alert: Alert) -> set[str]:
    """States that one alert may have come to by any number of steps."""
    found, todo = set(), [alert.state]
    while todo:
        for after in alerting.TRANSITIONS[todo.pop()].values():
            if after not in found:
                found.add(after)
                todo.append(after)
    return {str(state) for state in found}
