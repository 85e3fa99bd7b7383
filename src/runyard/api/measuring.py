"""What recent runs of a job tell of those to come: what they are billed for, how long they take."""

from __future__ import annotations

from datetime import datetime
from math import ceil
from statistics import median_low

from runyard.database.port import Tx
from runyard.flow.estimates import RUNS_MEASURED, Measured
from runyard.flow.schedule.placing import Pace
from runyard.model.ids import RunId
from runyard.store.memory import Store

HIGH = 0.95  #: so many of the runs are as short as the long ones, or shorter


async def billed_of(
    store: Store, tx: Tx, key: tuple[str, str, str], limit: int = RUNS_MEASURED
) -> Measured:
    """What recent runs of a job (project, environment, name) were billed for: of the newest
    `limit` that succeeded those with as many tasks as the newest has."""
    ids = await store.runs.succeeded_of(tx, key, limit)
    if not ids:
        return Measured()
    tasks = {run.id: run.task_count for run in await store.runs.get(tx, ids)}
    alike: list[RunId] = [each for each in ids if tasks[each] == tasks[ids[0]]]
    billed = await store.ledger.billed_of_runs(tx, alike)
    return Measured(tuple(billed.values()), tasks[ids[0]])


async def paced(
    store: Store, tx: Tx, key: tuple[str, str, str], since: datetime, limit: int
) -> Pace | None:
    """How long recent runs of a job took that came to an end of their own; None: there are none."""
    recent = await store.runs.recent_of(tx, key, since, limit)
    took = sorted(one.seconds for one in recent if one.is_judged and one.seconds is not None)
    if not took:
        return None
    return Pace(median_low(took), took[ceil(len(took) * HIGH) - 1], len(took))
