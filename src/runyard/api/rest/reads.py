"""What several nouns read: a run by its id, an attempt of it."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Path

from runyard.api.permits import permit
from runyard.api.services import Services
from runyard.database.port import Tx
from runyard.flow.access import Permission
from runyard.model.cost import Charge
from runyard.model.errors import NotFound, Refused
from runyard.model.ids import RunId
from runyard.model.principal import Caller
from runyard.model.run import Run
from runyard.store.runs import Happening

JobKey = tuple[str, str, str]  #: project, environment, name
RUN_ID = re.compile("run_[0-9abcdefghjkmnpqrstvwxyz]{26}")
RunPath = Annotated[str, Path(alias="id", description="A run's id, such as run_01k….")]


def no_run(run_id: str) -> NotFound:
    """There is no such run."""
    shown = run_id if run_id.isprintable() and len(run_id) <= 60 else "with this id"
    return NotFound(f"there is no run {shown}", hint="list runs with `runyard runs`")


async def run_in(
    services: Services, who: Caller, run_id: str, permission: Permission = Permission.RUNS_READ
) -> Run:
    """The run as it is now. Raises NotFound, or PermissionDenied in its environment."""
    found = await find_run(services, run_id)
    if found is None:
        raise no_run(run_id)
    await permit(services, who, permission, found.environment)
    return found


async def find_run(services: Services, run_id: str) -> Run | None:
    """The run as it is now; None when there is none (any more)."""
    if not RUN_ID.fullmatch(run_id):
        return None

    async def work(tx: Tx) -> list[Run]:
        return await services.store.runs.get(tx, [RunId(run_id)])

    found = await services.database.read(work)
    return found[0] if found else None


async def story(
    services: Services, who: Caller, run_id: str, after: int = 0
) -> tuple[Run, list[Happening], list[Charge]]:
    """A run with its history after a sequence number and its charges, all as of one instant.

    Raises NotFound, or PermissionDenied in its environment.
    """
    if not RUN_ID.fullmatch(run_id):
        raise no_run(run_id)

    async def work(tx: Tx) -> tuple[list[Run], list[Happening], list[Charge]]:
        store, key = services.store, RunId(run_id)
        return (
            await store.runs.get(tx, [key]),
            await store.runs.history(tx, key, after),
            await store.ledger.of_run(tx, key),
        )

    runs, history, charges = await services.database.read(work)
    if not runs:
        raise no_run(run_id)
    await permit(services, who, Permission.RUNS_READ, runs[0].environment)
    return runs[0], history, charges


def attempt_of(run: Run, asked: int | None) -> int:
    """The number of the attempt asked for, else of the last one; 0 while there is none.

    Raises NotFound for one there has not been.
    """
    if asked is None:
        return run.attempt
    if asked > run.attempt:
        words = "no attempt yet" if run.attempt == 0 else f"attempts 1 to {run.attempt}"
        raise NotFound(f"{run.id} has no attempt {asked}: it has had {words}")
    return asked


async def job_key(
    services: Services,
    who: Caller,
    name: str,
    environment: str | None,
    project: str | None,
    permission: Permission = Permission.JOBS_READ,
) -> JobKey:
    """Which job is meant, also of those that were deleted. Raises NotFound, Refused when several
    projects have one, or PermissionDenied in its environment."""
    where = environment or services.settings.environment
    await permit(services, who, permission, where)

    async def work(tx: Tx) -> list[str]:
        return await services.store.revisions.projects(tx, where, name)

    found = [one for one in await services.database.read(work) if project in (None, one)]
    if not found:
        shown = name if name.isprintable() and len(name) <= 60 else "of this name"
        hint = "list jobs with `runyard jobs`, or apply a manifest that has it"
        raise NotFound(f"there is no job {shown} in environment {where}", hint=hint)
    if len(found) > 1:
        raise Refused(
            f"job {name} is in several projects: {', '.join(found)}; name one with ?project="
        )
    return (found[0], where, name)
