"""Forecasts: triggers in force and past runs are gathered, and the flow says what follows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from runyard.api.measuring import billed_of, paced
from runyard.api.services import Services
from runyard.database.port import Tx
from runyard.flow.estimates import NOT_MEASURED, Estimate, Measured, estimate
from runyard.flow.schedule.askers import Askers, Differing, askers
from runyard.flow.schedule.forecasting import Forecast, forecast
from runyard.flow.schedule.placing import JobKey, Look, Pace, look
from runyard.flow.schedule.ranges import rate
from runyard.model.durations import seconds_of
from runyard.model.errors import NotFound
from runyard.model.job import JobSpec
from runyard.model.plan import Placement
from runyard.model.trigger.row import Trigger
from runyard.store.job_list import JobQuestion, page

JOBS_MAX = 20_000  #: of an environment that are read, by name
JOBS_MEASURED_MAX = 1_000  #: that run most often; the others are taken to last until their timeout
RUNS_LOOKED_AT = 20  #: of each of them
MEASURED_SPAN = timedelta(days=30)  #: how far back
NOT_LOOKED_AT = "it is not among those that run most often, whose runs are looked at"
Wanted = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A forecast, and how many triggers are not in it, by the reason."""

    forecast: Forecast
    left_out: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Past:
    """What runs that have been tell. A job that was not looked at is in neither."""

    paces: Mapping[JobKey, Pace]
    measured: Mapping[JobKey, Measured]


async def foreseen(services: Services, environment: str, days: int, wanted: Wanted) -> Foreseen:
    """What the triggers in force of an environment will ask for. `wanted`: only this project, only
    jobs of this name. Raises NotFound where there is no such job."""
    rows, jobs = await _in_force(services, environment)
    project, name = wanted
    if name is not None and not any(
        job == name and project in (None, owner) for owner, job in jobs
    ):
        raise NotFound(f"there is no job {name} in {environment}", hint="`runyard jobs` lists them")
    begin = services.clock()
    found = await asyncio.to_thread(askers, rows, jobs, services.zones)
    seen = look(found.schedules, begin, days)
    past = await _past(services, environment, _most_often(found))
    made = await asyncio.to_thread(_forecast, found, jobs, past, seen, wanted)
    return Foreseen(made, found.left_out)


async def _in_force(
    services: Services, environment: str
) -> tuple[Sequence[Trigger], Mapping[JobKey, Mapping[str, Any]]]:
    store = services.store

    async def work(tx: Tx) -> tuple[list[Trigger], dict[JobKey, Mapping[str, Any]]]:
        rows = await store.triggers.in_environment(tx, environment)
        jobs = await page(tx, store.jobs, JobQuestion(environment), None, JOBS_MAX)
        return rows, {(row.project, row.name): row.document for row in jobs}

    return await services.database.read(work)


def _most_often(found: Askers) -> Sequence[JobKey]:
    """The jobs whose runs are looked at: those of schedules that come often, then of chains."""
    rates: dict[JobKey, float] = dict.fromkeys((one.job for one in found.chains), 0.0)
    for one in found.schedules:
        rates[one.job] = rates.get(one.job, 0.0) + rate(one.timing)
    return sorted(rates, key=lambda job: (-rates[job], job))[:JOBS_MEASURED_MAX]


async def _past(services: Services, environment: str, jobs: Sequence[JobKey]) -> _Past:
    store, since = services.store, services.clock() - MEASURED_SPAN

    async def work(tx: Tx) -> _Past:
        paces: dict[JobKey, Pace] = {}
        billed: dict[JobKey, Measured] = {}
        for project, name in jobs:
            key = (project, environment, name)
            pace = await paced(store, tx, key, since, RUNS_LOOKED_AT)
            if pace is not None:
                paces[project, name] = pace
            billed[project, name] = await billed_of(store, tx, key, RUNS_LOOKED_AT)
        return _Past(paces, billed)

    return await services.database.read(work)


def _forecast(
    found: Askers,
    jobs: Mapping[JobKey, Mapping[str, Any]],
    past: _Past,
    seen: Look,
    wanted: Wanted,
) -> Forecast:
    paces = {job: past.paces.get(job) or _until_timeout(jobs[job]) for job in jobs}
    triggers = [(one.job, one.name) for one in found.schedules]
    triggers += [(one.job, one.name) for one in found.chains]
    prices = {
        (*job, name): _price(
            jobs[job], past.measured.get(job), found.differing.get((*job, name)), seen.begin
        )
        for job, name in triggers
    }
    return forecast(found.schedules, found.chains, paces, prices, seen, wanted)


def _until_timeout(document: Mapping[str, Any]) -> Pace:
    timeout = seconds_of(document["template"]["template"]["timeout"])
    return Pace(timeout, timeout)


def _price(
    document: Mapping[str, Any],
    billed: Measured | None,
    differing: Differing | None,
    now: datetime,
) -> Estimate:
    """What a run of a trigger costs. Nothing is said of a job whose runs were not looked at."""
    if billed is None:
        return Estimate(0, 0, None, None, NOT_LOOKED_AT)
    if not billed.billed_milliseconds:
        return Estimate(0, 0, None, None, NOT_MEASURED)
    spec = JobSpec.from_document(document)
    told = differing or Differing()
    if told.region:
        spec = spec.model_copy(update={"regions": (told.region,), "placement": Placement.PRIMARY})
    if told.task_count is not None:
        template = spec.template.model_copy(update={"task_count": told.task_count})
        spec = spec.model_copy(update={"template": template})
    return estimate(spec, billed, now)
