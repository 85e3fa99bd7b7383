"""What the API answers about what can be, and was, done about incidents, as OpenAPI tells it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from runyard.api.shapes import Shape
from runyard.api.shapes_alerts import IncidentShape
from runyard.api.shapes_operations import OperationShape
from runyard.model.incident import RemedyAction


class SuggestionShape(Shape):
    """An action: whether it would make sense now, and why, or why not."""

    action: RemedyAction
    suggested: bool
    reason: str
    target: Annotated[
        list[str],
        Field(
            description="What it would be done to, or with: runs, a revision, triggers, an amount "
            "of memory. Empty: nothing is known that it could be."
        ),
    ]


class SuggestionsShape(Shape):
    """Every action there is."""

    actions: list[SuggestionShape]


class RemedyFactShape(Shape):
    """What somebody did about an incident, and what came of it."""

    by: str
    action: RemedyAction
    what: str
    reason: str
    key: str
    runs: list[str]
    replay: str
    triggers: list[str]
    operation: str


class RemedyShape(Shape):
    """What was done; no `remedy`: there was nothing to do. `seen`: the idempotency key was known,
    and it is what was done then. An `operation` may be under way still."""

    incident: IncidentShape
    remedy: RemedyFactShape | None
    operation: OperationShape | None
    seen: bool


class TimesShape(Shape):
    """Lengths of time, of `count` incidents; none where there is none."""

    count: int
    mean_seconds: float | None
    p50_seconds: float | None
    p90_seconds: float | None


class JobIncidentsShape(Shape):
    """How many incidents a job had; an empty name: they were about no job."""

    project: str
    job: str
    incidents: int


class NoisyRuleShape(Shape):
    """How often a rule of a job was wrong; `unseen` of these incidents were over by themselves
    before anybody had them."""

    project: str
    job: str
    rule: str
    alerts: int
    incidents: int
    unseen: int


class IncidentSummaryShape(Shape):
    """The incidents that opened in a month, in UTC. `unseen` were over by themselves before anybody
    had them; `rules` are the noisiest, `actions` what people did, by kind."""

    month: str
    environment: str
    job: str
    incidents: int
    open: int
    by_severity: dict[str, int]
    by_job: list[JobIncidentsShape]
    to_acknowledge: TimesShape
    to_resolve: TimesShape
    by_itself: int
    by_people: int
    unseen: int
    escalated: int
    rules: list[NoisyRuleShape]
    actions: dict[str, int]


class WatchFieldShape(Shape):
    """One field that differs; none: it is not there."""

    path: str
    before: Any
    after: Any


class WatchChangeShape(Shape):
    """An offer: how a rule of the job would be, and why."""

    name: str
    rule: str
    reason: str
    fields: list[WatchFieldShape]


class WatchChangesShape(Shape):
    """What an incident that is over says of the watch."""

    changes: list[WatchChangeShape]
