"""Plans: what is declared, in force and live is gathered, and `flow.planning` says what follows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from runyard.api.measuring import billed_of
from runyard.api.services import Services
from runyard.database.port import Tx
from runyard.flow import costing
from runyard.flow.differences import Document, Json
from runyard.flow.estimates import (
    Estimate,
    Headroom,
    Measured,
    estimate,
    headroom,
)
from runyard.flow.lifecycle import region_slot
from runyard.flow.planning import (
    ChangePlan,
    Declared,
    InForce,
    JobChange,
    Known,
    Live,
    Verdict,
    plan,
)
from runyard.flow.schedule.words import utc
from runyard.flow.trigger_changes import TriggerChange, month_runs, trigger_changes
from runyard.model.job import JobSpec
from runyard.model.validation import HIDDEN
from runyard.store.job_list import JobQuestion, page
from runyard.store.jobs import JobRow

JOBS_MAX = 10_000  #: of an environment that a plan looks at: ten times Google's quota of a region
_VALUE = re.compile(r"\.env\[([^\]]*)\]\.value$|\.with\.env\.(.+)$")
_SECRET = re.compile(r"PASS|SECRET|TOKEN|KEY|CREDENTIAL|PRIVATE|DSN", re.IGNORECASE)
Key = tuple[str, str]  #: project and name


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with what it costs and the room it leaves. `estimates` and `triggers` are by (project,
    name)."""

    plan: ChangePlan
    estimates: Mapping[Key, Estimate]
    headroom: Sequence[Headroom]
    triggers: Mapping[Key, Sequence[TriggerChange]]


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a plan is made on, as of one instant."""

    rows: Sequence[JobRow]
    measured: Mapping[Key, Measured]
    out: Mapping[str, int]


def declared(specs: Sequence[JobSpec]) -> list[Declared]:
    """What a manifest wants, as it is read from rows: without tuples."""
    return [
        Declared(
            spec.project,
            spec.name,
            orjson.loads(orjson.dumps(spec.document())),
            spec.ignore_drift,
        )
        for spec in specs
    ]


async def planned(
    services: Services,
    environment: str,
    specs: Sequence[JobSpec],
    live: Mapping[Key, Sequence[Live]],
    verdicts: Mapping[str, Verdict],
    *,
    prune: bool = False,
) -> Planned:
    """The plan of bringing `specs` into force in `environment`."""
    ground = await _look(services, environment, specs)
    in_force = [InForce(row.project, row.name, row.revision, row.document) for row in ground.rows]
    made = plan(declared(specs), Known(environment, in_force, live, prune), verdicts)
    now = services.clock()
    estimates = {
        (spec.project, spec.name): estimate(
            spec,
            ground.measured.get((spec.project, spec.name), Measured()),
            now,
            month_runs(spec, services.zones, now),
        )
        for spec in specs
    }
    room = headroom(
        [row.document for row in ground.rows],
        _after(ground.rows, made.jobs),
        ground.out,
        services.settings.region_runs_max,
    )
    before = {(row.project, row.name): row.document for row in ground.rows}
    triggers = {
        (job.project, job.name): trigger_changes(
            before.get((job.project, job.name)), job.document, services.zones, now
        )
        for job in made.jobs
    }
    return Planned(made, estimates, room, triggers)


def _after(rows: Sequence[JobRow], changes: Sequence[JobChange]) -> list[Document]:
    """The documents in force once the plan is carried out."""
    changed = {(change.project, change.name): change.document for change in changes}
    kept = {(row.project, row.name): row.document for row in rows}
    return [document for document in (kept | changed).values() if document is not None]


async def _look(services: Services, environment: str, specs: Sequence[JobSpec]) -> _Ground:
    store = services.store
    keys = [(spec.project, spec.name) for spec in specs]

    async def work(tx: Tx) -> _Ground:
        rows = await page(tx, store.jobs, JobQuestion(environment), None, JOBS_MAX)
        known = {(row.project, row.name) for row in rows}
        measured = {
            key: await billed_of(services.store, tx, (key[0], environment, key[1]))
            for key in keys
            if key in known
        }
        slots = {
            region_slot(environment, region): region
            for region in {one for spec in specs for one in spec.regions}
        }
        out = {slots[one.name]: one.used for one in await store.slots.get(tx, [*slots])}
        return _Ground(rows, measured, out)

    return await services.database.read(work)


def plan_document(found: Planned) -> dict[str, Any]:
    """PLAN of the API."""
    made = found.plan
    return {
        "environment": made.environment,
        "token": made.token,
        "has_changes": made.has_changes,
        "is_safe": made.is_safe,
        "jobs": [
            _job(made.environment, job, found.estimates.get((job.project, job.name)))
            | {"triggers": [_trigger(one) for one in found.triggers[job.project, job.name]]}
            for job in made.jobs
        ],
        "headroom": [
            {
                "name": one.name,
                "where": one.where,
                "used": one.used,
                "after": one.after,
                "limit": one.limit,
                "is_passed": one.is_passed,
            }
            for one in found.headroom
        ],
    }


def _job(environment: str, job: JobChange, cost: Estimate | None) -> dict[str, Any]:
    return {
        "project": job.project,
        "environment": environment,
        "name": job.name,
        "action": job.action,
        "base_revision": job.base_revision,
        "revision": job.base_revision + job.revises if job.base_revision else 1,
        "regions": list(job.document["regions"]) if job.document else [],
        "fields": [
            {
                "path": one.path,
                "before": unsecret(one.path, one.before),
                "after": unsecret(one.path, one.after),
                "unsafe": one.why,
            }
            for one in job.fields
        ],
        "drift": [
            {
                "region": one.region,
                "path": one.path,
                "applied": unsecret(one.path, one.applied),
                "live": unsecret(one.path, one.live),
                "verdict": one.verdict,
            }
            for one in job.drift
        ],
        "missing": list(job.missing),
        "unsafe": list(job.risks),
        "estimate": cost and _estimate(cost),
    }


def _trigger(change: TriggerChange) -> dict[str, Any]:
    return {
        "name": change.name,
        "kind": change.kind,
        "action": change.action,
        "says": change.says,
        "words": list(change.words),
        "instants": [{"utc": utc(at), "local": at.isoformat()} for at in change.instants],
    }


def _estimate(cost: Estimate) -> dict[str, Any]:
    run, month = cost.run_nano_dollars, cost.month_nano_dollars
    return {
        "launches_max": cost.launches_max,
        "runs_measured": cost.runs_measured,
        "run_nano_dollars": run,
        "run_cost": None if run is None else costing.display(run),
        "month_nano_dollars": month,
        "month_cost": None if month is None else costing.display(month),
        "why_unknown": cost.why,
    }


def unsecret(path: str, value: Json) -> Json:
    """`value` of a field, without what looks like a secret by the name of its variable."""
    if isinstance(value, Mapping):
        if "name" in value and "value" in value and _SECRET.search(str(value["name"])):
            return {**value, "value": HIDDEN}
        return {key: unsecret(f"{path}.{key}", inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [unsecret(path, inner) for inner in value]
    named = _VALUE.search(path)
    return HIDDEN if named and _SECRET.search(named[1] or named[2]) else value
