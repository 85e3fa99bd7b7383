"""What rules read beside runs, on every kind of database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from runyard.database.port import Tx
from runyard.flow.costing import charge
from runyard.model.ids import attempt_key
from runyard.model.outcome import Usage
from runyard.model.trigger.instant import Fate, Instant, Unrun
from runyard.store.memory import Store
from tests.support.databases import Grounds
from tests.support.runs import NOW, make_run

HOUR = timedelta(hours=1)
USED = Usage(task_attempts=1, wall_milliseconds=60_000, billed_milliseconds=60_000)
TRIGGER = "shop/local/report/schedule"


def test_what_a_job_was_charged_since_an_instant(grounds: Grounds) -> None:
    async def scene() -> None:
        async with grounds.furnished() as database:
            store = Store.of(database.dialect)
            runs = [make_run(), make_run(job="other"), make_run(environment="prod")]
            charges = [
                (run, charge(USED, "us-central1", NOW - ago, key=attempt_key(run.id, number)))
                for number, (run, ago) in enumerate(
                    [(runs[0], HOUR), (runs[0], 0 * HOUR), (runs[1], HOUR), (runs[2], HOUR)]
                )
            ]

            async def spent(tx: Tx) -> Sequence[int]:
                await store.ledger.insert(tx, charges)
                key = ("shop", "local", "report")
                return [
                    await store.ledger.spent(tx, key, since)
                    for since in (NOW - HOUR, NOW, NOW + HOUR)
                ]

            one = charges[0][1].nano_dollars
            assert await database.write(spent) == [2 * one, one, 0]

    asyncio.run(scene())


def test_instants_that_became_no_run(grounds: Grounds) -> None:
    async def scene() -> None:
        async with grounds.furnished() as database:
            store = Store.of(database.dialect)

            def instant(fate: Fate, ago: int, trigger: str = TRIGGER, count: int = 1) -> Instant:
                at = NOW - ago * HOUR
                return Instant(trigger, at, fate, at, count=count)

            async def unrun(tx: Tx) -> list[Unrun]:
                await store.triggers.record(
                    tx,
                    [
                        instant(Fate.RUN, 1),
                        instant(Fate.MISSED, 2, count=7),
                        instant(Fate.LATE, 3),
                        instant(Fate.OVERLAP, 2, "shop/local/report/other"),
                        instant(Fate.OVERLAP, 2, "shop/local/another/schedule"),
                    ],
                )
                paths = (TRIGGER, "shop/local/report/other")
                assert await store.triggers.unrun(tx, (), NOW - 9 * HOUR) == []
                return await store.triggers.unrun(tx, paths, NOW - 2 * HOUR)

            found = await database.write(unrun)
            assert sorted(found, key=lambda one: one.fate) == [
                Unrun(Fate.MISSED, 7, NOW - 2 * HOUR),
                Unrun(Fate.OVERLAP, 1, NOW - 2 * HOUR),
            ]

    asyncio.run(scene())
