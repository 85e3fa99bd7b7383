"""The list of jobs: filtered, sorted, in pages that neither lose nor double a job.

An environment has at most a few thousand jobs, so a filter is held against each of them, and only
the order by name, the usual one, is read in pieces.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial

from runyard.database.port import Tx
from runyard.model.filter_kinds import Value
from runyard.model.filters import Expression, matches
from runyard.model.instants import to_micros
from runyard.store.jobs import JobRow, Jobs

BATCH = 500  #: rows read together while a filter is looked for
_FIRST = ("", "")

#: By the name that callers use; ties are broken by name and project. All others are whole numbers.
TEXT_SORTS = ("name", "applied_by")
SORTS: dict[str, Callable[[JobRow], Value]] = {
    "name": lambda job: job.name,
    "revision": lambda job: job.revision,
    "priority": lambda job: int(job.document.get("priority", 0)),
    "applied_at": lambda job: to_micros(job.applied_at),
    "applied_by": lambda job: job.applied_by,
}


@dataclass(frozen=True, slots=True)
class JobQuestion:
    """Which jobs, in which order. Empty and None: no such condition.

    `labels` must all be there. `filter` holds besides; `filter_text` is what it was read from.
    """

    environment: str
    name: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    sort: str = "name"
    descending: bool = False
    filter_text: str = ""
    filter: Expression | None = None


@dataclass(frozen=True, slots=True)
class AfterJob:
    """Where a page begins: after the job with this value to sort by, name and project."""

    place: Value
    name: str
    project: str


def place_of(job: JobRow, question: JobQuestion) -> AfterJob:
    """Where a page after `job` begins."""
    return AfterJob(SORTS[question.sort](job), job.name, job.project)


async def page(
    tx: Tx, jobs: Jobs, question: JobQuestion, after: AfterJob | None, limit: int
) -> list[JobRow]:
    """At most `limit` jobs after `after`, in order."""
    if question.sort == "name" and not question.descending:
        start = (after.name, after.project) if after else _FIRST
        found = []
        async for job in _fitting(tx, jobs, question, start):
            found.append(job)
            if len(found) == limit:
                break
        return found
    every = [job async for job in _fitting(tx, jobs, question, _FIRST)]
    place = SORTS[question.sort]
    every.sort(key=lambda job: (place(job), job.name, job.project), reverse=question.descending)
    if after is not None:
        edge = (after.place, after.name, after.project)
        every = [job for job in every if _is_after(job, question, edge)]
    return every[:limit]


def _is_after(job: JobRow, question: JobQuestion, edge: tuple[Value, str, str]) -> bool:
    key = (SORTS[question.sort](job), job.name, job.project)
    return key < edge if question.descending else key > edge


async def _fitting(
    tx: Tx, jobs: Jobs, question: JobQuestion, start: tuple[str, str]
) -> AsyncIterator[JobRow]:
    """The jobs that fit, by name and project, after a (name, project)."""
    last = start
    while rows := await _batch(tx, jobs, question, last):
        last = (rows[-1].name, rows[-1].project)
        for row in rows:
            if _has(row, question.labels) and matches(question.filter, partial(value, row)):
                yield row


async def _batch(tx: Tx, jobs: Jobs, question: JobQuestion, last: tuple[str, str]) -> list[JobRow]:
    if not question.name:
        return await jobs.page(tx, question.environment, last, BATCH)
    rows = await jobs.named(tx, question.environment, question.name)
    return [row for row in rows if (row.name, row.project) > last]


def _has(row: JobRow, labels: tuple[tuple[str, str], ...]) -> bool:
    own = row.document.get("labels", {})
    return all(own.get(key) == given for key, given in labels)


def value(row: JobRow, field: str, key: str) -> Value | tuple[Value, ...] | None:
    """A job's value of a field of `flow.filter_fields.JOB_FIELDS`."""
    if field == "labels":
        found: str | None = row.document.get("labels", {}).get(key)
        return found
    if field == "regions":
        return tuple(row.document["regions"])
    return _VALUES[field](row)


_VALUES: dict[str, Callable[[JobRow], Value]] = {
    **SORTS,
    "project": lambda job: job.project,
    "placement": lambda job: str(job.document["placement"]),
    "state": lambda job: "changing" if job.operation else "blocked" if job.blocked else "ready",
}
