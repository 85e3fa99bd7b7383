"""What the API answers about plans and revisions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from runyard.api.shapes import Document, FaultShape, NanoDollars, Shape
from runyard.flow.planning import Action, Verdict


class FieldChangeShape(Shape):
    """A field that changes; null where there is nothing. `unsafe` says why it is; empty: it is
    not."""

    path: str
    before: Any
    after: Any
    unsafe: str


class DriftShape(Shape):
    """A field that somebody changed at the provider. `verdict` null: nobody has decided what
    becomes of it, so it is taken back, which is unsafe."""

    region: str
    path: str
    applied: Any
    live: Any
    verdict: Verdict | None


class EstimateShape(Shape):
    """What the job will cost by what is measured. A price that is null is unknown, and
    `why_unknown` says why."""

    launches_max: Annotated[int, Field(description="The most launches one run can cause.")]
    runs_measured: int
    run_nano_dollars: NanoDollars | None
    run_cost: str | None
    month_nano_dollars: NanoDollars | None
    month_cost: str | None
    why_unknown: str


class PlannedInstantShape(Shape):
    """An instant, in UTC and as clocks of a zone show it."""

    utc: datetime
    local: datetime


class TriggerPlanShape(Shape):
    """A trigger that a plan adds, changes, takes away or leaves as it is. `words` say what it
    means, a sentence each; `instants` are the next ones. Both are empty where nothing changes."""

    name: str
    kind: str
    action: Action
    says: Annotated[str, Field(description="What it is, in a line.")]
    words: list[str]
    instants: list[PlannedInstantShape]


class JobPlanShape(Shape):
    """What the plan does to one job. `missing`: where it should be and is not."""

    project: str
    environment: str
    name: str
    action: Action
    base_revision: int
    revision: int
    regions: list[str]
    fields: list[FieldChangeShape]
    drift: list[DriftShape]
    missing: list[str]
    unsafe: list[str]
    estimate: EstimateShape | None
    triggers: list[TriggerPlanShape]


class HeadroomShape(Shape):
    """A limit, how much of it is used now, and how much will be."""

    name: str
    where: str
    used: int
    after: int
    limit: int
    is_passed: bool


class PlanShape(Shape):
    """What applying a manifest would do."""

    environment: str
    token: str
    has_changes: bool
    is_safe: Annotated[bool, Field(description="False: it needs a confirmation.")]
    jobs: list[JobPlanShape]
    headroom: list[HeadroomShape]
    warnings: list[FaultShape]


class RevisionShape(Shape):
    """One version of a job. `changed`: the fields that differ from the one before it."""

    revision: int
    applied_at: datetime
    applied_by: str
    changed: list[str]
    spec: Document


class RevisionPageShape(Shape):
    """Revisions, newest first; no token: it is the last page."""

    revisions: list[RevisionShape]
    next_page_token: str


class RevisionDiffShape(Shape):
    """What differs between two revisions. `unsafe`: why going from one to the other would be."""

    since: int
    to: int
    fields: list[FieldChangeShape]
