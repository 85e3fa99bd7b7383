"""Messages become runs, through the loop and the gate, on every kind of database."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import pytest

from runyard.database.port import Tx
from runyard.database.sqlite import InlineSqlite
from runyard.engine.events import FOLLOW_AGAIN, Ears, EventLoop
from runyard.gate.delivering import event_of
from runyard.gate.firing import PauseTrigger, ResumeTrigger
from runyard.localcloud.pubsub.service import PubSub
from runyard.localcloud.schema import migrate as migrate_cloud
from runyard.model.delivery import Delivery
from runyard.model.errors import NotFound, Refused
from runyard.model.ids import DeliveryId, stamped
from runyard.model.job import JobSpec
from runyard.model.pubsub.message import Draft
from runyard.model.pubsub.topic import Subscription
from runyard.model.run import InputFile, TriggerKind
from runyard.provider.local.pubsub import LocalBroker
from runyard.store.deliveries import DeliveryQuestion
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_spec

KEY = ("shop", "local", "report", "event")
SUBSCRIPTION = "runyard.trigger.shop.report.event"


def spec(source: dict[str, Any] | None = None, **beside: Any) -> JobSpec:
    event = {"event": {"topic": "orders"} | (source or {})} | beside
    return make_spec(triggers=[event])


@dataclass
class World:
    """A gate, a loop, and a broker with a database of its own."""

    yard: Yard
    broker: LocalBroker
    loop: EventLoop
    wakes: list[None] = field(default_factory=list)

    async def apply(self, *specs: JobSpec) -> None:
        await self.yard.apply(*specs)
        await self.tick()

    async def tick(self) -> None:
        await self.loop.tick(self.yard.now)

    async def publish(self, body: Any = None, **attributes: str) -> None:
        data = json.dumps(body).encode()
        await self.broker.publish("local", "orders", [Draft(data, attributes)])
        await self.tick()

    async def block(self, why: str) -> None:
        """Have the job be not ready, or (nothing) be ready again."""
        jobs = self.yard.store.jobs

        async def work(tx: Tx) -> None:
            rows = [replace(row, blocked=why) for row in await jobs.every(tx)]
            await jobs.put(tx, rows)

        await self.yard.database.write(work)

    async def kept(self) -> list[Delivery]:
        asked = DeliveryQuestion()
        deliveries = self.yard.store.deliveries
        return await self.yard.database.read(lambda tx: deliveries.page(tx, asked, "", 100))

    async def fates(self) -> list[str]:
        return [one.fate for one in reversed(await self.kept())]

    async def backlog(self) -> int:
        return (await self.broker.subscription("local", SUBSCRIPTION))[1].unacked

    async def names(self) -> list[str]:
        return [one.name for one in await self.broker.every_subscription()]


class Overtaken(LocalBroker):
    """What somebody does has happened once the subscriptions were listed."""

    def __init__(self, broker: LocalBroker, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__(broker._cloud, broker._clock)
        self._meanwhile = meanwhile

    async def every_subscription(self) -> Sequence[Subscription]:
        found = await super().every_subscription()
        await self._meanwhile()
        return found


def in_world(scene: Callable[[World], Awaitable[None]], grounds: Grounds) -> None:
    async def main(yard: Yard) -> None:
        cloud, numbers = InlineSqlite(), count(1)
        await migrate_cloud(cloud, yard.now)
        broker = LocalBroker(PubSub.over(cloud, lambda: yard.now), lambda: yard.now)
        ears = Ears(broker, lambda: DeliveryId(stamped("dlv", yard.now, next(numbers))))
        loop = EventLoop(yard.gate, yard.database, yard.store, yard.new_id, ears)
        world = World(yard, broker, loop)
        loop.listen(lambda: world.wakes.append(None))
        await scene(world)
        await cloud.close()

    in_yard(main, grounds)


def test_a_message_becomes_a_run(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(spec(map={"env": {"PRICE": {"from": "body.price"}}}))
        await world.publish({"price": 3}, kind="order")
        [one] = await world.kept()
        assert (one.fate, one.headers, one.address) == ("accepted", {"kind": "order"}, "message 1")
        run = await world.yard.run(one.runs[0])
        assert (run.trigger, run.requested_by) == (TriggerKind.EVENT, "/".join(KEY))
        assert dict(run.overrides.env) == {"PRICE": "3", "RUNYARD_DELIVERY": one.id}
        assert await world.backlog() == 0
        assert world.wakes

    in_world(scene, grounds)


def test_a_message_becomes_a_file_of_its_run(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        file = {"path": "/input/order.json", "from": "body"}
        await world.apply(spec(map={"file": file}))
        await world.publish({"price": 3})
        await world.publish({"price": "x" * 65_536})
        big, one = await world.kept()
        run = await world.yard.run(one.runs[0])
        assert run.overrides.file == InputFile("/input/order.json", '{"price":3}')
        assert (big.fate, big.runs) == ("refused", ())
        assert "at most 65536 bytes" in big.reason

    in_world(scene, grounds)


def test_an_event_has_one_run_however_often_it_comes(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(spec())
        event = {"ce-id": "7", "ce-source": "/shop"}
        for _ in range(3):
            await world.publish({}, **event)
        await world.publish({}, **event | {"ce-id": "8"})
        assert [(one.fate, one.count) for one in await world.kept()] == [
            ("accepted", 1), ("accepted", 3),
        ]  # fmt: skip

    in_world(scene, grounds)


def test_a_message_that_was_decided_on_and_not_acknowledged_changes_nothing(
    grounds: Grounds,
) -> None:
    async def scene(world: World) -> None:
        await world.apply(spec())
        await world.publish({})
        began = world.yard.now
        await world.broker.publish("local", "orders", [Draft(b"x")])
        [lost] = await world.broker.pull("local", SUBSCRIPTION, 10)  # by who died then
        await world.tick()
        assert await world.fates() == ["accepted"]
        world.yard.later(100)
        await world.tick()
        assert await world.fates() == ["accepted", "accepted"]
        assert lost.message.published_at == began
        assert await world.backlog() == 0

    in_world(scene, grounds)


def test_what_does_not_fit_is_kept_with_why_and_comes_no_more(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        source = {"type": "s*d", "filter": "attributes:kind"}
        number = {"from": "body.n", "type": "integer"}
        await world.apply(spec(source, filter="body.ok = true", map={"env": {"N": number}}))
        await world.publish({"ok": True, "n": 1})  # Pub/Sub holds it back
        await world.publish({"ok": True, "n": 1}, kind="a", **{"ce-type": "skip"})
        await world.publish({"ok": False}, kind="a", **{"ce-type": "sold"})
        await world.publish({"ok": True}, kind="a", **{"ce-type": "sold"})
        json_only = {"kind": "a", "ce-type": "sold", "content-type": "application/json"}
        await world.broker.publish("local", "orders", [Draft(b"{", json_only)])
        await world.tick()
        assert await world.fates() == ["filtered", "filtered", "refused", "refused"]
        assert await world.backlog() == 0

    in_world(scene, grounds)


def test_without_its_key_an_event_is_refused(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(spec(key="body.order"))
        await world.publish({"order": 1})
        await world.publish({"order": 1})
        await world.publish({})
        assert await world.fates() == ["accepted", "refused"]

    in_world(scene, grounds)


def test_a_paused_trigger_gets_its_messages_later(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(spec())
        await world.yard.gate.ask(PauseTrigger(KEY, "ann", world.yard.now))
        await world.publish({})
        assert (await world.kept(), await world.backlog()) == ([], 1)
        await world.yard.gate.ask(ResumeTrigger(KEY, "ann", world.yard.now))
        await world.tick()
        assert await world.fates() == ["accepted"]

    in_world(scene, grounds)


def test_what_cannot_run_now_comes_again(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(spec())
        await world.block("no room")
        await world.publish({})
        assert (await world.fates(), await world.backlog()) == (["refused"], 1)
        await world.block("")
        world.yard.later(60)
        await world.tick()
        assert await world.fates() == ["accepted"]
        assert await world.backlog() == 0

    in_world(scene, grounds)


def test_subscriptions_follow_their_triggers(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(spec({"type": "sold"}))
        found, _ = await world.broker.subscription("local", SUBSCRIPTION)
        assert (found.topic, found.filter) == ("orders", 'attributes.ce-type = "sold"')
        await world.apply(spec({"type": "bought"}))
        found, _ = await world.broker.subscription("local", SUBSCRIPTION)
        assert found.filter == 'attributes.ce-type = "bought"'
        await world.broker.delete_subscription("local", SUBSCRIPTION)
        await world.tick()  # somebody removed it: this tick finds out,
        await world.tick()  # and the next one makes it again
        assert await world.names() == [SUBSCRIPTION]
        await world.apply(make_spec())
        assert await world.names() == []

    in_world(scene, grounds)


def test_a_topic_that_is_removed_is_made_again_and_loses_nothing(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(spec())
        await world.broker.publish("local", "orders", [Draft(b"before")])
        await world.broker.delete_topic("local", "orders")
        world.yard.later(FOLLOW_AGAIN.total_seconds())
        await world.tick()  # what was published before is looked at first
        assert await world.fates() == ["accepted"]
        await world.tick()
        await world.publish("after")
        assert await world.fates() == ["accepted", "accepted"]

    in_world(scene, grounds)


def test_a_topic_that_somebody_made_anew_is_listened_to(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(spec())
        await world.broker.delete_topic("local", "orders")
        await world.broker.create_topic("local", "orders")
        world.yard.later(FOLLOW_AGAIN.total_seconds())
        await world.tick()
        await world.publish({})
        assert await world.fates() == ["accepted"]

    in_world(scene, grounds)


def test_what_another_engine_made_meanwhile_is_left_alone(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(spec())
        yard = world.yard

        async def meanwhile() -> None:
            if not await world.kept():
                await world.tick()
                await world.broker.publish("local", "orders", [Draft(b"{}", {"ce-type": "sold"})])

        ears = Ears(Overtaken(world.broker, meanwhile), lambda: DeliveryId("dlv_x"))
        late = EventLoop(yard.gate, yard.database, yard.store, yard.new_id, ears)
        yard.later(1)
        await yard.apply(spec({"type": "sold"}))
        await late.tick(yard.now)
        assert await world.fates() == ["accepted"]

    in_world(scene, grounds)


def test_an_engine_that_comes_up_takes_what_it_finds(grounds: Grounds) -> None:
    async def scene(world: World) -> None:
        await world.apply(spec())
        yard, ears = world.yard, Ears(world.broker, lambda: DeliveryId("dlv_x"))
        await world.broker.publish("local", "orders", [Draft(b"x")])
        world.loop = EventLoop(yard.gate, yard.database, yard.store, yard.new_id, ears)
        await world.tick()
        assert await world.fates() == ["accepted"]

    in_world(scene, grounds)


def test_what_this_version_does_not_understand_keeps_nobody_else_from_working(
    grounds: Grounds,
) -> None:
    async def scene(world: World) -> None:
        await world.apply(spec())
        yard, rows = world.yard, world.yard.store.triggers
        [row] = await yard.database.read(lambda tx: rows.every_of_kind(tx, TriggerKind.EVENT))
        strange = replace(row, job="strange", document={"event": {"beacon": 1}})
        await yard.database.write(lambda tx: rows.put(tx, [strange]))
        await world.publish({})
        assert await world.fates() == ["accepted"]
        assert await world.names() == [SUBSCRIPTION]
        with pytest.raises(Refused, match="does not understand it"):
            event_of(strange)
        with pytest.raises(NotFound, match="about no event"):
            event_of(replace(row, kind=TriggerKind.WEBHOOK))

    in_world(scene, grounds)


def test_without_a_broker_there_is_nothing_to_do(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        loop = EventLoop(yard.gate, yard.database, yard.store, yard.new_id, None)
        loop.listen(lambda: pytest.fail("nobody publishes"))
        await yard.apply(spec())
        assert await loop.tick(yard.now) is None

    in_yard(scene, grounds)
