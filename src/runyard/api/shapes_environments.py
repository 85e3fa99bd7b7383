"""What the API answers about environments, as OpenAPI tells it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from runyard.api.shapes import Shape


class FreezeShape(Shape):
    """When nothing is changed. Both ends are instants, or times of each week."""

    begin: Annotated[str, Field(alias="from")]
    until: str
    time_zone: Annotated[str, Field(alias="timeZone")]
    reason: str


class AllowShape(Shape):
    """Who may, by name; a list that is not there: whoever has the role for it."""

    change: list[str] = Field(default=[])
    run: list[str] = Field(default=[])
    approve: list[str] = Field(default=[])


class HoursShape(Shape):
    """Times of day on days of the week."""

    days: str
    begin: Annotated[str, Field(alias="from")]
    to: str
    time_zone: Annotated[str, Field(alias="timeZone")]


class RouteShape(Shape):
    """Who is told of what; what is not there holds for all."""

    to: list[str]
    severity: str
    labels: dict[str, str] = Field(default={})
    jobs: list[str] = Field(default=[])
    hours: HoursShape | None = None


class EscalationShape(Shape):
    """Who else is told when nobody acknowledged an incident so long after it was opened."""

    after: str
    to: list[str]
    severity: str


class MaintenanceShape(FreezeShape):
    """When nobody is told: of these jobs, or of all."""

    jobs: list[str] = Field(default=[])


class EnvironmentShape(Shape):
    """An environment of a project. `revision` 0: it was never applied, and has jobs.

    `frozen` is the reason of the freeze that is in force, empty when there is none.
    """

    project: str
    name: str
    provider: str
    google_project: str | None
    regions: list[str]
    approvals: int
    freeze: list[FreezeShape]
    frozen: str
    allow: AllowShape
    channels: Annotated[dict[str, str], Field(description="The kind of each channel, by name.")]
    routes: list[RouteShape]
    escalation: list[EscalationShape]
    maintenance: list[MaintenanceShape]
    jobs: Annotated[int, Field(description="How many jobs are in it.")]
    revision: int
    applied_at: datetime | None
    applied_by: str


class EnvironmentsShape(Shape):
    """Environments by project and name."""

    environments: list[EnvironmentShape]


class AppliedEnvironmentShape(Shape):
    """An environment of a manifest. `change` is created, updated or unchanged."""

    project: str
    name: str
    revision: int
    change: str


class AppliedEnvironmentsShape(Shape):
    """What was done to each."""

    environments: list[AppliedEnvironmentShape]
