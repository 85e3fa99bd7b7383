"""Applying a manifest: a plan is made of how things are, and an operation of the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from runyard.api.changes import Asked, Key, Looked, aim, look, undertake
from runyard.api.planning import declared
from runyard.api.services import Services
from runyard.flow.deployment import found
from runyard.flow.planning import (
    CLOUD_KEYS,
    Declared,
    InForce,
    JobChange,
    Known,
    Live,
    Verdict,
    check_token,
    plan,
)
from runyard.gate.reserving import Aim, Undertaken
from runyard.model.errors import StalePlan
from runyard.model.job import JobSpec
from runyard.model.operation import OperationKind

LOOKS_MAX = 3  #: looks at what others change at the same moment; then who asks is told


async def apply(
    services: Services,
    specs: Sequence[JobSpec],
    asked: Asked,
    verdicts: Mapping[str, Verdict],
    plan_token: str = "",
) -> Undertaken:
    """Begin to put `specs` in force; with a token exactly as that plan said, or not at all.

    Raises StalePlan for a token of another plan, and whatever `changes.undertake` raises.
    """
    wishes = declared(specs)
    looks = 1
    while True:
        looked = await look_at(services, asked.environment, wishes)
        rows = [one.row for one in looked.values() if one.row is not None]
        in_force = [InForce(row.project, row.name, row.revision, row.document) for row in rows]
        made = plan(wishes, Known(asked.environment, in_force, live_of(looked)), verdicts)
        if plan_token:
            check_token(plan_token, made)
            asked = replace(asked, confirmed=True)
        try:
            aims = [_aim(change, looked) for change in made.jobs]
            return await undertake(services, OperationKind.APPLY, asked, aims)
        except StalePlan:
            if plan_token or looks == LOOKS_MAX:
                raise
            looks += 1


async def look_at(
    services: Services, environment: str, wishes: Sequence[Declared]
) -> dict[Key, Looked]:
    """How the jobs of a manifest are, in force and at the provider."""
    regions = {job.key: job.document["regions"] for job in wishes}
    return await look(services, environment, regions)


def live_of(looked: Mapping[Key, Looked]) -> dict[Key, list[Live]]:
    """How jobs are at the provider, as a plan is made against it."""
    return {
        key: [
            Live(region, job.etag if job else "", found(job) if job else None)
            for region, job in one.live.items()
        ]
        for key, one in looked.items()
    }


def _aim(change: JobChange, looked: Mapping[Key, Looked]) -> Aim:
    document = change.document or {}
    targets = {region: change.deployed(region) for region in document.get("regions", ())}
    kept = tuple((region, it) for region, it in targets.items() if it and _differs(it, document))
    risks = tuple(f"{change.name}: {words}" for words in change.risks)
    key = (change.project, change.name)
    return replace(aim(key, looked[key]), document=change.document, targets=kept, unsafe=risks)


def _differs(target: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    return any(target.get(key) != document.get(key) for key in CLOUD_KEYS)
