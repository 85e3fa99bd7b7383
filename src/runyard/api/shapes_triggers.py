"""What the API answers about triggers, as OpenAPI tells it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from runyard.api.shapes import Document, Shape
from runyard.flow.trigger_graph import NodeKind
from runyard.model.recurrence.nouns import Gap, Overlap
from runyard.model.run import TriggerKind
from runyard.model.trigger.instant import Fate
from runyard.model.trigger.row import TriggerState


class TriggerShape(Shape):
    """A trigger of a job in force. `said_by`, `said_at` and `reason` tell who put it into a state
    that is not `enabled`."""

    project: str
    environment: str
    job: str
    name: str
    kind: TriggerKind
    state: TriggerState
    next_at: Annotated[
        datetime | None,
        Field(description="When it asks for a run next; null when it does not by time."),
    ]
    next_instant: Annotated[
        datetime | None, Field(description="The instant of that run; `next_at` adds the jitter.")
    ]
    last_instant: datetime | None
    since: Annotated[datetime, Field(description="When it came into force as it is.")]
    failures: Annotated[int, Field(description="Dead runs in a row.")]
    said_by: str
    said_at: datetime | None
    reason: str
    spec: Document
    version: Annotated[int, Field(description="Grows by one with every change.")]


class TriggerPageShape(Shape):
    """A page of triggers by job, project and name; no token: it is the last one."""

    triggers: list[TriggerShape]
    next_page_token: str


class NodeShape(Shape):
    """A job, or what starts runs. `missing`: a trigger names the job, and it is not in force."""

    id: str
    kind: NodeKind
    label: str
    missing: bool


class EdgeShape(Shape):
    """A trigger leads from one node to another, by their ids."""

    source: str
    target: str
    trigger: Annotated[str, Field(description="As project/environment/job/name.")]
    kind: TriggerKind
    state: TriggerState
    label: Annotated[str, Field(description="When; empty where the source says it.")]


class GraphShape(Shape):
    """What starts what in an environment."""

    environment: str
    nodes: list[NodeShape]
    edges: list[EdgeShape]


class InstantShape(Shape):
    """What became of an instant, or of `count` of them up to `last_at` that share a reason."""

    at: datetime
    last_at: datetime
    count: int
    fate: Fate
    reason: str
    runs: list[str]
    origin: Annotated[str, Field(description="Empty: the clock.")]
    decided_at: datetime


class InstantPageShape(Shape):
    """A page of instants, the latest first; no token: it is the last one."""

    instants: list[InstantShape]
    next_page_token: str


class BackfillShape(Shape):
    """Instants of the past that have runs now, or would have. No `id`: nothing was asked for."""

    id: str
    instants: list[datetime]
    there: Annotated[list[datetime], Field(description="Those that have had a run before.")]
    runs: list[str]


class CancelledBackfillShape(Shape):
    """How many runs of a backfill had not ended and are being ended."""

    id: str
    runs: int


class DstShape(Shape):
    """The rules for changes of clocks that hold."""

    gap: Gap
    overlap: Overlap


class PreviewedShape(Shape):
    """An instant. `transition`: a change of clocks put it there (`gap`, `overlap`, or empty)."""

    utc: datetime
    local: datetime
    transition: str


class TouchedTimeShape(Shape):
    """A local time that a change skips or has come twice, and when it happens."""

    local: Annotated[str, Field(description="Without an offset: it has none, or two.")]
    utc: list[datetime]


class TransitionShape(Shape):
    """A change of clocks, and the times of the schedule that it touches."""

    utc: datetime
    local_before: str
    local_after: str
    times: list[TouchedTimeShape]


class SchedulePreviewShape(Shape):
    """What a schedule will do."""

    schedule: str
    time_zone: str
    dst: DstShape
    instants: list[PreviewedShape]
    transitions: list[TransitionShape]
