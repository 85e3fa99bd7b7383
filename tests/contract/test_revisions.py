"""Revisions as people look at them, and what runs were billed for, on every database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from runyard.database.port import Tx
from runyard.flow import costing
from runyard.model.ids import AttemptKey, RunId
from runyard.model.outcome import Usage
from runyard.model.run import State
from runyard.store.jobs import JobRow
from runyard.store.memory import Store
from runyard.store.revisions import NEWEST
from tests.support.databases import Grounds
from tests.support.runs import NOW
from tests.support.stories import begun

KEY = ("shop", "local", "report")


def test_revisions_are_read_newest_first(grounds: Grounds) -> None:
    async def scene() -> None:
        async with grounds.furnished() as database:
            store = Store.of(database.dialect)

            async def fill(tx: Tx) -> None:
                for number in range(1, 6):
                    at = NOW + timedelta(seconds=number)
                    row = JobRow(*KEY, number, {"n": number}, at, "ann")
                    other = replace(row, project="bank", revision=number + 10)
                    await store.jobs.add_revisions(tx, [row, other])

            await database.write(fill)

            async def look(tx: Tx) -> None:
                page = await store.revisions.page(tx, KEY, NEWEST, 2)
                assert [one.number for one in page] == [5, 4]
                assert (page[0].document, page[0].applied_by) == ({"n": 5}, "ann")
                assert page[0].applied_at == NOW + timedelta(seconds=5)
                rest = await store.revisions.page(tx, KEY, 4, 10)
                assert [one.number for one in rest] == [3, 2, 1]
                assert await store.revisions.projects(tx, "local", "report") == ["bank", "shop"]
                assert await store.revisions.projects(tx, "prod", "report") == []

            await database.read(look)

    asyncio.run(scene())


def test_runs_of_a_job_are_measured_newest_first(grounds: Grounds) -> None:
    runs = [
        replace(
            begun().run,
            id=RunId(f"run_{number}"),
            requested_at=NOW + timedelta(seconds=number),
            state=State.DEAD if number == 3 else State.SUCCEEDED,
            environment="prod" if number == 4 else "local",
        )
        for number in range(6)
    ]

    async def scene() -> None:
        async with grounds.furnished() as database:
            store = Store.of(database.dialect)

            async def fill(tx: Tx) -> None:
                await store.runs.insert(tx, runs)
                for number, run in enumerate(runs[:5]):
                    usage = Usage(billed_milliseconds=1000 * (number + 1))
                    charges = [
                        costing.charge(usage, "us-central1", NOW, key=AttemptKey(f"{run.id}/{n}"))
                        for n in (1, 2)
                    ]
                    await store.ledger.insert(tx, [(run, charge) for charge in charges])

            await database.write(fill)
            job = (runs[0].project, "local", runs[0].job)

            async def look(tx: Tx) -> None:
                found = await store.runs.succeeded_of(tx, job, 10)
                assert found == ["run_5", "run_2", "run_1", "run_0"]
                assert await store.runs.succeeded_of(tx, job, 2) == ["run_5", "run_2"]
                assert await store.ledger.billed_of_runs(tx, found) == {
                    "run_2": 6000, "run_1": 4000, "run_0": 2000,
                }  # fmt: skip
                assert await store.ledger.billed_of_runs(tx, []) == {}

            await database.read(look)

    asyncio.run(scene())
