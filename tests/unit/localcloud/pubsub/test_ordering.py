"""Ordering keys: one after the other, whatever is given back, and again after a replay."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from runyard.model.pubsub.message import Delivery
from runyard.model.pubsub.topic import DeadLetterPolicy
from tests.support.pubsub import Post, texts, with_post


def test_messages_of_a_key_come_in_order_and_together() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription(ordered=True)
        await post.send("a1", "a2", "a3", key="a")
        await post.send("b1", key="b")
        await post.send("free")
        assert await post.texts(2) == ["a1", "a2"]
        assert await post.texts() == ["b1", "free"]  # a3 waits for a1 and a2

    with_post(scenario)


def test_a_key_goes_on_when_all_before_is_acknowledged() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription(ordered=True)
        await post.send("a1", "a2", "a3", key="a")
        one, two = await post.pull(2)
        await post.ack(two)
        assert await post.pull() == []
        await post.ack(one)
        assert await post.texts() == ["a3"]
        assert await post.rows("delivery") == 1

    with_post(scenario)


def test_what_comes_after_a_message_is_delivered_again_with_it() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription(ordered=True)
        await post.send("a1", "a2", "a3", key="a")
        one, two, _ = await post.pull()
        await post.ack(two)
        await post.nack(one)
        again = await post.pull()
        assert texts(again) == ["a1", "a2", "a3"]
        assert await post.ack(two) == 0
        assert await post.ack(*again) == 3
        assert await post.rows("delivery") == 0

    with_post(scenario)


def test_a_later_message_never_overtakes_one_whose_deadline_was_moved() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription(ordered=True)
        await post.send("a1", "a2", key="a")
        one, _ = await post.pull()
        await post.modify(100, one)
        post.clock.pass_(50)  # the second one's deadline has passed
        assert await post.pull() == []
        await post.ack(one)
        assert await post.texts() == ["a2"]

    with_post(scenario)


def test_one_at_a_time_is_one_of_each_key() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription(ordered=True)
        await post.send("a1", "a2", key="a")
        await post.send("b1", "b2", key="b")
        assert texts(await post.pull(single=True)) == ["a1", "b1"]
        assert await post.pull(single=True) == []

    with_post(scenario)


def test_a_key_goes_on_after_a_dead_letter() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.topic("dead")
        await post.subscription("graves", "dead")
        await post.subscription(ordered=True, dead_letter=DeadLetterPolicy("dead", 5))
        await post.send("a1", "a2", key="a")
        for _ in range(4):
            await post.nack(*await post.pull(1))
        one, two = await post.pull()
        await post.nack(two)  # not the first of its key: it has to wait for the first
        await post.nack(one)
        assert await post.texts(name="graves") == ["a1"]
        assert await post.texts() == ["a2"]

    with_post(scenario)


def test_a_replay_is_in_order_too() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription(ordered=True, retain_acked=True)
        began = post.clock.now
        await post.send("a1", "a2", key="a")
        await post.ack(*await post.pull())
        await post.send("a3", key="a")
        await post.seek(began)
        assert await post.texts(1) == ["a1"]
        assert await post.pull() == []
        post.clock.pass_(10)
        assert await post.texts() == ["a1", "a2", "a3"]
        await post.seek(began + timedelta(seconds=1))
        assert await post.pull() == []

    with_post(scenario)


def test_who_waits_for_what_is_forgotten_waits_no_more() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription(ordered=True, retention_seconds=600)
        await post.send("a1", key="a")
        post.clock.pass_(300)
        await post.send("a2", key="a")
        await post.modify(600, *await post.pull(1))
        post.clock.pass_(301)
        assert await post.cloud.administration.forget_old() == 1
        assert await post.texts() == ["a2"]

    with_post(scenario)


_STEP = st.one_of(
    st.tuples(st.just("send"), st.sampled_from("abc")),
    st.tuples(st.just("pull"), st.integers(1, 5)),
    st.tuples(st.just("ack"), st.integers(0, 20)),
    st.tuples(st.just("nack"), st.integers(0, 20)),
    st.tuples(st.just("pass"), st.sampled_from([1, 6, 11])),
)


class Reader:
    """Somebody who reads, and remembers what was delivered of each key in which order."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.sent = defaultdict[str, list[int]](list)
        self.seen = defaultdict[str, list[int]](list)
        self.out: list[Delivery] = []
        self.done: set[int] = set()

    async def pull(self, limit: int) -> list[Delivery]:
        found = await self.post.pull(limit)
        for one in found:
            self.seen[one.message.ordering_key].append(one.message.id)
        self.out += found
        return found

    async def ack(self, delivery: Delivery) -> None:
        if await self.post.ack(delivery):
            self.done.add(delivery.message.id)

    async def step(self, what: str, value: str | int) -> None:
        match what:
            case "send":
                self.sent[str(value)] += await self.post.send("x", key=str(value))
            case "pull":
                await self.pull(int(value))
            case "ack" if self.out:
                await self.ack(self.out[int(value) % len(self.out)])
            case "nack" if self.out:
                await self.post.nack(self.out[int(value) % len(self.out)])
            case "pass":
                self.post.clock.pass_(int(value))

    async def drain(self) -> None:
        while (await self.post.backlog()).unacked:
            self.post.clock.pass_(11)
            for one in await self.pull(100):
                await self.ack(one)


@given(st.lists(_STEP, max_size=40), st.booleans())
def test_whatever_happens_nothing_is_lost_and_nothing_overtakes(
    steps: list[tuple[str, str | int]], retain_acked: bool
) -> None:
    """Nothing is delivered before all that was published earlier with its key; and everything is
    delivered until it is acknowledged."""

    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription(ordered=True, retain_acked=retain_acked)
        reader = Reader(post)
        for what, value in steps:
            await reader.step(what, value)
        await reader.drain()
        for key, numbers in reader.sent.items():
            seen = reader.seen[key]
            assert set(seen) == set(numbers)
            firsts = [seen.index(number) for number in numbers]
            assert firsts == sorted(firsts)
            places = [numbers.index(number) for number in seen]
            assert all(after <= before + 1 for before, after in pairwise(places))
        assert reader.done == {one for numbers in reader.sent.values() for one in numbers}

    with_post(scenario)
