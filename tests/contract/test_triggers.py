"""Triggers on their way through the gate, on every kind of database."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runyard.gate.backfilling import CancelBackfill, FillBack, Filled
from runyard.gate.firing import FireDue, PauseTrigger, ResumeTrigger
from runyard.model.errors import InvalidSpec, NotFound, Refused
from runyard.model.event import Ended
from runyard.model.run import Run, State, TriggerKind
from runyard.model.trigger.instant import Fate, Instant
from runyard.model.trigger.row import Trigger, TriggerState
from runyard.store.audit import AuditQuestion
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_outcome, make_spec

KEY = ("shop", "local", "report", "schedule")
PATH = "/".join(KEY)
HOURLY: dict[str, Any] = {"schedule": "0 * * * *"}


def scheduled(*triggers: dict[str, Any], **beside: Any) -> Any:
    return make_spec(triggers=list(triggers or [HOURLY]), **beside)


async def fire(yard: Yard, hours: float = 0) -> list[Instant]:
    """What became of the instants that came in so many hours."""
    yard.later(hours * 3600)
    await yard.gate.ask(FireDue(yard.now, yard.new_id, ZoneInfo))
    return await instants(yard)


async def instants(yard: Yard, path: str = PATH) -> list[Instant]:
    end = datetime.max.replace(tzinfo=yard.now.tzinfo)
    found = await yard.database.read(
        lambda tx: yard.store.triggers.instants(tx, path, end - timedelta(days=1), 100)
    )
    return list(reversed(found))


async def row(yard: Yard, name: str = "schedule") -> Trigger | None:
    found = await yard.database.read(
        lambda tx: yard.store.triggers.of_jobs(tx, [("local", "report")])
    )
    return next((one for one in found if one.name == name), None)


async def run_of(yard: Yard, instant: Instant) -> Run:
    (run,) = instant.runs
    return await yard.run(run)


def test_a_schedule_asks_for_a_run_at_its_instant_and_never_twice(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled({**HOURLY, "with": {"args": ["--all"], "labels": {"a": "b"}}}))
        assert await fire(yard) == []
        armed = await row(yard)
        assert armed is not None
        assert armed.next_at == yard.now + timedelta(hours=1)
        (one,) = await fire(yard, 1)
        assert await fire(yard) == [one]
        run = await run_of(yard, one)
        assert (run.trigger, run.state) == (TriggerKind.SCHEDULE, State.LAUNCHING)
        assert run.requested_by == PATH
        assert run.triggered_by is not None
        assert (run.triggered_by.instant, run.triggered_by.trigger) == (one.at, PATH)
        assert run.overrides.args == ("--all",)
        assert run.overrides.env == (("RUNYARD_INSTANT", "2026-11-01T13:00:00Z"),)
        assert dict(run.labels)["a"] == "b"
        assert [fact.kind for fact in await yard.history(run)] == ["requested", "started"]

    in_yard(scene, grounds)


def test_two_engines_fire_an_instant_once(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled({**HOURLY, "overlap": "allow"}))
        await fire(yard)
        yard.later(3600)
        both = (FireDue(yard.now, yard.new_id, ZoneInfo) for _ in range(2))
        await asyncio.gather(*(yard.gate.ask(one) for one in both))
        assert len(await instants(yard)) == 1
        assert len(yard.effects()) == 1

    in_yard(scene, grounds)


def test_a_run_that_is_still_going_is_in_the_way_or_gives_way(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled())
        await fire(yard)
        (first,) = await fire(yard, 1)
        _, skipped = await fire(yard, 1)
        assert (skipped.fate, skipped.reason) == (
            Fate.OVERLAP,
            f"{first.runs[0]} had not ended",
        )
        await yard.apply(scheduled({**HOURLY, "overlap": "queue"}))
        await fire(yard)
        *_, queued = await fire(yard, 1)
        waits = await run_of(yard, queued)
        assert waits.waiting_on == f"trigger/{PATH}"
        await yard.tell(await run_of(yard, first), Ended(1, make_outcome()))
        assert (await run_of(yard, queued)).state is State.LAUNCHING
        await yard.apply(scheduled({**HOURLY, "overlap": "cancel_running"}))
        await fire(yard)
        *_, newest = await fire(yard, 1)
        assert (await run_of(yard, queued)).state is State.STOPPING
        assert (await run_of(yard, newest)).state is State.QUEUED
        await yard.apply(scheduled({**HOURLY, "overlap": "queue_latest"}))
        await fire(yard)
        *_, last = await fire(yard, 1)
        gone = await run_of(yard, newest)
        assert (gone.state, gone.reason) == (State.SKIPPED, "a newer instant took its place")
        assert (await run_of(yard, last)).state is State.QUEUED

    in_yard(scene, grounds)


def test_what_may_not_start_any_more_never_does(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        policies = {"overlap": "queue", "startBy": "30m", "catchUp": "none"}
        await yard.apply(scheduled(HOURLY | policies))
        await fire(yard)
        (first,) = await fire(yard, 1)
        *_, second = await fire(yard, 1)
        yard.later(45 * 60)
        await yard.tell(await run_of(yard, first), Ended(1, make_outcome()))
        late = await run_of(yard, second)
        assert late.state is State.SKIPPED
        assert late.reason == "it had to start by 2026-11-01 14:30:00 UTC"

    in_yard(scene, grounds)


def test_triggers_follow_their_job(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled({**HOURLY, "name": "a"}, {**HOURLY, "name": "b"}))
        await fire(yard)
        before = await row(yard, "a")
        await yard.apply(scheduled({**HOURLY, "name": "a"}, {"schedule": "@daily", "name": "c"}))
        assert await row(yard, "a") == before
        assert await row(yard, "b") is None
        fresh = await row(yard, "c")
        assert fresh is not None
        assert (fresh.next_at, fresh.next_instant) == (yard.now, None)
        yard.later(3600)
        await yard.apply(make_spec())  # while `a` is due
        assert await row(yard, "a") is None
        (lost,) = await instants(yard, "shop/local/report/a")
        assert (lost.fate, lost.at) == (Fate.MISSED, yard.now)

    in_yard(scene, grounds)


def test_a_paused_trigger_rests_until_it_is_resumed(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled())
        await fire(yard)
        done = await yard.gate.ask(PauseTrigger(KEY, "ann", yard.now, reason="moving"))
        assert (done.state, done.next_at) == (TriggerState.PAUSED, None)
        with pytest.raises(Refused, match="paused already"):
            await yard.gate.ask(PauseTrigger(KEY, "ann", yard.now))
        assert await fire(yard, 2.5) == []
        await yard.apply(scheduled({**HOURLY, "jitter": "1s"}))  # a change does not resume it
        assert (await fire(yard, 1)) == []
        back = await yard.gate.ask(ResumeTrigger(KEY, "bob", yard.now, zones=ZoneInfo))
        assert back.state is TriggerState.ENABLED
        (rest,) = await instants(yard)
        assert (rest.fate, rest.reason) == (Fate.PAUSED, "paused by ann: moving")
        with pytest.raises(Refused, match="enabled, not paused"):
            await yard.gate.ask(ResumeTrigger(KEY, "bob", yard.now, zones=ZoneInfo))
        with pytest.raises(NotFound, match="no trigger shop/local/report/other"):
            await yard.gate.ask(PauseTrigger((*KEY[:3], "other"), "ann", yard.now))
        entries = await yard.database.read(
            lambda tx: yard.store.audit.page(tx, AuditQuestion(), None, 10)
        )
        assert [entry.action for entry in entries] == ["trigger.resume", "trigger.pause"]

    in_yard(scene, grounds)


def test_the_manifest_pauses_and_resumes_what_it_paused(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled({**HOURLY, "enabled": False}))
        off = await row(yard)
        assert off is not None
        assert (off.state, off.said_by) == (TriggerState.PAUSED, "the manifest")
        await yard.apply(scheduled())
        on = await row(yard)
        assert on is not None
        assert (on.state, on.next_at) == (TriggerState.ENABLED, yard.now)

    in_yard(scene, grounds)


def test_an_unknown_zone_breaks_the_trigger_with_words(grounds: Grounds) -> None:
    def zones(name: str) -> ZoneInfo:
        raise KeyError(name)

    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled({**HOURLY, "timeZone": "Europe/Berlin"}))
        await yard.gate.ask(FireDue(yard.now, yard.new_id, zones))
        broken = await row(yard)
        assert broken is not None
        assert (broken.state, broken.next_at) == (TriggerState.BROKEN, None)
        assert broken.reason == "there is no time zone Europe/Berlin on this machine"

    in_yard(scene, grounds)


def test_a_job_that_cannot_be_asked_for_is_a_reason(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled({**HOURLY, "with": {"region": "europe-west1"}}))
        await fire(yard)
        (one,) = await fire(yard, 1)
        assert (one.fate, one.reason) == (
            Fate.REFUSED,
            "report is not placed in europe-west1",
        )

    in_yard(scene, grounds)


def test_pages_of_triggers_and_forgetting_of_instants(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        names = ["a", "b", "c"]
        await yard.apply(scheduled(*({**HOURLY, "name": name} for name in names)))
        await fire(yard)
        await fire(yard, 1)
        triggers = yard.store.triggers
        page = await yard.database.read(lambda tx: triggers.page(tx, "local", ("", "", ""), 2))
        rest = await yard.database.read(
            lambda tx: triggers.page(tx, "local", ("report", "shop", "b"), 2)
        )
        assert [one.name for one in [*page, *rest]] == names
        assert await yard.database.read(triggers.next_at) == yard.now + timedelta(hours=1)
        path = "shop/local/report/a"
        assert len(await instants(yard, path)) == 1
        later = yard.now + timedelta(seconds=1)
        await yard.database.write(lambda tx: triggers.forget_instants(tx, later))
        assert await instants(yard, path) == []

    in_yard(scene, grounds)


async def fill_back(yard: Yard, hours: int, **rest: Any) -> Filled:
    since = yard.now - timedelta(hours=hours)
    number = next(yard.numbers)
    return await yard.gate.ask(
        FillBack(
            KEY, "ann", yard.now, id=f"bf_{number}", since=since, until=yard.now,
            new_id=yard.new_id, zones=ZoneInfo, **rest,
        )
    )  # fmt: skip


def test_a_backfill_runs_so_many_at_once_and_never_what_has_run(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(scheduled())
        await fire(yard)
        (came,) = await fire(yard, 1)
        yard.later(60)
        done = await fill_back(yard, 5, parallelism=2)
        assert len(done.instants) == 4
        assert done.there == (came.at,)
        runs = [await run_of(yard, one) for one in done.instants]
        assert [run.state for run in runs] == [State.LAUNCHING] * 2 + [State.QUEUED] * 2
        assert {dict(run.labels)["backfill"] for run in runs} == {done.id}
        await yard.tell(runs[0], Ended(1, make_outcome()))
        assert (await yard.run(runs[2].id)).state is State.LAUNCHING
        again = await fill_back(yard, 5)
        assert (len(again.instants), len(again.there)) == (0, 5)
        *_, skipped = await fire(yard, 1)
        assert skipped.reason == f"{came.runs[0]} had not ended"  # no run of the backfill's
        wanted = await fill_back(yard, 2, again=True)
        assert len(wanted.instants) == 2
        ended = await yard.gate.ask(CancelBackfill(KEY, "bob", yard.now, id=done.id))
        assert ended == 3
        states = [(await yard.run(run.id)).state for run in runs]
        assert states == [State.SUCCEEDED, State.STOPPING, State.STOPPING, State.CANCELLED]
        assert await yard.gate.ask(CancelBackfill(KEY, "bob", yard.now, id="bf_none")) == 0

    in_yard(scene, grounds)


def test_a_backfill_that_cannot_be_says_why(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        with pytest.raises(NotFound, match="no trigger"):
            await fill_back(yard, 5)
        await yard.apply(scheduled({**HOURLY, "with": {"region": "europe-west1"}}))
        with pytest.raises(InvalidSpec, match="not placed in europe-west1"):
            await fill_back(yard, 5)
        with pytest.raises(InvalidSpec, match="range of the backfill"):
            await fill_back(yard, 0)
        await yard.apply(scheduled({"after": {"job": "other"}, "name": "schedule"}))
        with pytest.raises(Refused, match="is no schedule"):
            await fill_back(yard, 5)

    in_yard(scene, grounds)
