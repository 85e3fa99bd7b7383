"""Plans: what applying a manifest would do. Nothing is changed by one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import Depends
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.applying import live_of, look_at
from runyard.api.bodies import PlanBody
from runyard.api.permits import Who, allowed, permit
from runyard.api.planning import declared, plan_document, planned
from runyard.api.reading import body, described
from runyard.api.rest.jobs import load_manifest
from runyard.api.rest.routes import errors, router
from runyard.api.services import Use
from runyard.api.shapes_plans import PlanShape
from runyard.flow.access import Permission

plans = router("jobs")


@plans.post(
    "/jobs:plan",
    response_model=PlanShape,
    responses=errors(413),
    dependencies=allowed(Permission.JOBS_READ),
    openapi_extra=described(PlanBody),
)
async def plan_jobs(
    services: Use, who: Who, asked: Annotated[PlanBody, Depends(body(PlanBody))]
) -> Response:
    """Say what applying a manifest would change, overwrite and cost. Its token stands for exactly
    that: who applies with it applies this plan, or nothing."""
    environment, loaded, _ = await load_manifest(services, asked)
    await permit(services, who, Permission.JOBS_READ, environment, loaded.project)
    live = live_of(await look_at(services, environment, declared(loaded.jobs)))
    found = await planned(services, environment, loaded.jobs, live, asked.drift)
    warnings = [asdict(each) for each in loaded.warnings]
    return answer(plan_document(found) | {"warnings": warnings})
