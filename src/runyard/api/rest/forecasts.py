"""What schedules will do: when, how many at once, for how much."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.forecasting import JOBS_MEASURED_MAX, Foreseen, foreseen
from runyard.api.permits import Who, allowed, permit
from runyard.api.queries_schedules import ForecastQuery
from runyard.api.rest.routes import errors, router
from runyard.api.services import Use
from runyard.api.shapes_forecast import ForecastShape
from runyard.flow import costing
from runyard.flow.access import Permission
from runyard.flow.schedule.boards import Peak, RegionLoad
from runyard.flow.schedule.forecast_words import advise, assumptions
from runyard.flow.schedule.forecasting import JobForecast
from runyard.flow.schedule.herds import Advice, Herd

forecasts = router("triggers")
_NAMED = 10  #: triggers of a herd


@forecasts.get(
    "/schedules:forecast",
    response_model=ForecastShape,
    responses=errors(404),
    dependencies=allowed(Permission.JOBS_READ),
)
async def forecast_schedules(
    services: Use, who: Who, query: Annotated[ForecastQuery, Query()]
) -> Response:
    """What the triggers in force will ask for: when many runs start at once, how many are out at
    once in each region, and what it costs. It says what it takes for granted."""
    environment = query.environment or services.settings.environment
    await permit(services, who, Permission.JOBS_READ, environment, query.project or "")
    found = await foreseen(services, environment, query.days, (query.project, query.job))
    return answer(_document(found, environment, query.jobs, services.settings.region_runs_max))


def _document(found: Foreseen, environment: str, jobs_max: int, limit: int) -> dict[str, Any]:
    made = found.forecast
    return {
        "environment": environment,
        "since": made.seen.begin,
        "until": made.seen.until,
        "looked_until": made.seen.looked_until,
        "runs": made.runs,
        "nano_dollars": made.nano_dollars,
        "cost": costing.display(made.nano_dollars),
        "unpriced": made.unpriced,
        "step_seconds": made.step_seconds,
        "steps": [{"at": one.at, "runs": one.runs} for one in made.steps],
        "regions": [_region(one, limit) for one in made.regions],
        "herds": [_herd(one) for one in made.herds],
        "herds_in_all": made.herds_in_all,
        "advice": [_advice(one) for one in made.advice],
        "jobs": [_job(one) for one in made.jobs[:jobs_max]],
        "jobs_in_all": len(made.jobs),
        "assumptions": list(assumptions(made, found.left_out, JOBS_MEASURED_MAX)),
    }


def _region(one: RegionLoad, limit: int) -> dict[str, Any]:
    return {
        "name": one.name,
        "runs": one.runs,
        "starts": _peak(one.starts),
        "typical": _peak(one.typical),
        "high": _peak(one.high),
        "limit": limit,
        "is_passed": one.typical.count > limit,
    }


def _peak(one: Peak) -> dict[str, Any]:
    return {"count": one.count, "at": one.at}


def _herd(one: Herd) -> dict[str, Any]:
    return {
        "at": one.at,
        "region": one.region,
        "starts": one.starts,
        "times": one.times,
        "triggers": [
            {"project": project, "job": job, "name": name}
            for project, job, name in one.triggers[:_NAMED]
        ],
        "triggers_in_all": len(one.triggers),
    }


def _advice(one: Advice) -> dict[str, Any]:
    return {
        "region": one.herd.region,
        "at": one.herd.at,
        "starts": one.herd.starts,
        "triggers": one.triggers,
        "jitter_seconds": one.jitter_seconds,
        "starts_after": one.starts_after,
        "quiet_at": one.quiet_at,
        "quiet_starts": one.quiet_starts,
        "says": advise(one),
    }


def _job(one: JobForecast) -> dict[str, Any]:
    run, cost = one.run_nano_dollars, one.nano_dollars
    return {
        "project": one.job[0],
        "name": one.job[1],
        "triggers": list(one.triggers),
        "runs": one.runs,
        "skipped": one.skipped,
        "runs_measured": one.pace.runs_measured,
        "typical_seconds": one.pace.typical_seconds,
        "high_seconds": one.pace.high_seconds,
        "run_nano_dollars": run,
        "run_cost": None if run is None else costing.display(run),
        "nano_dollars": cost,
        "cost": None if cost is None else costing.display(cost),
        "why_unknown": one.why,
    }
