"""What the API answers about what was measured."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from runyard.api.shapes import Shape
from runyard.model.metric import Metric


class SpreadShape(Shape):
    """What was seen. Quantiles are off by at most a sixteenth of themselves; they are null of what
    is only counted, and all but `count` and `sum` where nothing was seen."""

    count: int
    sum: float
    mean: float | None
    min: float | None
    max: float | None
    p50: float | None
    p95: float | None
    p99: float | None


class SeriesStepShape(SpreadShape):
    """What was seen in a step that begins `at`."""

    at: datetime


class LineShape(SpreadShape):
    """One metric with one set of labels, over all regions asked for."""

    metric: Metric
    labels: dict[str, str]
    per_hour: Annotated[float, Field(description="`count` for each hour of the time asked for.")]
    steps: list[SeriesStepShape]


class SideShape(Shape):
    """The runs of one side of a change."""

    runs: int
    p50_seconds: float
    p95_seconds: float


class RegressionShape(Shape):
    """Runs that succeeded take longer since `revision`. `probability`: that chance alone makes it
    look so."""

    revision: int
    of: Annotated[str, Field(description="What became worse: p50 or p95.")]
    before: SideShape
    since: SideShape
    probability: float


class JobMetricsShape(Shape):
    """What was measured of a job."""

    project: str
    environment: str
    job: str
    since: datetime
    until: datetime
    step_seconds: int
    metrics: list[LineShape]
    regression: Annotated[
        RegressionShape | None,
        Field(description="Of the runs of the time asked for and of the 30 days before."),
    ]


class SpanShape(Shape):
    """A part of a run that took time; not ended: it goes on."""

    span_id: str
    parent_span_id: Annotated[str, Field(description="Empty: it is the whole run.")]
    name: str
    started_at: datetime
    ended_at: datetime | None
    duration_seconds: float | None
    failed: bool
    message: str
    attributes: dict[str, str | int | float]


class TraceShape(Shape):
    """A run as a trace. Of an attempt with more than 1,000 tasks the first ones are shown."""

    run: str
    trace_id: Annotated[str, Field(description="As in TRACEPARENT, which its tasks were given.")]
    spans: list[SpanShape]


class LogExampleShape(Shape):
    """A line of a pattern."""

    at: datetime
    run: str
    attempt: int
    text: str


class LogPatternShape(Shape):
    """What several error lines have in common: in `template`, what differs stands as its kind
    (`<number>`), or as `<*>`. `examples`: the first of them."""

    id: str
    template: str
    first_seen_at: datetime
    last_seen_at: datetime
    count: int
    examples: list[LogExampleShape]


class LogPatternsShape(Shape):
    """Those of a job, those that were seen last first."""

    project: str
    environment: str
    job: str
    patterns: list[LogPatternShape]
