"""What triggers that follow runs ask for and keep, and what they leave alone, on every kind of
database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from runyard.gate.chaining import FollowUp
from runyard.model.event import Ended
from runyard.model.ids import RunId
from runyard.model.outcome import Ending
from runyard.model.run import Run, TriggeredBy
from runyard.model.trigger.instant import Fate, Instant
from runyard.model.trigger.row import Trigger, TriggerState
from tests.contract.test_chains import (
    PATH,
    SCHEDULE,
    WATCH,
    chained,
    ended,
    fire,
    follow,
    follows,
    instants,
    row,
    watching,
)
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_outcome, make_spec

REGIONS = ["us-central1", "europe-west1"]
ASKED = {"region": "europe-west1", "labels": {"why": "sales", "also": "x"}, "priority": 3}
HOURLY: dict[str, Any] = {"schedule": "0 * * * *", "pauseOnFailures": 2}


def looks_asked(run: Run, by: str) -> bool:
    """True when a run is as `ASKED` says, and asked for by a trigger."""
    assert run.requested_by == by
    assert run.project == "shop"
    assert run.labels == (("also", "x"), ("why", "sales"))
    return (run.region, run.policy.priority) == ("europe-west1", 3)


async def spoil(yard: Yard, document: dict[str, Any]) -> Trigger:
    """A newer version has written the trigger, in words that this one does not know."""
    spoilt = (await row(yard)).evolve(document=document)
    await yard.database.write(lambda tx: yard.store.triggers.put(tx, [spoilt]))
    return spoilt


def test_a_chain_asks_as_it_says_and_keeps_when_the_run_before_ended(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        follower = make_spec(regions=REGIONS, triggers=[{"after": {"job": "x"}, "with": ASKED}])
        await yard.apply(make_spec(name="x"), follower)
        first = await ended(yard, "x")
        yard.later(5)
        await follow(yard)
        (one,) = await instants(yard)
        assert first.ended_at == yard.now - timedelta(seconds=5)
        assert one == Instant(PATH, first.ended_at, Fate.RUN, yard.now, "", one.runs, first.id)
        run = await yard.run(one.runs[0])
        assert looks_asked(run, PATH)
        assert run.triggered_by == TriggeredBy(PATH, first.ended_at, after=(first.id,))

    in_yard(scene, grounds)


def test_what_a_chain_refuses_is_kept_at_the_end_of_the_run_before(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await chained(yard, {"job": "x"}, **{"with": {"region": "us-east1"}})
        first = await ended(yard, "x")
        yard.later(5)
        await follow(yard)
        (one,) = await instants(yard)
        assert first.ended_at is not None
        expected = Instant(PATH, first.ended_at, Fate.REFUSED, yard.now, origin=first.id)
        assert replace(one, reason="") == expected

    in_yard(scene, grounds)


def test_an_absence_asks_as_it_says_for_the_instant_that_passed(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        absence = {"of": {"job": "x"}, "within": "2h"}
        watched = make_spec(regions=REGIONS, triggers=[{"absence": absence, "with": ASKED}])
        await yard.apply(make_spec(name="x"), watched)
        await fire(yard)
        due = (await row(yard)).next_instant
        await fire(yard, 3)
        (one,) = await instants(yard, WATCH)
        assert due == yard.now - timedelta(hours=1)
        assert one == Instant(WATCH, due, Fate.RUN, yard.now, "", one.runs)
        run = await yard.run(one.runs[0])
        assert looks_asked(run, WATCH)
        assert run.triggered_by == TriggeredBy(WATCH, due)

    in_yard(scene, grounds)


def test_what_an_absence_tells_is_kept_for_the_instant_that_passed(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(name="x"), watching(do="alert"))
        await fire(yard)
        due = (await row(yard)).next_instant
        await fire(yard, 3)
        (one,) = await instants(yard, WATCH)
        assert due is not None
        assert one == Instant(WATCH, due, Fate.ALERT, yard.now, one.reason)

    in_yard(scene, grounds)


def test_an_absence_whose_job_ran_too_long_ago_speaks_of_that_run(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(name="x"), watching(do="alert"))
        await fire(yard)
        good = await ended(yard, "x")  # nobody tells of it
        assert good.ended_at is not None
        await fire(yard, 5)
        (one,) = await instants(yard, WATCH)
        assert one.at == good.ended_at + timedelta(hours=2)
        assert one.reason.endswith(f"since {good.ended_at:%Y-%m-%d %H:%M:%S} UTC")
        assert (await row(yard)).last_instant == good.ended_at

    in_yard(scene, grounds)


def test_an_absence_does_what_it_does_at_the_instant_itself(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(name="x"), watching(do="alert"))
        await fire(yard)
        good = await ended(yard, "x")  # nobody tells of it
        await fire(yard, 2)
        (one,) = await instants(yard, WATCH)
        assert one.at == yard.now
        assert good.ended_at == yard.now - timedelta(hours=2)

    in_yard(scene, grounds)


def test_an_absence_counts_from_when_a_run_ended_and_not_from_when_it_is_told(
    grounds: Grounds,
) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(name="x"), watching())
        await fire(yard)
        good = await ended(yard, "x")
        yard.later(60)
        await follow(yard)
        assert (await row(yard)).last_instant == good.ended_at == yard.now - timedelta(seconds=60)

    in_yard(scene, grounds)


def test_an_absence_that_watches_another_job_now_is_told_of_no_end(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(name="x"), make_spec(name="y"), watching())
        await fire(yard)
        await ended(yard, "x")
        other = {"of": {"job": "y"}, "within": "2h"}
        await yard.apply(make_spec(triggers=[{"absence": other}]))
        await follow(yard)
        assert (await row(yard)).last_instant is None

    in_yard(scene, grounds)


def test_a_chain_that_is_not_understood_refuses_and_says_so(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await chained(yard, {"job": "x"})
        first = await ended(yard, "x")
        spoilt = await spoil(yard, {"after": {"beacon": 1}})
        assert await follow(yard) == 1
        (one,) = await instants(yard)
        assert (one.fate, one.origin) == (Fate.REFUSED, first.id)
        assert one.reason.startswith("this version does not understand it: expected")
        assert await row(yard) == spoilt

    in_yard(scene, grounds)


def test_an_absence_that_is_not_understood_is_broken_when_it_is_due(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(name="x"), watching())
        await fire(yard)
        await ended(yard, "x")
        spoilt = await spoil(yard, {"absence": {"of": 7}})
        await follow(yard)
        assert await row(yard) == spoilt
        await fire(yard, 3)
        after = await row(yard)
        assert (after.state, after.next_at) == (TriggerState.BROKEN, None)
        assert after.reason.startswith("this version does not understand it: expected")
        assert await instants(yard, WATCH) == []

    in_yard(scene, grounds)


def test_a_schedule_that_is_not_understood_counts_nothing(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(triggers=[HOURLY]))
        await fire(yard)
        await fire(yard, 1)
        run = await yard.run((await instants(yard, SCHEDULE))[-1].runs[0])
        await yard.tell(run, Ended(1, make_outcome(Ending.FAILED)))
        spoilt = await spoil(yard, {"schedule": 7})
        assert await follow(yard) == 1
        assert await row(yard) == spoilt

    in_yard(scene, grounds)


def test_a_schedule_that_pauses_itself_is_kept_as_of_then(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(triggers=[HOURLY | {"pauseOnFailures": 1}]))
        await fire(yard)
        await fire(yard, 1)
        run = await yard.run((await instants(yard, SCHEDULE))[-1].runs[0])
        await yard.tell(run, Ended(1, make_outcome(Ending.FAILED)))
        yard.later(5)
        await follow(yard)
        after = await row(yard)
        assert (after.state, after.said_at) == (TriggerState.PAUSED, yard.now)
        (entry,) = await yard.entries("trigger.pause")
        assert (entry.at, entry.after) == (yard.now, {"state": "paused"})

    in_yard(scene, grounds)


def test_what_an_end_does_not_change_is_not_written(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(triggers=[HOURLY]))
        await fire(yard)
        await fire(yard, 1)
        run = await yard.run((await instants(yard, SCHEDULE))[-1].runs[0])
        await yard.tell(run, Ended(1, make_outcome()))
        after = {"after": {"job": "report"}}
        absence = {"absence": {"of": {"job": "report"}, "within": "2h"}}
        followers = make_spec(name="y", triggers=[after, absence])
        await yard.apply(followers)
        await ended(yard, "report", Ending.FAILED)
        before = len(yard.committed)
        assert await follow(yard) == 3
        assert [one.triggers for one in yard.committed[before:]] == [()] * 4

    in_yard(scene, grounds)


def test_a_run_that_was_forgotten_or_goes_on_is_the_end_of_nothing(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await chained(yard, {"job": "x"})
        live = await yard.request("x")
        for other in (live.id, RunId("run_0")):
            await ended(yard, "x")
            pending = replace(follows(yard)[-1], run=other)
            assert await yard.gate.ask(FollowUp(pending, yard.now, yard.new_id)) == 1
        assert await instants(yard) == []

    in_yard(scene, grounds)
