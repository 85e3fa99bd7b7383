"""What the API answers about alerts, incidents and silences, as OpenAPI tells it; and how rows
become that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from runyard.api.shapes import Shape
from runyard.model.alert import Alert, Silence
from runyard.model.incident import Incident
from runyard.store.alerts import IncidentHappening

Document = dict[str, Any]


class AlertShape(Shape):
    """Something that is wrong, once for each rule of a job until it is resolved. `run` and `text`
    are of the last time that it was seen."""

    id: str
    environment: str
    project: str
    job: str
    rule: str
    state: str
    severity: str
    title: str
    text: str
    run: str
    region: str
    seen_count: int
    opened_at: datetime
    last_seen_at: datetime
    cleared_at: datetime | None
    resolved_at: datetime | None
    reason: str
    silence: Annotated[str, Field(description="What holds it back, in words.")]
    flaps: Annotated[int, Field(description="How often it came back soon after its end.")]
    incident: str


class AlertsPageShape(Shape):
    """Alerts, newest first."""

    alerts: list[AlertShape]
    next_page_token: str


class AlertRuleShape(Shape):
    """What a job is watched for. `state`, `alert` and `title` are of the alert that it has now;
    empty while there is none."""

    name: str
    kind: str
    is_usual: Annotated[bool, Field(description="Every job has it.")]
    severity: str
    for_seconds: Annotated[float, Field(description="How long it must be so.")]
    labels: dict[str, str]
    wrong_when: Annotated[str, Field(description="In words.")]
    state: str
    alert: str
    title: str


class AlertRulesShape(Shape):
    """The rules of a job."""

    project: str
    environment: str
    job: str
    rules: list[AlertRuleShape]


class MemberShape(Shape):
    """An alert of an incident, as it was when it joined."""

    alert: str
    rule: str
    severity: str
    title: str
    is_open: bool


class IncidentShape(Shape):
    """What people are told of. `severity` is the worst there was. `waiting` says for each channel
    how many news it has still to be told."""

    id: str
    environment: str
    project: str
    job: str
    state: str
    severity: str
    title: str
    members: list[MemberShape]
    runbook: str
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str
    assignee: str
    resolved_at: datetime | None
    resolved_by: Annotated[str, Field(description="Empty: by itself.")]
    reason: str
    seconds_to_acknowledge: Annotated[
        float | None, Field(description="From its opening; none: nobody ever had it.")
    ]
    seconds_to_resolve: float | None
    escalated: Annotated[int, Field(description="Steps of the escalation that were taken.")]
    escalates_at: datetime | None
    told: list[str]
    waiting: dict[str, int]
    previous: Annotated[str, Field(description="The incident before, about the same.")]


class IncidentsPageShape(Shape):
    """Incidents, newest first."""

    incidents: list[IncidentShape]
    next_page_token: str


class IncidentEventShape(Shape):
    """One fact of a timeline; `data` depends on its kind."""

    sequence: int
    at: datetime
    kind: str
    state: str
    data: Mapping[str, Any]


class IncidentTimelineShape(Shape):
    """All that happened to an incident, in order."""

    events: list[IncidentEventShape]


class SilenceShape(Shape):
    """Of what nobody is told. An empty `job` or `rule`: of every one."""

    id: str
    environment: str
    job: str
    rule: str
    begins_at: datetime
    ends_at: datetime
    by: str
    reason: str
    ended_by: str


class SilencesShape(Shape):
    """Those that hold, the first to end first."""

    silences: list[SilenceShape]


def alert_document(one: Alert) -> Document:
    """An alert as the API shows it."""
    return {name: getattr(one, name) for name in AlertShape.model_fields}


def incident_document(one: Incident) -> Document:
    """An incident as the API shows it."""
    made = {
        "members": [asdict(member) for member in one.members],
        "escalates_at": one.due_at,
        "waiting": {name: len(numbers) for name, numbers in one.queues},
    }
    return {
        name: made[name] if name in made else getattr(one, name)
        for name in IncidentShape.model_fields
    }


def event_document(one: IncidentHappening) -> Document:
    """A fact of a timeline as the API shows it."""
    return {
        "sequence": one.sequence,
        "at": one.at,
        "kind": one.kind,
        "state": one.state,
        "data": asdict(one.fact),
    }


def silence_document(one: Silence) -> Document:
    """A silence as the API shows it."""
    return asdict(one)
