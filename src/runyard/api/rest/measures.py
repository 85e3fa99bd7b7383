"""What was measured of a job: counts, durations, waits, use and cost, over time."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Path, Query
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.permits import Who, allowed
from runyard.api.queries_telemetry import MetricsQuery
from runyard.api.rest.reads import JobKey, job_key
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.api.shapes_telemetry import JobMetricsShape
from runyard.flow.access import Permission
from runyard.flow.charting import Line, lines
from runyard.flow.explain_pace import pace
from runyard.flow.latency import by_revision, regression
from runyard.model.errors import StoreError
from runyard.model.metric import Metric
from runyard.model.run import Run
from runyard.model.sketch import Sketch
from runyard.telemetry.series import Question

measures = router("jobs")
JobPath = Annotated[str, Path(alias="name", description="The job's name.")]
HISTORY = timedelta(days=30)  #: of the job, that its newer runs are compared with


@measures.get(
    "/jobs/{name}/metrics",
    response_model=JobMetricsShape,
    responses=errors(404, 412),
    dependencies=allowed(Permission.METRICS_READ),
)
async def job_metrics(
    services: Use, who: Who, name: JobPath, query: Annotated[MetricsQuery, Query()]
) -> Response:
    """What was measured of a job's runs, in numbers and in steps for a chart; and whether its runs
    have become slower, since which revision."""
    permission = Permission.METRICS_READ
    key = await job_key(services, who, name, query.environment, query.project, permission)
    since, until, step = query.span(services.clock())
    project, environment, job = key
    question = Question(
        environment, project, job, since, until, tuple(query.metric), tuple(query.region)
    )
    points = await services.measures.read(question, services.clock())
    found = [
        _line(line, since, step, hours=(until - since) / timedelta(hours=1))
        for line in lines(points, since, until, step)
    ]
    slower = regression(await _durations(services, key, since - HISTORY, until))
    return answer(
        {
            "project": project,
            "environment": environment,
            "job": job,
            "since": since,
            "until": until,
            "step_seconds": step,
            "metrics": found,
            "regression": None if slower is None else asdict(slower),
        }
    )


async def unusual(services: Services, run: Run) -> list[str]:
    """What is unusual about how long a run took, in sentences. Nothing while what was measured
    cannot be read: a run can be explained without."""
    key = (run.project, run.environment, run.job)
    until = services.clock()
    try:
        return pace(run, await _durations(services, key, until - HISTORY, until))
    except StoreError:
        return []


async def _durations(
    services: Services, key: JobKey, since: datetime, until: datetime
) -> dict[int, Sketch]:
    """How long a job's runs took that succeeded, by revision."""
    project, environment, job = key
    only = (str(Metric.RUN_DURATION),)
    question = Question(environment, project, job, since, until, only)
    return by_revision(await services.measures.read(question, services.clock()))


def _line(line: Line, since: datetime, step: int, *, hours: float) -> dict[str, Any]:
    steps = [
        {"at": since + timedelta(seconds=step * place)} | _spread(sketch)
        for place, sketch in enumerate(line.steps)
    ]
    return {
        "metric": line.metric,
        "labels": dict(line.labels),
        "per_hour": line.whole.count / hours,
        "steps": steps,
    } | _spread(line.whole)


def _spread(sketch: Sketch) -> dict[str, Any]:
    return {
        "count": sketch.count,
        "sum": sketch.total,
        "mean": sketch.mean,
        "min": sketch.low if sketch.count else None,
        "max": sketch.high if sketch.count else None,
        "p50": sketch.quantile(0.5),
        "p95": sketch.quantile(0.95),
        "p99": sketch.quantile(0.99),
    }
