"""The list of jobs: every job once, in order, whatever the filter, on every database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from runyard.flow.filter_fields import JOB_FIELDS
from runyard.model.filters import parse
from runyard.model.job import JobSpec
from runyard.store.job_list import BATCH, SORTS, AfterJob, JobQuestion, page, place_of, value
from runyard.store.jobs import JobRow
from runyard.store.memory import Store
from tests.support.databases import Grounds
from tests.support.manifests import make_job
from tests.support.runs import NOW

COUNT = BATCH + 120


def jobs() -> list[JobRow]:
    """Jobs of two projects, more than are read at once."""
    chance = Random(5)
    found: list[JobRow] = []
    for number in range(COUNT):
        labels = {"team": chance.choice(["data", "ml"])} if number % 3 else {}
        regions = chance.sample(["us-central1", "europe-west1", "us-east1"], chance.randrange(1, 3))
        job = make_job(labels=labels, regions=regions, priority=chance.randrange(-3, 4))
        project, name = chance.choice(["bank", "shop"]), f"job-{number // 2 * 7 % COUNT}"
        if (project, name) in {(row.project, row.name) for row in found}:
            continue
        spec = JobSpec.from_document(job | {"project": project, "name": name})
        at = NOW + timedelta(seconds=chance.randrange(50))
        by = chance.choice(["ann", "bob"])
        revision = chance.randrange(1, 5)
        found.append(JobRow(project, "local", name, revision, spec.document(), at, by))
    return found


ROWS = jobs()


def listed(grounds: Grounds, questions: list[JobQuestion], size: int) -> list[list[JobRow]]:
    """Every page of each question, put together."""

    async def scene() -> list[list[JobRow]]:
        async with grounds.furnished() as database:
            store = Store.of(database.dialect)
            await database.write(lambda tx: store.jobs.put(tx, ROWS))
            found: list[list[JobRow]] = []
            for question in questions:
                rows: list[JobRow] = []
                after: AfterJob | None = None
                while got := await database.read(
                    lambda tx, q=question, a=after: page(tx, store.jobs, q, a, size)  # type: ignore[misc]
                ):
                    rows += got
                    after = place_of(got[-1], question)
                found.append(rows)
            return found

    return asyncio.run(scene())


def test_pages_hold_every_job_once_in_order(grounds: Grounds) -> None:
    questions = [JobQuestion("local", sort=s, descending=d) for s in SORTS for d in (False, True)]
    for question, found in zip(questions, listed(grounds, questions, 97), strict=True):
        place = SORTS[question.sort]
        wanted = sorted(
            ROWS,
            key=lambda job: (place(job), job.name, job.project),
            reverse=question.descending,
        )
        assert [job.key for job in found] == [job.key for job in wanted], question


CASES: list[tuple[str, Callable[[JobRow], bool]]] = [
    ("labels.team = data", lambda job: job.document.get("labels") == {"team": "data"}),
    ("NOT labels:team", lambda job: not job.document.get("labels")),
    ("regions:us-east1", lambda job: "us-east1" in job.document["regions"]),
    ("name = job-1*", lambda job: job.name.startswith("job-1")),
    ("revision >= 3 AND applied_by = ann", lambda j: j.revision > 2 and j.applied_by == "ann"),
    ("priority < 0 OR project = bank", lambda j: j.document["priority"] < 0 or j.project == "bank"),
    ("placement = all", lambda job: False),
    ("state = ready", lambda job: True),
    ("state = changing OR state = blocked", lambda job: False),
]  # fmt: skip


def test_a_filter_keeps_those_that_fit(grounds: Grounds) -> None:
    questions = [JobQuestion("local", filter=parse(text, JOB_FIELDS)) for text, _ in CASES]
    for (text, fits), found in zip(CASES, listed(grounds, questions, 50), strict=True):
        assert {job.key for job in found} == {job.key for job in ROWS if fits(job)}, text
    assert sum(bool(fits(job)) for _, fits in CASES for job in ROWS) > COUNT


@pytest.mark.parametrize("field", [*JOB_FIELDS])
def test_every_field_has_a_value(field: str) -> None:
    assert value(ROWS[1], field, "team") is not None


def test_the_state_of_a_job() -> None:
    row = ROWS[0]
    assert value(row, "state", "") == "ready"
    assert value(replace(row, blocked="no room"), "state", "") == "blocked"
    assert value(replace(row, blocked="no room", operation="op_1"), "state", "") == "changing"


def test_a_name_and_an_environment_are_conditions(grounds: Grounds) -> None:
    name = ROWS[3].name
    questions = [JobQuestion("local", name=name), JobQuestion("prod"), JobQuestion("local", "x")]
    named, elsewhere, nobody = listed(grounds, questions, 10)
    assert {job.key for job in named} == {job.key for job in ROWS if job.name == name}
    assert (elsewhere, nobody) == ([], [])
