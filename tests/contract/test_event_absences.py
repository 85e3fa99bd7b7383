"""Absences that wait for events, through the loop and the gate, on every kind of database."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from runyard.gate.firing import FireDue, PauseTrigger, ResumeTrigger
from runyard.gate.hearing import Heard, Unheard
from runyard.model.effect import Announce
from runyard.model.job import JobSpec
from runyard.model.pubsub.message import Draft
from runyard.model.run import TriggeredBy, TriggerKind
from runyard.model.trigger.instant import Fate, Instant
from runyard.model.trigger.row import Trigger, TriggerState
from tests.contract.test_event_triggers import World, in_world
from tests.support.databases import Grounds
from tests.support.runs import make_spec

KEY = ("shop", "local", "report", "absence")
PATH = "/".join(KEY)
SUBSCRIPTION = "runyard.trigger.shop.report.absence"
TWO_HOURS = timedelta(hours=2)


def watching(event: dict[str, Any] | None = None, **beside: Any) -> JobSpec:
    of = {"event": {"topic": "orders"} | (event or {})}
    return make_spec(triggers=[{"absence": {"of": of, "within": "2h"}, **beside}])


async def begin(world: World, *specs: JobSpec) -> None:
    """In force, armed, listening."""
    await world.apply(*specs)
    await fire(world)
    await world.tick()


async def fire(world: World) -> None:
    await world.yard.gate.ask(FireDue(world.yard.now, world.yard.new_id, ZoneInfo))


async def wait(world: World, hours: float) -> datetime | None:
    """Time passes, and engines look; when they look again."""
    world.yard.later(hours * 3600)
    await fire(world)
    return await world.loop.tick(world.yard.now)


async def row(world: World) -> Trigger:
    (found,) = await world.yard.database.read(
        lambda tx: world.yard.store.triggers.of_jobs(tx, [("local", "report")])
    )
    return found


async def instants(world: World) -> list[Instant]:
    end = datetime.max.replace(tzinfo=world.yard.now.tzinfo) - timedelta(days=1)
    triggers = world.yard.store.triggers
    return await world.yard.database.read(lambda tx: triggers.instants(tx, PATH, end, 100))


def test_when_no_event_came_one_run_is_asked_for_until_one_comes(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await begin(world, watching())
        armed = await row(world)
        assert (armed.next_instant, armed.next_at) == (world.yard.now + TWO_HOURS, None)
        assert await wait(world, 1) == armed.next_instant
        await world.publish({"order": 1})
        again = await row(world)
        assert (again.last_instant, again.next_instant) == (
            world.yard.now,
            world.yard.now + TWO_HOURS,
        )
        assert (await world.broker.subscription("local", SUBSCRIPTION))[1].unacked == 0
        await wait(world, 1.5)
        assert await instants(world) == []
        await wait(world, 1)
        (one,) = await instants(world)
        assert (one.fate, one.at) == (Fate.RUN, again.next_instant)
        run = await world.yard.run(one.runs[0])
        assert (run.trigger, run.job) == (TriggerKind.ABSENCE, "report")
        assert await wait(world, 30) is None
        assert len(await instants(world)) == 1
        await world.publish({"order": 2})
        assert (await row(world)).next_instant == world.yard.now + TWO_HOURS

    in_world(scene, grounds)


def test_the_clock_alone_decides_nothing_about_events(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await begin(world, watching())
        armed = await row(world)
        world.yard.later(TWO_HOURS.total_seconds())
        due = armed.evolve(next_at=world.yard.now)
        await world.yard.database.write(lambda tx: world.yard.store.triggers.put(tx, [due]))
        await fire(world)
        seen = await row(world)
        assert (seen.next_at, seen.next_instant) == (None, armed.next_instant)
        assert await instants(world) == []

    in_world(scene, grounds)


def test_people_are_told_of_events_that_did_not_come(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await begin(world, watching({"type": "*.sold"}, do="alert"))
        await world.publish(None, **{"ce-type": "shop.returned"})  # is not what it waits for
        await wait(world, 3)
        (one,) = await instants(world)
        words = "no message of orders that fits came within 7200s, since it was asked for"
        assert (one.fate, one.reason) == (Fate.ALERT, words)
        told = [each for each in world.yard.effects() if isinstance(each, Announce)]
        assert told == [Announce("report: absence", words)]

    in_world(scene, grounds)


def test_what_was_published_while_no_engine_looked_counts(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await begin(world, watching())
        world.yard.later(3600)
        await world.broker.publish("local", "orders", [Draft(b"{}", {})])
        at = world.yard.now
        await wait(world, 1.5)
        assert await instants(world) == []
        assert (await row(world)).last_instant == at

    in_world(scene, grounds)


def test_nothing_is_missed_while_a_message_is_with_somebody(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await begin(world, watching())
        world.yard.later(7100)
        await world.broker.publish("local", "orders", [Draft(b"{}", {})])
        world.yard.later(90)
        (taken,) = await world.broker.pull("local", SUBSCRIPTION, 1)  # by another engine
        world.yard.later(20)
        assert await world.loop.tick(world.yard.now) == world.yard.now + timedelta(seconds=1)
        assert await instants(world) == []
        await world.yard.gate.ask(Heard(KEY, taken.message.published_at, world.yard.now))
        await world.broker.ack("local", SUBSCRIPTION, [taken.ack_id])
        await world.tick()
        assert await instants(world) == []

    in_world(scene, grounds)


def test_a_lost_subscription_is_made_again_before_anything_is_missed(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await begin(world, watching())
        second = 1 / 3600
        await wait(world, 2 - second)
        await world.broker.delete_subscription("local", SUBSCRIPTION)
        again = await wait(world, 2 * second)
        assert again == world.yard.now + timedelta(seconds=1)
        assert await instants(world) == []
        await wait(world, 0.1)
        assert len(await instants(world)) == 1

    in_world(scene, grounds)


def test_one_that_is_paused_hears_nothing_and_watches_anew_when_resumed(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await begin(world, watching())
        await world.yard.gate.ask(PauseTrigger(KEY, "ann", world.yard.now))
        await world.publish({"order": 1})
        assert await wait(world, 5) is None
        assert (await row(world)).last_instant is None
        await world.yard.gate.ask(ResumeTrigger(KEY, "ann", world.yard.now, zones=ZoneInfo))
        await fire(world)
        await world.tick()  # what was published in the pause is old
        after = await row(world)
        assert (after.state, after.next_instant) == (
            TriggerState.ENABLED,
            world.yard.now + TWO_HOURS,
        )
        assert await instants(world) == []

    in_world(scene, grounds)


def test_one_that_is_resumed_watches_anew_whoever_looks_first(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await begin(world, watching())
        await world.yard.gate.ask(PauseTrigger(KEY, "ann", world.yard.now))
        await world.publish({"order": 1})
        await wait(world, 5)
        await world.yard.gate.ask(ResumeTrigger(KEY, "ann", world.yard.now, zones=ZoneInfo))
        await world.tick()  # the messages first, and the clock after them
        await fire(world)
        await world.tick()
        assert (await row(world)).next_instant == world.yard.now + TWO_HOURS
        assert await instants(world) == []

    in_world(scene, grounds)


def test_what_is_not_as_it_was_does_nothing(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        yard = world.yard
        nowhere = ("shop", "local", "report", "other")
        assert await yard.gate.ask(Heard(nowhere, yard.now, yard.now)) is None
        assert not await yard.gate.ask(Unheard(nowhere, yard.now, yard.now, yard.new_id))
        await begin(world, watching())
        due = (await row(world)).next_instant
        assert due is not None
        assert not await yard.gate.ask(Unheard(KEY, due, yard.now, yard.new_id))  # too early
        yard.later(3 * 3600)
        assert not await yard.gate.ask(Unheard(KEY, yard.now, yard.now, yard.new_id))
        assert await yard.gate.ask(Unheard(KEY, due, yard.now, yard.new_id))
        assert not await yard.gate.ask(Unheard(KEY, due, yard.now, yard.new_id))
        before = await yard.gate.ask(Heard(KEY, yard.now, yard.now))
        assert before == yard.now + TWO_HOURS
        assert await yard.gate.ask(Heard(KEY, yard.now - TWO_HOURS, yard.now)) == before

    in_world(scene, grounds)


def test_one_that_was_paused_in_between_does_nothing(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        yard = world.yard
        await begin(world, watching())
        due = (await row(world)).next_instant
        assert due is not None
        yard.later(3 * 3600)
        unheard = Unheard(KEY, due, yard.now, yard.new_id)
        done = await yard.gate.decide_now([PauseTrigger(KEY, "ann", yard.now), unheard])
        assert done.answers[1] is False
        paused = (await row(world)).evolve(next_instant=due)
        await yard.database.write(lambda tx: yard.store.triggers.put(tx, [paused]))
        assert not await yard.gate.ask(Unheard(KEY, due, yard.now, yard.new_id))
        assert await instants(world) == []

    in_world(scene, grounds)


def test_what_is_not_understood_hears_nothing_and_misses_nothing(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        yard = world.yard
        await begin(world, watching())
        due = (await row(world)).next_instant
        assert due is not None
        strange = (await row(world)).evolve(document={"absence": {"of": 7}})
        await yard.database.write(lambda tx: yard.store.triggers.put(tx, [strange]))
        yard.later(3 * 3600)
        assert await yard.gate.ask(Heard(KEY, yard.now, yard.now)) is None
        assert not await yard.gate.ask(Unheard(KEY, due, yard.now, yard.new_id))
        assert await row(world) == strange

    in_world(scene, grounds)


def test_what_did_not_come_is_asked_for_as_the_absence_says(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        asked = {"labels": {"why": "silence"}, "priority": 3, "env": {"A": "1"}}
        await begin(world, watching(**{"with": asked}))
        due = (await row(world)).next_instant
        assert due is not None
        world.yard.later(2 * 3600)
        unheard = Unheard(KEY, due, world.yard.now, world.yard.new_id)
        assert await world.yard.gate.ask(unheard)
        (one,) = await instants(world)
        run = await world.yard.run(one.runs[0])
        assert (run.requested_by, run.triggered_by) == (PATH, TriggeredBy(PATH, due))
        assert (run.labels, run.policy.priority) == ((("why", "silence"),), 3)
        assert run.overrides.env == (("A", "1"),)

    in_world(scene, grounds)


def test_an_absence_of_a_job_is_told_of_no_message(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        of_job = make_spec(triggers=[{"absence": {"of": {"job": "report"}, "within": "2h"}}])
        await begin(world, of_job)
        yard = world.yard
        before = await row(world)
        assert await yard.gate.ask(Heard(KEY, yard.now, yard.now)) is None
        assert await row(world) == before
        assert await world.names() == []

    in_world(scene, grounds)


def test_a_job_that_may_not_run_is_recorded(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await begin(world, watching())
        await world.block("its provider does not have it")
        await wait(world, 3)
        (one,) = await instants(world)
        assert one.fate is Fate.REFUSED

    in_world(scene, grounds)
