"""Messages that a trigger gathers become runs together, on every kind of database."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from runyard.engine.events import Ears, EventLoop
from runyard.flow.eventing import told_by
from runyard.gate.batching import BYTES_MAX, GONE, Batched, TakeBatch
from runyard.gate.delivering import ForgetDeliveries, Take
from runyard.gate.firing import PauseTrigger, ResumeTrigger
from runyard.model.delivery import Delivery
from runyard.model.ids import DeliveryId
from runyard.model.job import JobSpec
from runyard.model.pubsub.message import Draft
from runyard.model.run import TriggerKind
from tests.contract.test_event_triggers import KEY, World, in_world, spec
from tests.support.databases import Grounds
from tests.support.runs import make_spec

PRICE = {"PRICE": {"from": "body.price"}}


def batch(most: int = 2, **beside: Any) -> JobSpec:
    return spec(batch={"max": most, "within": "60s"}, **beside)


def take(world: World) -> TakeBatch:
    return TakeBatch(KEY, world.yard.now, world.yard.new_id)


async def content(world: World, one: Delivery) -> bytes:
    port = world.yard.store.deliveries
    return await world.yard.database.read(lambda tx: port.content(tx, one.id))


async def runs(world: World) -> list[tuple[str, ...]]:
    """The messages of each run, the first run first."""
    found: dict[str, list[Delivery]] = {}
    for one in reversed(await world.kept()):
        for run in one.runs:
            found.setdefault(run, []).append(one)
    return [tuple(one.address for one in deliveries) for deliveries in found.values()]


def test_so_many_messages_become_one_run(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        mapped = {"ALL": {"from": "messages"}} | PRICE
        await world.apply(batch(map={"env": mapped}))
        await world.publish({"price": 3})
        assert (await world.fates(), await world.backlog()) == (["gathered"], 0)
        assert [one.reason for one in await world.kept()] == [""]
        await world.publish({"price": 4}, kind="b")
        assert await world.fates() == ["accepted", "accepted"]
        last, first = await world.kept()
        assert (first.runs, first.revision) == (last.runs, 1)
        env = dict((await world.yard.run(first.runs[0])).overrides.env)
        assert (env["PRICE"], env["RUNYARD_DELIVERY"]) == ("[3,4]", first.id)
        assert json.loads(env["ALL"]) == [
            {"delivery": first.id, "body": {"price": 3}, "attributes": {}},
            {"delivery": last.id, "body": {"price": 4}, "attributes": {"kind": "b"}},
        ]

    in_world(scene, grounds)


def test_fewer_become_one_when_the_first_has_waited_for_long_enough(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(batch(3))
        due = world.yard.now + timedelta(seconds=60)
        await world.publish(1)
        world.yard.later(59)
        await world.publish(2)
        assert await world.loop.tick(world.yard.now) == due
        assert await world.fates() == ["gathered", "gathered"]
        world.yard.later(1)
        assert await world.loop.tick(world.yard.now) is None
        assert await runs(world) == [("message 1", "message 2")]

    in_world(scene, grounds)


def test_more_than_enough_become_several_and_the_rest_waits(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(batch())
        await world.broker.publish("local", "orders", [Draft(b"x")] * 5)
        await world.tick()
        assert await world.fates() == ["accepted"] * 4 + ["gathered"]
        assert [len(one) for one in await runs(world)] == [2, 2]

    in_world(scene, grounds)


def test_several_engines_make_one_run_of_a_batch(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(batch(3))
        await world.publish(1)
        await world.publish(2)
        world.yard.later(60)
        yard, ears = world.yard, Ears(world.broker, lambda: DeliveryId("dlv_x"))
        other = EventLoop(yard.gate, yard.database, yard.store, yard.new_id, ears)
        await asyncio.gather(world.tick(), other.tick(yard.now), world.tick())
        assert await runs(world) == [("message 1", "message 2")]
        assert await yard.gate.ask(take(world)) == Batched()

    in_world(scene, grounds)


def test_asked_for_twice_at_once_a_batch_is_taken_once(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(batch(3))
        await world.publish(1)
        early = await world.yard.gate.ask(take(world))
        assert early == Batched(next_at=world.yard.now + timedelta(seconds=60))
        world.yard.later(60)
        done = await world.yard.gate.decide_now([take(world) for _ in range(2)])
        assert done.answers == (Batched(1), Batched(next_at=world.yard.now))
        assert await world.yard.gate.ask(take(world)) == Batched()
        assert await runs(world) == [("message 1",)]

    in_world(scene, grounds)


def test_one_that_comes_again_is_gathered_once_and_never_forgotten(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(batch(3))
        for _ in range(3):
            await world.publish({}, **{"ce-id": "7", "ce-source": "/shop"})
        world.yard.later(30)
        now = world.yard.now
        await world.yard.gate.ask(ForgetDeliveries(now, now, now))
        assert [(one.fate, one.count) for one in await world.kept()] == [("gathered", 3)]

    in_world(scene, grounds)


def test_a_message_that_does_not_fit_spoils_no_batch(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(batch(filter="body.ok = true", map={"env": PRICE}))
        await world.publish({"ok": False})
        await world.publish({"ok": True})
        await world.publish({"ok": True, "price": 1})
        assert await world.fates() == ["filtered", "refused", "gathered"]

    in_world(scene, grounds)


def test_a_batch_is_decided_on_as_its_trigger_is_then(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(batch(4))
        for body in ({"ok": False}, {"ok": True}, {"ok": True, "price": 1}):
            await world.publish(body)
        await world.apply(batch(3, filter="body.ok = true", map={"env": PRICE}))
        assert await world.fates() == ["filtered", "refused", "accepted"]
        last, refused, filtered = await world.kept()
        assert filtered.reason == "the filter leaves it out"
        assert refused.reason.startswith("what was sent does not fit the trigger's map; body.price")
        for one in (last, refused, filtered):
            assert (one.revision, await content(world, one) != b"") == (2, True)

    in_world(scene, grounds)


def test_what_the_filter_leaves_out_is_in_no_batch(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(batch(filter="body.ok = true"))
        for ok in (False, True, True):
            await world.publish({"ok": ok})
        assert await world.fates() == ["filtered", "accepted", "accepted"]
        assert await runs(world) == [("message 2", "message 3")]

    in_world(scene, grounds)


def test_what_does_not_fit_together_leaves_what_was_filtered_as_it_is(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(batch(4))
        for body in (
            {"ok": False},
            {"ok": True, "x": "x" * 20_000},
            {"ok": True, "x": "y" * 20_000},
        ):
            await world.publish(body)
        await world.apply(
            batch(3, filter="body.ok = true", map={"env": {"ALL": {"from": "messages"}}})
        )
        assert await world.fates() == ["filtered", "refused", "refused"]

    in_world(scene, grounds)


def test_what_is_not_understood_waits_with_the_reason(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(batch())
        await world.publish(1)
        triggers = world.yard.store.triggers
        [row] = await world.yard.database.read(
            lambda tx: triggers.every_of_kind(tx, TriggerKind.EVENT)
        )
        strange = row.evolve(document={"event": {"beacon": 1}})
        await world.yard.database.write(lambda tx: triggers.put(tx, [strange]))
        again = world.yard.now + timedelta(seconds=10)
        assert await world.yard.gate.ask(take(world)) == Batched(next_at=again)
        [one] = await world.kept()
        assert one.fate == "gathered"
        assert one.reason.startswith("this version does not understand it: expected")

    in_world(scene, grounds)


def test_without_its_batch_what_waited_becomes_runs_one_by_one(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(batch(4))
        await world.publish({"price": 1})
        await world.publish({})
        await world.publish({"price": 2})
        await world.apply(spec(map={"env": PRICE}))
        assert await world.fates() == ["accepted", "refused", "accepted"]
        assert await runs(world) == [("message 1",), ("message 3",)]

    in_world(scene, grounds)


def test_a_batch_that_is_too_long_for_its_place_is_refused_and_kept(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(batch(map={"env": {"ALL": {"from": "messages"}}}))
        await world.publish("x" * 20_000)
        await world.publish("y" * 20_000)
        assert await world.fates() == ["refused", "refused"]
        assert "at most 32768 bytes" in (await world.kept())[0].reason

    in_world(scene, grounds)


def test_a_batch_of_much_content_is_shorter(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(batch())
        half = BYTES_MAX // 2
        for size, fates in (
            (half, ["accepted"] * 2), (half + 1, ["accepted"] * 3 + ["gathered"]),
        ):  # fmt: skip
            for _ in range(2):
                await world.broker.publish("local", "orders", [Draft(b"x" * size)])
            await world.tick()
            assert await world.fates() == fates

    in_world(scene, grounds)


def test_what_cannot_run_now_waits_with_the_reason(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(batch())
        await world.block("no room")
        await world.publish(1)
        await world.publish(2)
        again = world.yard.now + timedelta(seconds=10)
        assert await world.loop.tick(world.yard.now) == again
        assert {(one.fate, one.reason) for one in await world.kept()} == {
            ("gathered", "job report is not ready: no room")
        }
        await world.block("")
        await world.tick()
        assert await runs(world) == [("message 1", "message 2")]
        assert {one.reason for one in await world.kept()} == {""}

    in_world(scene, grounds)


def test_while_the_trigger_is_paused_they_wait(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(batch(3))
        await world.publish(1)
        await world.yard.gate.ask(PauseTrigger(KEY, "ann", world.yard.now))
        world.yard.later(100)
        assert await world.loop.tick(world.yard.now) is None
        await world.yard.gate.ask(take(world))
        assert await world.fates() == ["gathered"]
        await world.yard.gate.ask(ResumeTrigger(KEY, "ann", world.yard.now))
        await world.tick()
        assert await world.fates() == ["accepted"]

    in_world(scene, grounds)


def test_when_the_trigger_is_gone_they_are_refused(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(batch())
        await world.publish(1)
        await world.apply(make_spec())
        assert [(one.fate, one.reason) for one in await world.kept()] == [("refused", GONE)]

    in_world(scene, grounds)


@pytest.mark.parametrize(
    "instead", [[], [{"name": "event", "schedule": "@daily"}]], ids=["gone", "a schedule now"]
)
def test_how_many_the_trigger_left_behind_is_told(grounds: Grounds, instead: list[Any]) -> None:
    async def scene(world: World) -> None:
        await world.apply(batch())
        await world.publish(1)
        await world.yard.apply(make_spec(triggers=instead))
        assert await world.yard.gate.ask(take(world)) == Batched(1)
        [one] = await world.kept()
        assert (one.fate, one.reason, await content(world, one)) == ("refused", GONE, b"1")

    in_world(scene, grounds)


def test_one_that_was_in_a_run_is_brought_again_as_a_batch_of_one(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(batch(map={"env": PRICE | {"ALL": {"from": "messages"}}}))
        await world.publish({"price": 3})
        await world.publish({"price": 4})
        first, told = (await world.kept())[-1], told_by({}, b'{"price": 3}')
        new = first.evolve(id=DeliveryId("dlv_z"), key="", redelivers=first.id, by="ann", runs=())
        yard = world.yard
        taken = await yard.gate.ask(
            Take(KEY, new, told, b"", yard.now, yard.new_id, original=first)
        )
        [run] = taken.delivery.runs
        env = dict((await yard.run(run)).overrides.env)
        message = {"delivery": first.id, "body": {"price": 3}, "attributes": {}}
        assert json.loads(env.pop("ALL")) == [message]
        assert env == {"PRICE": "[3]", "RUNYARD_DELIVERY": first.id}
        unfit = Take(KEY, new, told_by({}, b"{}"), b"", yard.now, yard.new_id, original=first)
        assert (await yard.gate.ask(unfit)).delivery.fate == "refused"

    in_world(scene, grounds)
