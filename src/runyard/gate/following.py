"""Triggers follow the jobs in force: what a batch made of jobs, it makes of their triggers. And
those that follow runs are told, by way of the outbox, of the runs that a batch ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson

from runyard.flow.chaining import sources_of
from runyard.flow.triggering import Wanted, follow
from runyard.model.event import Released
from runyard.model.job import JobSpec
from runyard.model.run import Run, TriggerKind
from runyard.model.trigger.spec import TriggerSpec, named
from runyard.store.jobs import JobRow
from runyard.store.triggers import Follower
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


async def follow_runs(work: WorkingSet, now: datetime) -> None:
    """See that the triggers which follow the runs that this batch ended are told of it."""
    ended = [run for run, fact, _ in work.facts if run.is_final and not isinstance(fact, Released)]
    if not ended:
        return
    followers = await work.triggers.followers({_source(run) for run in ended})
    for run in ended:
        told = tuple(
            one.trigger for one in followers.get(_source(run), ()) if _is_concerned(one, run)
        )
        if told:
            work.follow(run, told, now)


def _source(run: Run) -> str:
    return f"{run.project}/{run.environment}/{run.job}"


def _is_concerned(follower: Follower, run: Run) -> bool:
    """A schedule counts its own runs only."""
    if follower.kind is not TriggerKind.SCHEDULE:
        return True
    return run.triggered_by is not None and run.triggered_by.trigger == follower.trigger


def _follow(
    work: WorkingSet,
    job: tuple[str, str, str],
    wanted: Sequence[tuple[Wanted, Sequence[str]]],
    now: datetime,
) -> None:
    done = follow(job, [one for one, _ in wanted], work.triggers.of_job(job), now)
    work.triggers.record(done.records)
    for row in done.drops:
        work.triggers.drop(row.key)
    sources = {one.name: jobs for one, jobs in wanted}
    for row in done.puts:
        work.triggers.put(row)
        work.triggers.follow(row, [f"{job[0]}/{job[1]}/{one}" for one in sources[row.name]])


def _wanted(row: JobRow) -> list[tuple[Wanted, Sequence[str]]]:
    """The triggers of a job in force, each with the jobs whose runs it follows."""
    if not row.document.get("triggers"):
        return []
    spec = JobSpec.from_document(row.document)
    return [
        (_as_wanted(name, one), sources_of(one, spec.name)) for name, one in named(spec.triggers)
    ]


def _as_wanted(name: str, spec: TriggerSpec) -> Wanted:
    document = orjson.loads(orjson.dumps(spec.document()))
    return Wanted(name, TriggerKind(spec.kind), document, spec.enabled)
