"""What was measured of a job: counts, durations, waits, use and cost, over time."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Path, Query
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.durations import HISTORY, durations
from runyard.api.permits import Who, allowed
from runyard.api.queries_telemetry import MetricsQuery
from runyard.api.rest.reads import job_key
from runyard.api.rest.routes import errors, router
from runyard.api.services import Use
from runyard.api.shapes_telemetry import JobMetricsShape
from runyard.flow.access import Permission
from runyard.flow.charting import Line, lines
from runyard.flow.latency import regression
from runyard.model.sketch import Sketch
from runyard.telemetry.series import Question

measures = router("jobs")
JobPath = Annotated[str, Path(alias="name", description="The job's name.")]


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
    slower = regression(await durations(services, key, since - HISTORY, until))
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
