"""No line of a log is missed or counted twice, whoever is killed, stopped or away, on every kind of
database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from runyard.engine.log_finding import KEPT
from runyard.engine.log_reading import EVERY, PLACES_MAX
from runyard.model.errors import ProviderUnavailable, StoreUnavailable
from runyard.model.event import Due, Ended, Launched
from runyard.model.ids import attempt_key
from runyard.model.outcome import Ending
from runyard.telemetry.log_places import Place
from tests.support.databases import Grounds
from tests.support.log_reading import RULE, Scene, scene
from tests.support.runs import make_outcome, make_spec

LOST = ("log_matches", "log")
TWICE = {"attempts": 2, "backoff": {"initial": "1s", "jitter": "none"}}


async def lost(made: Scene) -> float:
    """How many lines were counted."""
    return (await made.counts()).get(LOST, 0)


def test_an_attempt_that_ended_before_its_launch_was_told_is_read(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            await made.yard.apply(make_spec(alerts=[RULE]))
            await made.tick()
            run = await made.yard.request()
            made.logs.write(run.attempt_key, "lost")
            await made.ended(run)
            assert await made.tick() is None
            assert await lost(made) == 1

    asyncio.run(work())


def test_what_came_and_went_before_anybody_read_it_is_read_once(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            await made.tick()
            run, key = await made.launched(make_spec(alerts=[RULE]))
            made.logs.write(key, "lost", "lost")
            await made.ended(run)
            for count in (0, 2, 2):
                assert await lost(made) == count
                made.again()
                assert await made.tick() is None
            assert await made.places() == {key: Place(20, made.yard.now - timedelta(seconds=3))}

    asyncio.run(work())


def test_the_first_to_read_reads_what_it_heard_of_and_nothing_older(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            older, key = await made.launched(make_spec(alerts=[RULE]))
            made.logs.write(key, "lost")
            await made.ended(older)
            made.again()
            made.yard.later(60)
            run, key = await made.launched(make_spec(alerts=[RULE]))
            made.logs.write(key, "lost")
            await made.ended(run)
            made.yard.later(KEPT.total_seconds() * 2)
            await made.tick()
            made.again()
            await made.tick()
            assert await lost(made) == 1

    asyncio.run(work())


def test_what_is_heard_while_it_begins_or_late_is_read_once(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            spec = make_spec(alerts=[RULE])
            run, key = await made.launched(spec)
            made.logs.write(key, "lost")
            facts = [(run, Launched(1, "a"), made.yard.now)]
            await made.yard.database.write(lambda tx: tx.execute("DELETE FROM runs"))
            await made.tick()  # as if it came between the look at the rows and the end of it
            assert await lost(made) == 1
            other, key = await made.launched(spec)
            await made.ended(other)
            facts += [(other, Launched(1, "a"), made.yard.now)]
            await made.tick()
            made.reading.observe(facts)
            await made.tick()
            assert await lost(made) == 1
            assert (await made.places())[key].ended_at is not None

    asyncio.run(work())


def test_what_is_taken_up_has_a_place_before_it_is_its_turn(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            await made.tick()
            keys = set()
            for _ in range(PLACES_MAX + 1):
                run, key = await made.launched(make_spec(alerts=[RULE]))
                await made.ended(run)
                keys.add(key)
            made.logs.answers = [True, False]
            with pytest.raises(ProviderUnavailable):
                await made.tick()
            assert set(await made.places()) == keys

    asyncio.run(work())


def test_every_attempt_of_a_run_is_read(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            await made.tick()
            run, first = await made.launched(make_spec(alerts=[RULE], retry=TWICE))
            made.logs.write(first, "lost")
            run = await made.ended(run, ending=Ending.FAILED)
            made.yard.later(2)
            await made.yard.tell(run, Due())
            run = await made.yard.tell(await made.yard.run(run.id), Launched(2, "b"))
            made.logs.write(attempt_key(run.id, 2), "lost")
            made.again()
            assert await made.tick() == made.yard.now + EVERY
            assert await lost(made) == 2
            made.again()
            await made.tick()
            assert await lost(made) == 2

    asyncio.run(work())


def test_a_log_that_is_read_before_its_end_is_told_is_not_read_again(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            run, key = await made.launched(make_spec(alerts=[RULE]))
            made.logs.write(key, "lost")
            made.logs.ended.add(key)
            assert await made.tick() is None
            assert await made.tick() is None
            assert made.logs.sifted == 1  # it rests until more is told of it
            made.again()
            await made.tick()
            await made.ended(run)
            assert await made.tick() is None
            assert await lost(made) == 1
            assert (await made.places())[key].ended_at is not None

    asyncio.run(work())


def test_old_places_make_room_and_nothing_is_read_again_for_it(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            await made.tick()
            spec = make_spec(alerts=[RULE], retry=TWICE)
            run, old = await made.launched(spec)
            made.logs.write(old, "lost")
            run = await made.ended(run, ending=Ending.FAILED)
            await made.tick()
            made.yard.later(2 * KEPT.total_seconds() + 1)
            await made.yard.tell(run, Due())
            await made.yard.tell(await made.yard.run(run.id), Ended(2, make_outcome()))
            new = attempt_key(run.id, 2)
            made.logs.ended.add(new)
            made.tell()
            await made.tick()
            made.tell()
            assert set(await made.places()) == {old, new}
            other, key = await made.launched(spec)
            await made.ended(other)
            await made.tick()
            assert set(await made.places()) == {new, key}
            made.again()
            await made.tick()
            assert set(await made.places()) == {new, key}
            assert await lost(made) == 1

    asyncio.run(work())


def test_what_could_not_be_written_is_written_before_more_is_read(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            _, key = await made.launched(make_spec(alerts=[RULE]))
            await made.tick()
            made.logs.write(key, "lost", "an error")
            made.away.writes = [False, False]
            with pytest.raises(StoreUnavailable):
                await made.tick()
            made.logs.write(key, "lost")
            with pytest.raises(StoreUnavailable):
                await made.tick()
            assert made.logs.sifted == 2
            await made.tick()  # in order: nothing more was printed
            assert await made.places() == {key: Place(30)}
            made.again()
            await made.tick()
            assert await lost(made) == 2

    asyncio.run(work())


def test_what_was_not_written_when_it_was_killed_is_read_again(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            run, key = await made.launched(make_spec(alerts=[RULE]))
            await made.tick()
            made.logs.write(key, "lost", "an error")
            await made.ended(run)
            made.away.writes = [False]
            with pytest.raises(StoreUnavailable):
                await made.tick()
            made.again()
            assert await made.tick() is None
            assert await lost(made) == 1
            ((pattern,),) = await made.recorder.patterns_of([("shop", "local", "report")])
            assert pattern.count == 1

    asyncio.run(work())


def test_a_database_that_is_away_in_the_middle_has_nothing_counted_twice(grounds: Grounds) -> None:
    async def work() -> None:
        async with scene(grounds) as made:
            _, key = await made.launched(make_spec(alerts=[RULE]))
            await made.tick()
            made.logs.write(key, "lost", "an error")
            made.logs.own(key, {"metric": "rows", "value": 3})
            for reads in ([False], [True, False]):  # of patterns, of series
                made.away.reads = reads
                with pytest.raises(StoreUnavailable):
                    await made.tick()
            await made.tick()
            counts = await made.counts("log_matches", "own.rows")
            assert counts == {LOST: 1, ("own.rows", ""): 3}

    asyncio.run(work())
