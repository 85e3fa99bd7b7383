"""What triggers do to runs, whole: how they ask for them, end them, and tell people."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from runyard.flow.request import PRIORITY_STEP
from runyard.gate.backfilling import FillBack
from runyard.gate.chaining import FollowUp
from runyard.gate.firing import FireNow, PauseTrigger, ResumeTrigger
from runyard.model.audit import AuditEntry, Origin
from runyard.model.effect import Announce, Follow
from runyard.model.event import Ended
from runyard.model.instants import to_micros
from runyard.model.run import Overrides, State, TriggeredBy
from runyard.model.trigger.instant import Fate
from tests.contract.test_triggers import (
    HOURLY,
    KEY,
    PATH,
    fill_back,
    fire,
    instants,
    run_of,
    scheduled,
)
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_outcome, make_spec

WATCH = "shop/local/report/absence"


def test_a_schedule_asks_with_the_priority_it_has(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled({**HOURLY, "with": {"priority": 7}}))
        await fire(yard)
        (one,) = await fire(yard, 1)
        run = await run_of(yard, one)
        assert run.policy.priority == 7
        assert run.rank_at == run.requested_at - 7 * PRIORITY_STEP
        assert (run.environment, run.project, run.job) == ("local", "shop", "report")
        assert one.origin == ""

    in_yard(scene, grounds)


def test_runs_of_a_backfill_are_in_no_schedule_s_way(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled())
        await fire(yard)
        done = await fill_back(yard, 3)
        assert (await run_of(yard, done.instants[0])).state is State.LAUNCHING
        *_, own = await fire(yard, 1)
        assert own.fate is Fate.RUN

    in_yard(scene, grounds)


def test_who_gives_way_is_told_what_for(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled({**HOURLY, "overlap": "cancel_running"}))
        await fire(yard)
        (first,) = await fire(yard, 1)
        await fire(yard, 1)
        gone = await run_of(yard, first)
        assert gone.state is State.STOPPING
        assert gone.reason == f"cancelled by {PATH}: a newer instant took its place"

    in_yard(scene, grounds)


def test_who_fires_by_hand_has_the_schedule_s_runs_give_way_as_its_policy_says(
    grounds: Grounds,
) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled({**HOURLY, "overlap": "cancel_running"}))
        await fire(yard)
        (first,) = await fire(yard, 1)
        yard.later(60)
        fired = FireNow(KEY, "ann", yard.now, new_id=yard.new_id, zones=ZoneInfo)
        second = await yard.gate.ask(fired)
        gone = await run_of(yard, first)
        assert gone.state is State.STOPPING
        assert gone.reason == f"cancelled by {PATH}: a newer instant took its place"
        assert (await run_of(yard, second)).state is State.QUEUED
        await yard.tell(gone, Ended(1, make_outcome()))
        assert (await run_of(yard, second)).state is State.LAUNCHING

    in_yard(scene, grounds)


def test_the_audit_log_keeps_who_did_what_to_a_trigger_from_where(grounds: Grounds) -> None:
    there = Origin("10.0.0.7", "runyard/1", "tok_1")

    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled())
        await fire(yard)
        one = (KEY, "bob", yard.now, there)
        done = await yard.gate.ask(PauseTrigger(*one, reason="moving"))
        assert (done.said_by, done.said_at, done.reason) == ("bob", yard.now, "moving")
        await yard.gate.ask(ResumeTrigger(*one, zones=ZoneInfo))
        since = yard.now - timedelta(hours=2)
        range_: dict[str, Any] = {"id": "bf_1", "since": since, "until": yard.now}
        await yard.gate.ask(FillBack(*one, **range_, new_id=yard.new_id, zones=ZoneInfo))
        entry = AuditEntry(
            yard.now, "bob", "trigger.pause", f"trigger/{PATH}", "local",
            after={"state": "paused"}, reason="moving", origin=there,
        )  # fmt: skip
        enabled: dict[str, Any] = {"after": {"state": "enabled"}, "reason": ""}
        assert [one for one in await yard.entries() if one.by == "bob"] == [
            entry,
            replace(entry, action="trigger.resume", **enabled),
            replace(entry, action="trigger.backfill", **enabled),
        ]
        await yard.gate.ask(FillBack(*one, **range_, new_id=yard.new_id, zones=ZoneInfo))
        assert len(await yard.entries("trigger.backfill")) == 1  # it had nothing to ask for

    in_yard(scene, grounds)


def watching(**beside: Any) -> Any:
    absence = {"of": {"job": "x"}, "within": "2h"}
    return make_spec(triggers=[{"absence": absence, **beside}])


def test_each_absence_is_told_of_by_a_key_of_its_own(grounds: Grounds) -> None:
    """Also when the trigger was taken out of the manifest and came back."""

    async def scene(yard: Yard) -> None:
        for _ in range(2):
            await yard.apply(make_spec(name="x"), watching(do="alert"))
            await fire(yard)
            await fire(yard, 3)
            await yard.apply(make_spec())
        pending = [one for done in yard.committed for one in done.effects]
        told = [one for one in pending if isinstance(one.effect, Announce)]
        assert [one.due_at for one in told] == [yard.now - timedelta(hours=3), yard.now]
        since = [to_micros(one.due_at - timedelta(hours=3)) for one in told]
        assert [one.id for one in told] == [f"absent/{WATCH}/{each}/3" for each in since]

    in_yard(scene, grounds)


WITH: dict[str, Any] = {
    "args": ["--all"], "env": {"A": "1"}, "labels": {"b": "2", "a": "1"}, "priority": 3,
    "taskCount": 2, "region": "us-central1",
}  # fmt: skip


def test_an_absence_asks_with_all_that_it_says(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(name="x"), watching(**{"with": WITH}))
        await fire(yard)
        await fire(yard, 3)
        (one,) = await instants(yard, WATCH)
        run = await yard.run(one.runs[0])
        assert run.overrides == Overrides(("--all",), (("A", "1"),), 2)
        assert run.labels == (("a", "1"), ("b", "2"))
        assert (run.policy.priority, run.region, run.requested_by) == (3, "us-central1", WATCH)
        assert run.triggered_by == TriggeredBy(WATCH, one.at)
        assert (one.at, one.decided_at) == (yard.now - timedelta(hours=1), yard.now)

    in_yard(scene, grounds)


def test_a_chain_asks_with_all_that_it_says(grounds: Grounds) -> None:
    path = "shop/local/report/chain"

    async def scene(yard: Yard) -> None:
        follower = make_spec(triggers=[{"after": {"job": "x"}, "with": WITH}])
        await yard.apply(make_spec(name="x"), follower)
        first = await yard.request("x")
        yard.later(5)
        ended = await yard.tell(first, Ended(1, make_outcome()))
        pending = [one for done in yard.committed for one in done.effects]
        (follow,) = [one for one in pending if isinstance(one.effect, Follow)]
        yard.later(2)
        assert await yard.gate.ask(FollowUp(follow, yard.now, yard.new_id)) == 1
        assert await yard.gate.ask(FollowUp(follow, yard.now, yard.new_id)) == 0
        (one,) = await instants(yard, path)
        assert (one.at, one.decided_at, one.origin) == (ended.ended_at, yard.now, first.id)
        run = await yard.run(one.runs[0])
        after = f'[{{"job":"x","run":"{first.id}","state":"succeeded"}}]'
        env = (("A", "1"), ("RUNYARD_AFTER", after))
        assert run.overrides == Overrides(("--all",), env, 2)
        assert run.labels == (("a", "1"), ("b", "2"))
        assert (run.policy.priority, run.region, run.requested_by) == (3, "us-central1", path)
        assert run.triggered_by == TriggeredBy(path, ended.ended_at, after=(first.id,))
        assert (run.requested_at, run.state) == (yard.now, State.LAUNCHING)

    in_yard(scene, grounds)
