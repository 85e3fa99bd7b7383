"""Triggers that follow runs, on every kind of database."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runyard.gate.chaining import FollowUp
from runyard.gate.door import Committed
from runyard.gate.firing import FireDue, PauseTrigger, ResumeTrigger
from runyard.model.effect import Announce, Follow, Pending
from runyard.model.event import CancelRequested, Ended
from runyard.model.outcome import Ending
from runyard.model.run import Run, State, TriggerKind
from runyard.model.trigger.instant import Fate, Instant
from runyard.model.trigger.row import Trigger, TriggerState
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_outcome, make_spec

PATH = "shop/local/report/chain"
SCHEDULE = "shop/local/report/schedule"
WATCH = "shop/local/report/absence"


async def chained(yard: Yard, after: dict[str, Any], **beside: Any) -> None:
    """Jobs x and y, and a job `report` that comes after them."""
    follower = make_spec(triggers=[{"after": after, **beside}])
    await yard.apply(make_spec(name="x"), make_spec(name="y"), follower)


async def ended(yard: Yard, job: str, ending: Ending = Ending.SUCCEEDED, output: str = "") -> Run:
    """A run of a job that has ended; what follows it is not told yet."""
    run = await yard.request(job)
    yard.later(1)
    return await yard.tell(run, Ended(1, make_outcome(ending, output=output)))


def follows(yard: Yard) -> list[Pending]:
    """Every effect that wants triggers told of an end, so far."""
    return [one for done in yard.committed for one in wanted(done)]


def wanted(done: Committed) -> list[Pending]:
    return [one for one in done.effects if isinstance(one.effect, Follow)]


async def follow(yard: Yard) -> int:
    """Tell triggers of all ends, each twice."""
    told = 0
    for pending in follows(yard):
        for _ in range(2):
            told += await yard.gate.ask(FollowUp(pending, yard.now, yard.new_id))
    return told


async def instants(yard: Yard, path: str = PATH) -> list[Instant]:
    end = datetime.max.replace(tzinfo=yard.now.tzinfo) - timedelta(days=1)
    found = await yard.database.read(lambda tx: yard.store.triggers.instants(tx, path, end, 100))
    return list(reversed(found))


async def row(yard: Yard, job: str = "report") -> Trigger:
    found = await yard.database.read(lambda tx: yard.store.triggers.of_jobs(tx, [("local", job)]))
    return found[0]


async def fire(yard: Yard, hours: float = 0) -> None:
    yard.later(hours * 3600)
    await yard.gate.ask(FireDue(yard.now, yard.new_id, ZoneInfo))


def test_a_chain_asks_for_one_run_after_each_run_that_it_follows(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await chained(
            yard,
            {"job": "x"},
            map={"env": {"TABLE": {"from": "body.table"}}, "args": [{"from": "attributes.run"}]},
        )
        first = await ended(yard, "x", output='{"table": "sales"}')
        await ended(yard, "y")
        assert await follow(yard) == 1
        (one,) = await instants(yard)
        assert (one.fate, one.at, one.origin) == (Fate.RUN, first.ended_at, first.id)
        run = await yard.run(one.runs[0])
        assert (run.trigger, run.job, run.state) == (TriggerKind.CHAIN, "report", State.LAUNCHING)
        assert run.triggered_by is not None
        assert run.triggered_by.after == (first.id,)
        assert run.overrides.args == (first.id,)
        env = dict(run.overrides.env)
        assert env["TABLE"] == "sales"
        said = f'[{{"job":"x","run":"{first.id}","state":"succeeded"}}]'
        assert env["RUNYARD_AFTER"] == said
        assert await yard.outbox() == len(yard.effects()) - 1

    in_yard(scene, grounds)


def test_what_ends_otherwise_or_wrote_nothing_is_kept_with_the_reason(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await chained(yard, {"job": "x"}, map={"env": {"TABLE": {"from": "body.table"}}})
        dead = await ended(yard, "x", Ending.FAILED)
        assert dead.state is State.DEAD
        await follow(yard)
        await ended(yard, "x")
        await follow(yard)
        unmatched, refused = await instants(yard)
        assert (unmatched.fate, unmatched.reason) == (
            Fate.UNMATCHED,
            "x ended as dead, not as succeeded",
        )
        assert refused.fate is Fate.REFUSED
        assert "body.table is nothing" in refused.reason

    in_yard(scene, grounds)


def test_a_chain_of_all_waits_for_each_since_it_last_ran(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await chained(
            yard,
            {"all": ["x", "y"]},
            map={"env": {"X": {"from": "body.x"}, "Y": {"from": "body.y", "optional": True}}},
        )
        await ended(yard, "x", output="1")
        await follow(yard)
        newer = await ended(yard, "x", output="2")
        await follow(yard)
        assert (await row(yard)).ended == (("x", newer.id),)
        other = await ended(yard, "y")
        await follow(yard)
        *waiting, fired = await instants(yard)
        assert [one.reason for one in waiting] == ["y did not end so yet"] * 2
        assert {one.fate for one in waiting} == {Fate.WAITING}
        run = await yard.run(fired.runs[0])
        assert run.triggered_by is not None
        assert run.triggered_by.after == (newer.id, other.id)
        assert dict(run.overrides.env)["X"] == "2"
        assert "Y" not in dict(run.overrides.env)
        await ended(yard, "y")
        await follow(yard)
        assert (await instants(yard))[-1].reason == "x did not end so yet"

    in_yard(scene, grounds)


def test_both_ends_in_one_batch_are_one_run_of_a_chain_of_all(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await chained(yard, {"all": ["x", "y"]})
        await ended(yard, "x")
        await ended(yard, "y")
        commands = [FollowUp(one, yard.now, yard.new_id) for one in follows(yard) * 2]
        done = await yard.gate.decide_now(commands)
        assert done.answers == (1, 1, 0, 0)
        assert [one.fate for one in await instants(yard)] == [Fate.WAITING, Fate.RUN]

    in_yard(scene, grounds)


def test_a_chain_of_any_runs_at_each_and_fans_out(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        triggers = [{"after": {"any": ["x", "y"], "on": "failed"}}]
        jobs = [make_spec(name=name, triggers=triggers) for name in ("a", "b")]
        await yard.apply(make_spec(name="x"), make_spec(name="y"), *jobs)
        await ended(yard, "y", Ending.FAILED)
        run = await yard.request("x")
        await yard.tell(run, CancelRequested("ann"))
        await yard.tell(run, Ended(1, make_outcome(Ending.CANCELLED)))
        assert await follow(yard) == 4
        for job in ("a", "b"):
            found = await instants(yard, f"shop/local/{job}/chain")
            assert [one.fate for one in found] == [Fate.RUN, Fate.RUN]

    in_yard(scene, grounds)


def test_a_chain_that_is_paused_changed_or_gone_asks_for_nothing(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await chained(yard, {"job": "x"})
        assert (await row(yard)).next_at is None
        key = ("shop", "local", "report", "chain")
        await yard.gate.ask(PauseTrigger(key, "ann", yard.now, reason="a freeze"))
        await ended(yard, "x")
        await follow(yard)
        assert (await instants(yard))[-1].reason == "paused by ann: a freeze"
        resumed = await yard.gate.ask(ResumeTrigger(key, "ann", yard.now, zones=ZoneInfo))
        assert (resumed.state, resumed.next_at) == (TriggerState.ENABLED, None)
        await ended(yard, "x")
        await chained(yard, {"job": "y"})
        await follow(yard)
        missed = (await instants(yard))[-1]
        assert (missed.fate, missed.reason) == (
            Fate.MISSED,
            "its trigger was changed before its turn came",
        )
        before = len(follows(yard))
        await ended(yard, "x")
        assert len(follows(yard)) == before
        await ended(yard, "y")
        await yard.apply(make_spec())
        assert await follow(yard) == 0

    in_yard(scene, grounds)


def test_a_chain_whose_job_cannot_be_asked_for_says_why(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        spec = make_spec(triggers=[{"after": {"job": "x"}, "with": {"region": "us-east1"}}])
        await yard.apply(make_spec(name="x"), spec)
        await ended(yard, "x")
        await follow(yard)
        (one,) = await instants(yard)
        assert (one.fate, one.runs) == (Fate.REFUSED, ())
        assert "report is not placed in us-east1" in one.reason

    in_yard(scene, grounds)


def test_dead_runs_in_a_row_pause_their_schedule(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        hourly = {"schedule": "0 * * * *", "pauseOnFailures": 2}
        await yard.apply(make_spec(triggers=[hourly]))
        await fire(yard)

        async def one(ending: Ending) -> Trigger:
            await fire(yard, 1)
            run = await yard.run((await instants(yard, SCHEDULE))[-1].runs[0])
            await yard.tell(run, Ended(1, make_outcome(ending)))
            await follow(yard)
            return await row(yard)

        assert (await one(Ending.FAILED)).failures == 1
        await ended(yard, "report", Ending.FAILED)  # by a person: not the schedule's own
        assert (await one(Ending.SUCCEEDED)).failures == 0
        assert (await one(Ending.SUCCEEDED)).failures == 0
        await one(Ending.FAILED)
        paused = await one(Ending.FAILED)
        assert (paused.state, paused.next_at, paused.failures) == (TriggerState.PAUSED, None, 2)
        assert paused.said_by == SCHEDULE
        assert paused.reason.startswith("2 dead runs in a row, the last is run_")
        (entry,) = await yard.entries("trigger.pause")
        assert (entry.by, entry.reason) == (SCHEDULE, paused.reason)
        resumed = await yard.gate.ask(
            ResumeTrigger(("shop", "local", "report", "schedule"), "ann", yard.now, zones=ZoneInfo)
        )
        assert (resumed.failures, resumed.state) == (0, TriggerState.ENABLED)

    in_yard(scene, grounds)


def watching(**beside: Any) -> Any:
    absence = {"of": {"job": "x"}, "within": "2h"}
    return make_spec(triggers=[{"absence": absence, **beside}])


def test_what_does_not_happen_in_time_asks_for_one_run_until_it_happens(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(name="x"), watching())
        await fire(yard)
        armed = await row(yard)
        assert armed.next_at == yard.now + timedelta(hours=2)
        yard.later(3600)
        good = await ended(yard, "x")
        await follow(yard)
        again = await row(yard)
        assert good.ended_at is not None
        assert (again.last_instant, again.next_at) == (
            good.ended_at,
            good.ended_at + timedelta(hours=2),
        )
        await ended(yard, "x", Ending.FAILED)
        await follow(yard)
        assert (await row(yard)).next_at == again.next_at
        await fire(yard, 2)
        (one,) = await instants(yard, WATCH)
        assert (one.fate, one.at) == (Fate.RUN, again.next_at)
        run = await yard.run(one.runs[0])
        assert (run.trigger, run.job) == (TriggerKind.ABSENCE, "report")
        await fire(yard, 20)
        assert len(await instants(yard, WATCH)) == 1
        await ended(yard, "x")
        await follow(yard)
        assert (await row(yard)).next_at == yard.now + timedelta(hours=2)

    in_yard(scene, grounds)


def test_people_are_told_of_what_did_not_happen(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(name="x"), watching(do="alert"))
        await fire(yard)
        await fire(yard, 3)
        (one,) = await instants(yard, WATCH)
        assert one.fate is Fate.ALERT
        words = "no run of x ended as succeeded within 7200s, since it was asked for"
        assert one.reason == words
        told = [effect for effect in yard.effects() if isinstance(effect, Announce)]
        assert told == [Announce("report: absence", words)]

    in_yard(scene, grounds)


def test_an_end_that_is_not_told_yet_counts(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(name="x"), watching())
        await fire(yard)
        yard.later(3600)
        good = await ended(yard, "x")
        await fire(yard, 1.5)
        assert await instants(yard, WATCH) == []
        assert (await row(yard)).last_instant == good.ended_at

    in_yard(scene, grounds)


def test_an_absence_watches_anew_when_it_is_resumed(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(name="x"), watching())
        await fire(yard)
        key = ("shop", "local", "report", "absence")
        await yard.gate.ask(PauseTrigger(key, "ann", yard.now))
        await fire(yard, 5)
        await ended(yard, "x")
        await follow(yard)
        assert (await row(yard)).next_at is None
        await fire(yard, 5)
        await yard.gate.ask(ResumeTrigger(key, "ann", yard.now, zones=ZoneInfo))
        await fire(yard)
        assert (await row(yard)).next_at == yard.now + timedelta(hours=2)
        assert await instants(yard, WATCH) == []

    in_yard(scene, grounds)


@pytest.mark.parametrize("triggers", [[], [{"schedule": "@daily"}]])
def test_where_nobody_follows_nothing_is_told(grounds: Grounds, triggers: list[Any]) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(name="x", triggers=triggers))
        await ended(yard, "x")
        assert follows(yard) == []

    in_yard(scene, grounds)
