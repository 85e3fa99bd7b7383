"""What tasks print is measured as it comes, once, on every kind of database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from runyard.engine.log_reading import BEHIND, EVERY
from runyard.flow.patterns import PATTERNS_MAX
from runyard.flow.rules import judge
from runyard.model.ids import AttemptKey
from runyard.model.log_metrics import SERIES_MAX
from runyard.telemetry.log_places import LogPlaces, Place
from tests.support.databases import Grounds
from tests.support.log_reading import MONTH, RULE, scene
from tests.support.runs import make_spec


def test_own_measures_and_rules_are_read_while_it_runs_and_to_the_end(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            assert await made.tick() is None
            run, key = await made.launched(make_spec(alerts=[RULE]))
            made.logs.own(key, {"metric": "rows", "value": 3, "labels": {"table": "orders"}})
            made.logs.write(key, "fine", "order lost")
            assert await made.tick() == made.yard.now + EVERY
            assert await made.places() == {key: Place(30)}
            made.logs.own(key, {"metric": "rows", "value": 4, "labels": {"table": "orders"}})
            made.logs.own(key, {"metric": "rows", "value": -4})
            made.logs.write(key, "another order lost")
            await made.ended(run)
            assert await made.tick() is None
            assert await made.counts() == {
                ("own.rows", "orders"): 7,
                ("own_refused", "form"): 1,
                ("log_matches", "log"): 2,
            }
            assert [(one.metric, value) for one, value in made.seen] == [
                ("own.rows", 3.0), ("own.rows", 4.0),
            ]  # fmt: skip
            assert await made.places() == {key: Place(60, made.yard.now - timedelta(seconds=1))}
            (said,) = judge(await made.subject(), {}, made.yard.now)
            assert said.title == "report: 2 lines have 'lost' within 1h"

    asyncio.run(work())


def test_another_process_reads_on_where_the_last_one_was(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            _, key = await made.launched(make_spec(alerts=[RULE]))
            made.logs.write(key, "lost", "lost")
            await made.tick()
            made.again()
            made.logs.write(key, "lost")
            assert await made.tick() == made.yard.now + EVERY
            assert (await made.counts())["log_matches", "log"] == 3
            made.again()
            made.logs.ended.add(key)
            assert await made.tick() is None
            assert (await made.counts())["log_matches", "log"] == 3

    asyncio.run(work())


def test_what_was_never_read_is_found_while_it_is_out(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            _, key = await made.launched(make_spec(alerts=[RULE]))
            made.logs.write(key, "lost")
            made.again()  # it has heard of nothing
            await made.tick()
            assert (await made.counts())["log_matches", "log"] == 1
            port = LogPlaces(made.yard.database.dialect)
            gone = AttemptKey("run_0000000000000000000000000z/1")
            await made.yard.database.write(lambda tx: port.put(tx, {gone: Place(7)}))
            made.again()
            await made.tick()
            assert await made.places() == {key: Place(10)}

    asyncio.run(work())


def test_error_lines_become_patterns_that_are_kept(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            rule = {"errorPattern": {"new": True, "within": "1h"}}
            run, key = await made.launched(make_spec(alerts=[rule]))
            job = (run.project, run.environment, run.job)
            made.logs.write(key, "connection to 10.0.0.1 refused: error 7", "done, 0 errors", "   ")
            made.logs.write(key, "\0an \ud800 error\0")
            await made.tick()
            made.again()
            made.logs.write(key, "connection to 10.0.0.2 refused: error 9", "disk error")
            await made.tick()
            (found,) = await made.recorder.patterns_of([job])
            assert {one.template: one.count for one in found} == {
                "connection to <ip> refused: error <number>": 2, "disk error": 1, "an ? error": 1,
            }  # fmt: skip
            refused = max(found, key=lambda one: one.count)
            assert [each.attempt_key for each in refused.examples] == [key, key]
            counts = await made.counts("error_lines")
            assert counts["error_lines", refused.id] == 2
            subject = await made.subject()
            (said,) = judge(subject, {}, made.yard.now)
            assert "new kind of error: connection to <ip> refused" in said.title
            await made.recorder.tend(made.yard.now + 2 * MONTH)
            assert await made.recorder.patterns_of([job]) == [[]]

    asyncio.run(work())


def test_patterns_of_a_job_are_bounded(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            run, key = await made.launched(make_spec())
            names = ["".join(chr(97 + int(digit)) for digit in str(n)) for n in range(102)]
            for first in (0, 51):
                made.logs.write(key, *[f"{name} error" for name in names[first : first + 51]])
                await made.tick()
            (found,) = await made.recorder.patterns_of([(run.project, "local", run.job)])
            assert len(found) == PATTERNS_MAX

    asyncio.run(work())


def test_what_is_behind_is_caught_up_with_soon(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            made.logs.page = 2
            _, key = await made.launched(make_spec(alerts=[RULE]))
            made.logs.write(key, *["lost"] * 3)
            assert await made.tick() == made.yard.now + BEHIND
            assert await made.tick() == made.yard.now + EVERY
            assert (await made.counts())["log_matches", "log"] == 3

    asyncio.run(work())


def test_series_of_a_job_are_bounded_also_after_a_restart(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            _, key = await made.launched(make_spec())
            made.logs.page = 1000
            for number in range(SERIES_MAX + 3):
                made.logs.own(key, {"metric": "rows", "labels": {"user": number}})
            await made.tick()
            counts = await made.counts()
            assert counts["own_refused", "too many series"] == 3
            assert len(counts) == SERIES_MAX + 1
            made.again()
            made.logs.own(key, {"metric": "rows", "labels": {"user": 0}})
            made.logs.own(key, {"metric": "rows", "labels": {"user": 9999}})
            await made.tick()
            again = await made.counts()
            assert again["own_refused", "too many series"] == 4
            assert again["own.rows", "0"] == 2

    asyncio.run(work())


@pytest.mark.parametrize("keep", [True, False])
def test_a_job_whose_revision_is_gone_is_left_alone(grounds: Grounds, *, keep: bool) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            _, key = await made.launched(make_spec())
            if not keep:
                await made.yard.database.write(lambda tx: tx.execute("DELETE FROM revisions"))
            made.logs.own(key, {"metric": "rows"})
            await made.tick()
            assert await made.counts() == ({("own.rows", ""): 1} if keep else {})

    asyncio.run(work())
