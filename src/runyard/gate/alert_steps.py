"""One step of an alert or an incident inside a batch, and what it makes of the other."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from runyard.flow import alerting, incident
from runyard.flow.freezing import Zones
from runyard.flow.incident import LOG
from runyard.flow.routing import Subject, channels_for, escalations, maintenance_of
from runyard.model.alert import (
    Alert,
    AlertId,
    AlertState,
    Cleared,
    Closed,
    IncidentId,
    Observation,
    Seen,
    Silenced,
    Taken,
)
from runyard.model.channels import Escalation
from runyard.model.environment import Environment
from runyard.model.errors import NotFound
from runyard.model.incident import (
    Acknowledged,
    Incident,
    IncidentEvent,
    Joined,
    Left,
    NotTold,
    Resolved,
    Told,
)
from runyard.model.notice import Severity
from runyard.store.working_set import WorkingSet

LOOKED_AT_EVERY = timedelta(minutes=1)  #: how soon the end of a window of maintenance is noticed
CHANNEL_RULE = "channel_down"


async def load_for(work: WorkingSet, observations: tuple[Observation, ...], now: datetime) -> None:
    """Bring in all that decisions on observations need."""
    alerts = work.alerts
    await alerts.load(one.fingerprint for one in observations)
    for one in observations:
        await alerts.load_environment(one.environment, now)
        await alerts.load_group(one.environment, one.group)
    found = [alerts.open[one.fingerprint] for one in observations if one.fingerprint in alerts.open]
    await load_incidents_of(work, found)


async def load_incidents_of(work: WorkingSet, ids: Iterable[AlertId]) -> None:
    """Bring in the incidents that alerts, which were loaded, are part of."""
    rows = [work.alerts.rows[each] for each in ids]
    await work.alerts.load_incidents([IncidentId(row.incident) for row in rows if row.incident])


def observe(work: WorkingSet, seen: Observation, now: datetime, zones: Zones) -> None:
    """Take what a rule says into the alert of its fingerprint, if that changes anything."""
    alerts = work.alerts
    open_id = alerts.open.get(seen.fingerprint)
    before = None if open_id is None else alerts.rows[open_id]
    if seen.seen:
        after = (
            alerting.begin(seen, alerts.last.get(seen.fingerprint), now)
            if before is None
            else alerting.decide(before, Seen(seen), now)
        )
    elif before is None or before.cleared_at is not None:
        return
    else:
        after = alerting.decide(before, Cleared(seen.reason), now)
    settle(work, before, after, now, zones)


def settle(
    work: WorkingSet, before: Alert | None, after: Alert, now: datetime, zones: Zones
) -> None:
    """Keep an alert, held back where it is silenced; it joins its incident, or leaves it."""
    was_told = before is not None and before.is_told
    if after.state is AlertState.FIRING and not was_told:
        held_back = _held_back(work, after, now, zones)
        if held_back is not None:
            after = alerting.decide(after, held_back, now)
    if after.is_told and not was_told:
        after = _join(work, after, now, zones)
    work.alerts.put(after)
    if was_told and not after.is_told:
        _leave(work, after, now)


def tell_incident(
    work: WorkingSet, incident_id: IncidentId, event: IncidentEvent, now: datetime, zones: Zones
) -> Incident:
    """Decide one event on an incident, and what that makes of its alerts.

    Raises NotFound or IllegalTransition; the working set is then as it was.
    """
    before = work.alerts.incidents.get(incident_id)
    if before is None:
        raise NotFound(
            f"there is no incident {incident_id}", hint="list them with `runyard incidents`"
        )
    after = _tell(work, before, event, now)
    match event:
        case Resolved(by, reason):
            _each_alert(work, before, Closed(by, reason), now)
        case Acknowledged(by):
            _each_alert(work, before, Taken(by), now)
        case Told(channel):
            observe(work, channel_seen(after, channel), now, zones)
        case NotTold(channel, _, error) if channel in _channels_there(work, after):
            observe(work, channel_seen(after, channel, error), now, zones)
    return work.alerts.incidents[after.id]


def channel_seen(about: Incident, channel: str, error: str = "") -> Observation:
    """That a channel of the environment of an incident is down, or (no error) works."""
    name = f"{about.project}/{about.environment}/{channel}"
    return Observation(
        fingerprint=f"channel/{name}",
        group=f"channel/{name}",
        seen=bool(error),
        environment=about.environment,
        project=about.project,
        job="",
        rule=CHANNEL_RULE,
        severity=Severity.ERROR,
        title=f"Channel {channel} of {about.environment} is down",
        text=error,
        but=channel,
        reason="it works again",
    )


def steps_of(work: WorkingSet, about: Incident, severity: Severity) -> tuple[Escalation, ...]:
    """The steps of the escalation of an incident, as bad as it is."""
    return escalations(environment_of(work, about.project, about.environment), severity)


def environment_of(work: WorkingSet, project: str, name: str) -> Environment:
    """What was said of an environment; nothing where it was never applied."""
    return work.alerts.environments.get((project, name), Environment())


def _channels_there(work: WorkingSet, about: Incident) -> Container[str]:
    """The channels that are declared where an incident is; of others nothing is expected."""
    return environment_of(work, about.project, about.environment).channels


def _tell(work: WorkingSet, before: Incident, event: IncidentEvent, now: datetime) -> Incident:
    worst = before.severity
    if isinstance(event, Joined):
        worst = max(worst, event.severity, key=lambda one: one.rank)
    steps = steps_of(work, before, worst)
    return work.apply_incident(incident.decide(before, event, steps, now), now)


def _join(work: WorkingSet, alert: Alert, now: datetime, zones: Zones) -> Alert:
    alerts = work.alerts
    newest_id = alerts.groups.get((alert.environment, alert.group))
    newest = None if newest_id is None else alerts.incidents[newest_id]
    row = newest
    if row is None or row.is_final:
        row = incident.begin(alert, "" if newest is None else newest.id, now)
    event = Joined(
        alert.id,
        alert.rule,
        alert.severity,
        alert.title,
        alert.text,
        alert.run,
        alert.region,
        _channels(work, alert, now, zones),
    )
    _tell(work, row, event, now)
    return replace(alert, incident=row.id)


def _channels(work: WorkingSet, alert: Alert, now: datetime, zones: Zones) -> tuple[str, ...]:
    """Who is told. That a channel is down is told by all the others, whatever routes say."""
    environment = environment_of(work, alert.project, alert.environment)
    if alert.but:
        return (LOG, *(name for name in environment.channels if name != alert.but))
    subject = Subject(alert.severity, alert.job, dict(alert.labels))
    return (LOG, *channels_for(environment, subject, now, zones))


def _leave(work: WorkingSet, alert: Alert, now: datetime) -> None:
    row = work.alerts.incidents.get(IncidentId(alert.incident))
    if row is not None and not row.is_final:
        _tell(work, row, Left(alert.id, alert.silence or alert.reason), now)


def _each_alert(work: WorkingSet, of: Incident, event: Closed | Taken, now: datetime) -> None:
    for member in of.members:
        row = work.alerts.rows.get(member.alert)
        if row is not None and row.is_told:
            work.alerts.put(alerting.decide(row, event, now))


def _held_back(work: WorkingSet, alert: Alert, now: datetime, zones: Zones) -> Silenced | None:
    for one in work.alerts.silences.values():
        if one.environment == alert.environment and one.holds(alert.job, alert.rule, now):
            return Silenced(one.words, one.ends_at)
    environment = environment_of(work, alert.project, alert.environment)
    window = maintenance_of(environment, alert.job, now, zones) if alert.job else None
    return None if window is None else Silenced(window.reason, now + LOOKED_AT_EVERY)
