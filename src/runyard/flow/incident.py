"""The lifecycle of an incident. All of it; nothing about it lives elsewhere.

    OPEN --Acknowledged--> ACKNOWLEDGED
      |                         |
      +---- Emptied, Resolved --+--> RESOLVED

Rule 1  What may follow what is said by TRANSITIONS, and by nothing else.
Rule 2  Each fact that people are told of joins the queue of each channel that is told. Only the
        first of a queue is on its way: a channel hears what happened in the order in which it did.
Rule 3  Whoever was told of an incident is told of what becomes of it.

What somebody did about it is a fact like any other, also when it is over; what it did elsewhere is
decided there, in the same transaction.

Promises, each an invariant of the property and simulation tests: final is final; what joined a
queue is told or recorded as not told, once, and in order; nothing escalates once somebody has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from runyard.flow.alerting import chance_of
from runyard.model.alert import Alert, IncidentId
from runyard.model.channels import Escalation
from runyard.model.effect import Notify
from runyard.model.errors import IllegalTransition
from runyard.model.ids import stamped
from runyard.model.incident import (
    Acknowledged,
    Assigned,
    Escalated,
    Incident,
    IncidentEvent,
    IncidentState,
    Joined,
    Left,
    Member,
    Noted,
    NotTold,
    Remedied,
    Resolved,
    Told,
)

State = IncidentState
LOG = "log"  #: the channel that is always told: the server's own log


class Emptied:
    """The last of its alerts left."""


# fmt: off
TRANSITIONS: dict[State, dict[type, State]] = {
    State.OPEN:         {Joined: State.OPEN, Left: State.OPEN, Assigned: State.OPEN,
                         Noted: State.OPEN, Remedied: State.OPEN, Escalated: State.OPEN,
                         Told: State.OPEN, NotTold: State.OPEN, Acknowledged: State.ACKNOWLEDGED,
                         Emptied: State.RESOLVED, Resolved: State.RESOLVED},
    State.ACKNOWLEDGED: {Joined: State.ACKNOWLEDGED, Left: State.ACKNOWLEDGED,
                         Acknowledged: State.ACKNOWLEDGED, Assigned: State.ACKNOWLEDGED,
                         Noted: State.ACKNOWLEDGED, Remedied: State.ACKNOWLEDGED,
                         Told: State.ACKNOWLEDGED, NotTold: State.ACKNOWLEDGED,
                         Emptied: State.RESOLVED, Resolved: State.RESOLVED},
    State.RESOLVED:     {Noted: State.RESOLVED, Remedied: State.RESOLVED, Told: State.RESOLVED,
                         NotTold: State.RESOLVED},
}
# fmt: on


@dataclass(frozen=True, slots=True)
class IncidentDecision:
    """One step: the new row, the fact for its timeline, the requests for the outbox."""

    incident: Incident
    fact: IncidentEvent
    effects: tuple[Notify, ...] = ()


def begin(alert: Alert, previous: str, now: datetime) -> Incident:
    """The incident of an alert that belongs to none, before that alert has joined it.

    `previous` is the id of the one before about the same, and a part of its own: an alert that is
    silenced, and not any more, within one batch has two at the same instant.
    """
    key = f"{alert.id} after {previous}" if previous else alert.id
    return Incident(
        id=IncidentId(stamped("inc", now, chance_of(key, now))),
        environment=alert.environment,
        project=alert.project,
        job=alert.job,
        group=alert.group,
        state=State.OPEN,
        severity=alert.severity,
        title=alert.title,
        opened_at=now,
        labels=alert.labels,
        runbook=alert.runbook,
        but=alert.but,
        previous=previous,
    )


def decide(
    incident: Incident, event: IncidentEvent, steps: Sequence[Escalation], now: datetime
) -> IncidentDecision:
    """Say what `event`, at `now` (UTC), makes of `incident`. `steps` are those of the escalation
    for how bad it is, in order.

    Raises IllegalTransition when the table has no such step, or when `event` tells of a delivery
    that is not on its way.
    """
    match event:
        case Joined():
            row, to = _joined(incident, event), (*event.to, *incident.told)
        case Left():
            row = _left(incident, event, now)
            to = incident.told if row.is_final else ()
        case Acknowledged(by):
            row, to = _acknowledged(incident, by, now), incident.told
        case Escalated(step, channels):
            row, to = _to(incident, Escalated, escalated=step), channels
        case Resolved(by, reason):
            row, to = _over(incident, Resolved, now, by, reason), incident.told
        case Told() | NotTold():
            return _delivered(incident, event)
        case Assigned(_, name):
            row, to = _to(incident, Assigned, assignee=name), ()
        case _:
            row, to = _to(incident, type(event)), ()
    row = replace(row, due_at=_next_step(row, steps))
    return _queued(row, event, to)


def _joined(incident: Incident, event: Joined) -> Incident:
    member = Member(event.alert, event.rule, event.severity, event.title)
    others = tuple(one for one in incident.members if one.alert != event.alert)
    worst = max(incident.severity, event.severity, key=lambda one: one.rank)
    return _to(incident, Joined, members=(*others, member), severity=worst)


def _left(incident: Incident, event: Left, now: datetime) -> Incident:
    members = tuple(
        replace(one, is_open=False) if one.alert == event.alert else one for one in incident.members
    )
    row = replace(incident, members=members)
    if any(one.is_open for one in members):
        return _to(row, Left)
    return _over(row, Emptied, now, "", event.reason)


def _acknowledged(incident: Incident, by: str, now: datetime) -> Incident:
    return _to(
        incident,
        Acknowledged,
        acknowledged_by=by,
        acknowledged_at=incident.acknowledged_at or now,
        assignee=incident.assignee or by,
    )


def _over(incident: Incident, cause: type, now: datetime, by: str, reason: str) -> Incident:
    members = tuple(replace(one, is_open=False) for one in incident.members)
    return _to(incident, cause, resolved_at=now, resolved_by=by, reason=reason, members=members)


def _next_step(row: Incident, steps: Sequence[Escalation]) -> datetime | None:
    if row.state is not State.OPEN or row.escalated >= len(steps):
        return None
    return row.opened_at + timedelta(seconds=steps[row.escalated].after_seconds)


def _queued(row: Incident, event: IncidentEvent, to: Sequence[str]) -> IncidentDecision:
    """The fact joins the queue of each channel of `to`; where that was empty it is on its way."""
    channels = tuple(dict.fromkeys(name for name in to if name != row.but))
    queues = dict(row.queues)
    effects = [Notify(row.id, name, row.version) for name in channels if name not in queues]
    for name in channels:
        queues[name] = (*queues.get(name, ()), row.version)
    told = tuple(dict.fromkeys((*row.told, *channels)))
    return IncidentDecision(
        replace(row, queues=tuple(queues.items()), told=told), event, tuple(effects)
    )


def _delivered(incident: Incident, event: Told | NotTold) -> IncidentDecision:
    if incident.next_for(event.channel) != event.number:
        raise IllegalTransition(
            f"{incident.id}: fact {event.number} is not on its way to {event.channel}"
        )
    queues = dict(incident.queues)
    left = queues.pop(event.channel)[1:]
    effects = (Notify(incident.id, event.channel, left[0]),) if left else ()
    if left:
        queues[event.channel] = left
    row = _to(incident, type(event), queues=tuple(queues.items()))
    return IncidentDecision(row, event, effects)


def _to(incident: Incident, cause: type, **changes: Any) -> Incident:
    try:
        state = TRANSITIONS[incident.state][cause]
    except KeyError:
        message = f"{incident.id}: {cause.__name__} cannot happen while it is {incident.state}"
        raise IllegalTransition(message) from None
    return replace(incident, state=state, version=incident.version + 1, **changes)
