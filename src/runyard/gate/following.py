"""Triggers follow the jobs in force: what a batch made of jobs, it makes of their triggers."""

from __future__ import annotations

from datetime import datetime

import orjson

from runyard.flow.triggering import Wanted, follow
from runyard.model.job import JobSpec
from runyard.model.run import TriggerKind
from runyard.model.trigger.spec import named
from runyard.store.jobs import JobRow
from runyard.store.working_set import WorkingSet


async def follow_jobs(work: WorkingSet, now: datetime) -> None:
    """Bring triggers in line with the jobs that this batch put in force or took out of it. While
    an operation changes a job, its triggers stay as they are."""
    settled = [row for row in work.put_jobs.values() if not row.operation]
    gone = [key for key in work.dropped_jobs if key not in work.put_jobs]
    if not settled and not gone:
        return
    names = [(row.environment, row.name) for row in settled]
    await work.triggers.load_jobs([*names, *((key[1], key[2]) for key in gone)])
    for row in settled:
        _follow(work, (row.project, row.environment, row.name), _wanted(row), now)
    for key in gone:
        _follow(work, key, [], now)


def _follow(
    work: WorkingSet, job: tuple[str, str, str], wanted: list[Wanted], now: datetime
) -> None:
    done = follow(job, wanted, work.triggers.of_job(job), now)
    work.triggers.record(done.records)
    for row in done.drops:
        work.triggers.drop(row.key)
    for row in done.puts:
        work.triggers.put(row)


def _wanted(row: JobRow) -> list[Wanted]:
    if not row.document.get("triggers"):
        return []
    spec = JobSpec.from_document(row.document)
    return [
        Wanted(name, TriggerKind(one.kind), orjson.loads(orjson.dumps(one.document())), one.enabled)
        for name, one in named(spec.triggers)
    ]
