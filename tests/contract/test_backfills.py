"""Backfills of a schedule, on every kind of database: what is kept of them, and how they end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runyard.gate.backfilling import CancelBackfill, FillBack, Filled
from runyard.model.audit import Origin
from runyard.model.errors import NotFound
from runyard.model.event import CancelRequested, Ended
from runyard.model.outcome import Ending
from runyard.model.run import Run, State, TriggeredBy
from runyard.model.trigger.instant import Fate, Instant
from tests.contract.test_triggers import KEY, PATH, fire, instants, run_of, scheduled
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_outcome, make_spec

FROM = Origin("::1", "curl", "tok_1")


async def fill_back(yard: Yard, number: str, hours: int = 2, **rest: Any) -> Filled:
    since = yard.now - timedelta(hours=hours)
    command = FillBack(
        KEY, "ann", yard.now, FROM, id=number, since=since, until=yard.now,
        new_id=yard.new_id, zones=ZoneInfo, **rest,
    )  # fmt: skip
    return await yard.gate.ask(command)


async def states(yard: Yard, *done: Filled) -> list[State]:
    runs = [await run_of(yard, one) for each in done for one in each.instants]
    return [run.state for run in runs]


async def first(yard: Yard, done: Filled) -> Run:
    return await run_of(yard, done.instants[0])


def test_what_a_backfill_did_is_kept_and_says_who_asked(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled())
        await fire(yard)
        done = await fill_back(yard, "bf_1")
        assert (done.id, done.there) == ("bf_1", ())
        told = [
            Instant(PATH, one.at, Fate.RUN, yard.now, "", one.runs, "backfill bf_1 of ann")
            for one in done.instants
        ]
        assert list(done.instants) == told == await instants(yard)
        (entry,) = await yard.entries("trigger.backfill")
        assert (entry.at, entry.by, entry.target) == (yard.now, "ann", f"trigger/{PATH}")
        assert entry.origin == FROM
        run = await first(yard, done)
        by = TriggeredBy(PATH, done.instants[0].at, slot="backfill/bf_1", slot_limit=1)
        assert (run.triggered_by, run.labels) == (by, (("backfill", "bf_1"),))
        assert await states(yard, done) == [State.LAUNCHING, State.QUEUED]

    in_yard(scene, grounds)


def test_a_backfill_that_asks_for_nothing_is_not_in_the_log(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled())
        await fill_back(yard, "bf_1")
        again = await fill_back(yard, "bf_2")
        assert (again.instants, len(again.there)) == ((), 2)
        assert len(await yard.entries("trigger.backfill")) == 1

    in_yard(scene, grounds)


def test_only_the_runs_of_one_backfill_are_ended_with_who_wanted_it(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled())
        await fire(yard)
        await fire(yard, 1)
        yard.later(60)
        mine = await fill_back(yard, "bf_1", 1, again=True)
        other = await fill_back(yard, "bf_10", 1, again=True)
        assert await yard.gate.ask(CancelBackfill(KEY, "bob", yard.now, id="bf_1")) == 1
        assert await states(yard, mine, other) == [State.STOPPING, State.LAUNCHING]
        fact = (await yard.history(await first(yard, mine)))[-1]
        assert fact.kind == "cancel_requested"
        assert (fact.data["by"], fact.data["reason"]) == ("bob", "backfill bf_1")
        with pytest.raises(NotFound, match="there is no trigger"):
            await yard.gate.ask(CancelBackfill((*KEY[:3], "no"), "bob", yard.now, id="bf_1"))

    in_yard(scene, grounds)


def test_who_is_told_that_there_is_no_such_trigger_has_ended_nothing(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled())
        done = await fill_back(yard, "bf_1")
        before = await states(yard, done)
        await yard.apply(make_spec())
        with pytest.raises(NotFound, match="there is no trigger"):
            await yard.gate.ask(CancelBackfill(KEY, "bob", yard.now, id="bf_1"))
        assert await states(yard, done) == before

    in_yard(scene, grounds)


def test_the_runs_of_all_its_regions_are_ended_those_that_wait_too(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        hourly = {"schedule": "0 * * * *"}
        regions = ["us-central1", "europe-west1"]
        await yard.apply(make_spec(regions=regions, placement="all", triggers=[hourly]))
        await fill_back(yard, "bf_1")
        ids = await yard.database.read(lambda tx: yard.store.runs.live_of_triggers(tx, [PATH]))
        assert len(ids) == 4
        assert await yard.gate.ask(CancelBackfill(KEY, "bob", yard.now, id="bf_1")) == 4
        found = [(await yard.run(each)).state for each in ids]
        assert sorted(found) == [State.CANCELLED] * 2 + [State.STOPPING] * 2

    in_yard(scene, grounds)


def test_none_that_waits_gets_the_room_of_one_that_is_ended(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        spec: dict[str, Any] = {"triggers": [{"schedule": "0 * * * *"}], "retry": {"attempts": 2}}
        await yard.apply(make_spec(concurrency={"limit": 1}, **spec))
        done = await fill_back(yard, "bf_1")
        failed = Ended(1, make_outcome(Ending.FAILED))
        assert (await yard.tell(await first(yard, done), failed)).state is State.BACKING_OFF
        assert await yard.gate.ask(CancelBackfill(KEY, "bob", yard.now, id="bf_1")) == 2
        assert await states(yard, done) == [State.CANCELLED, State.CANCELLED]

    in_yard(scene, grounds)


def test_what_is_being_stopped_already_keeps_no_other_from_being_ended(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled())
        done = await fill_back(yard, "bf_1", parallelism=2)
        await yard.tell(await first(yard, done), CancelRequested("ann"))
        both = [CancelBackfill(KEY, "bob", yard.now, id="bf_1") for _ in range(2)]
        assert (await yard.gate.decide_now(both)).answers == (2, 2)
        assert await states(yard, done) == [State.STOPPING, State.STOPPING]

    in_yard(scene, grounds)
