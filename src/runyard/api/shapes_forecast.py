"""What the API answers about what schedules will do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from runyard.api.shapes import NanoDollars, Shape


class ForecastStepShape(Shape):
    """So many runs start in a day, or an hour, that begins at `at`."""

    at: datetime
    runs: int


class PeakShape(Shape):
    """The most there are at once, and the first minute in which that is so."""

    count: int
    at: datetime


class RegionLoadShape(Shape):
    """What a region has to bear. `typical` and `high`: runs that are out at once, were each as long
    as the middle one of its job was, and as 19 of 20 were at most. `is_passed`: `typical` is more
    than may be out at once, so that runs will wait."""

    name: str
    runs: int
    starts: Annotated[PeakShape, Field(description="In a minute.")]
    typical: PeakShape
    high: PeakShape
    limit: int
    is_passed: bool


class HerdTriggerShape(Shape):
    """One of those that start runs in a herd."""

    project: str
    job: str
    name: str


class HerdShape(Shape):
    """Runs that start in the minute `at`, the first of `times` in which the same triggers do."""

    at: datetime
    region: str
    starts: int
    times: int
    triggers: Annotated[list[HerdTriggerShape], Field(description="Ten of them at most.")]
    triggers_in_all: int


class AdviceShape(Shape):
    """What would spread the worst herd of a region: a jitter for its triggers that have none (null:
    no jitter does), or a minute around it with fewer starts."""

    region: str
    at: datetime
    starts: int
    triggers: int
    jitter_seconds: int | None
    starts_after: int
    quiet_at: datetime
    quiet_starts: int
    says: str


class JobForecastShape(Shape):
    """What a job will do. `skipped`: instants at which the run before will not be over.
    `runs_measured` 0: its durations are its timeout. A price that is null is unknown."""

    project: str
    name: str
    triggers: list[str]
    runs: int
    skipped: int
    runs_measured: int
    typical_seconds: float
    high_seconds: float
    run_nano_dollars: NanoDollars | None
    run_cost: str | None
    nano_dollars: NanoDollars | None
    cost: str | None
    why_unknown: str


class ForecastShape(Shape):
    """What the triggers of an environment will ask for, as far as that can be told."""

    environment: str
    since: datetime
    until: datetime
    looked_until: Annotated[
        datetime, Field(description="Until when herds and room were looked at.")
    ]
    runs: int
    nano_dollars: NanoDollars
    cost: str
    unpriced: Annotated[int, Field(description="Jobs whose price is not known.")]
    step_seconds: int
    steps: list[ForecastStepShape]
    regions: list[RegionLoadShape]
    herds: list[HerdShape]
    herds_in_all: int
    advice: list[AdviceShape]
    jobs: list[JobForecastShape]
    jobs_in_all: int
    assumptions: Annotated[list[str], Field(description="A sentence each.")]
