"""Runs for a schedule's past instants: foreseen, asked for, ended."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.permits import Who, allowed
from runyard.api.queries import JobQuery
from runyard.api.reading import body, described
from runyard.api.rest.routes import errors, router
from runyard.api.rest.triggers import JobPath, TriggerPath, trigger_row
from runyard.api.services import Services, Use
from runyard.api.shapes_triggers import BackfillShape, CancelledBackfillShape
from runyard.api.trigger_bodies import BackfillBody, CancelBackfillBody
from runyard.database.port import Tx
from runyard.flow.access import Permission
from runyard.flow.schedule.backfilling import Backfill, backfill, schedule_of
from runyard.gate.backfilling import CancelBackfill, FillBack
from runyard.model.ids import RANDOM_BITS, stamped
from runyard.model.trigger.row import Trigger

backfills = router("triggers")
Of = Annotated[JobQuery, Query()]


@backfills.post(
    "/jobs/{name}/triggers/{trigger}:backfill",
    response_model=BackfillShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(Permission.RUNS_START),
    openapi_extra=described(BackfillBody),
)
async def fill_back(
    services: Use,
    who: Who,
    name: JobPath,
    trigger: TriggerPath,
    query: Of,
    asked: Annotated[BackfillBody, Depends(body(BackfillBody))],
) -> Response:
    """Ask for runs of a schedule's past instants; with `preview` only say which.

    Asked again, it asks for nothing that has a run.
    """
    row = await trigger_row(services, who, Permission.RUNS_START, name, trigger, query)
    if asked.preview:
        return answer(_foreseen(await _preview(services, row, asked)))
    now = services.clock()
    done = await services.gate.ask(
        FillBack(
            row.key,
            who.name,
            now,
            who.origin,
            id=stamped("bf", now, int.from_bytes(services.chance(RANDOM_BITS // 8))),
            since=asked.since,
            until=asked.until,
            parallelism=asked.parallelism,
            again=asked.again,
            new_id=services.new_run_id,
            zones=services.zones,
        )
    )
    runs = [str(run) for one in done.instants for run in one.runs]
    identity = done.id if runs else ""
    return answer(_document(identity, [one.at for one in done.instants], done.there, runs))


@backfills.post(
    "/jobs/{name}/triggers/{trigger}:cancelBackfill",
    response_model=CancelledBackfillShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(Permission.RUNS_CANCEL),
    openapi_extra=described(CancelBackfillBody),
)
async def cancel_backfill(
    services: Use,
    who: Who,
    name: JobPath,
    trigger: TriggerPath,
    query: Of,
    asked: Annotated[CancelBackfillBody, Depends(body(CancelBackfillBody))],
) -> Response:
    """End what is left of a backfill."""
    row = await trigger_row(services, who, Permission.RUNS_CANCEL, name, trigger, query)
    told = CancelBackfill(row.key, who.name, services.clock(), who.origin, asked.id)
    return answer({"id": asked.id, "runs": await services.gate.ask(told)})


async def _preview(services: Services, row: Trigger, asked: BackfillBody) -> Backfill:
    schedule = schedule_of(row, services.zones)

    async def work(tx: Tx) -> set[Any]:
        store = services.store.triggers
        return await store.instants_with_runs(tx, row.path, asked.since, asked.until)

    had = await services.database.read(work)
    timing, now = schedule.schedule.timing, services.clock()
    return backfill(timing, asked.since, asked.until, had, now, again=asked.again)


def _foreseen(plan: Backfill) -> dict[str, Any]:
    return _document("", [ask.instant for ask in plan.asks], plan.there, [])


def _document(identity: str, instants: Any, there: Any, runs: list[str]) -> dict[str, Any]:
    return {"id": identity, "instants": instants, "there": list(there), "runs": runs}
