"""Topics and subscriptions, and what is delivered: at least once, to whom and for how long."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.localcloud.pubsub.handing import BYTES_MAX
from runyard.localcloud.pubsub.redelivery import (
    ack_id,
    read_ack_id,
)
from runyard.model.errors import AlreadyExists, InvalidSpec, NotFound
from runyard.model.pubsub.message import Draft
from runyard.model.pubsub.topic import DELETED_TOPIC, DeadLetterPolicy, RetryPolicy
from tests.support.pubsub import HERE, Post, texts, with_post


# -- topics and subscriptions ----------------------------------------------------------------------
def test_what_was_made_is_found_again() -> None:
    async def scenario(post: Post) -> None:
        topic = await post.topic(retention_seconds=600)
        dead = await post.topic("dead")
        made = await post.subscription(
            ordered=True,
            filter="attributes:kind",
            retry=RetryPolicy(1, 5),
            dead_letter=DeadLetterPolicy("dead", 7),
        )
        there = post.cloud.administration
        assert await there.topics(HERE) == [dead, topic]
        assert await there.topic(HERE, "topic") == (topic, ["sub"])
        assert await there.subscriptions(HERE) == [made]
        assert (await there.subscription(HERE, "sub"))[0] == made
        assert await there.topics("other") == []

    with_post(scenario)


def test_what_cannot_be_is_refused() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription()
        with pytest.raises(AlreadyExists, match="a topic topic"):
            await post.topic()
        with pytest.raises(AlreadyExists, match="a subscription sub"):
            await post.subscription()
        with pytest.raises(NotFound, match="no topic other"):
            await post.subscription("second", "other")
        with pytest.raises(NotFound, match="no topic dead"):
            await post.subscription("second", dead_letter=DeadLetterPolicy("dead"))
        with pytest.raises(InvalidSpec, match="no such subscription"):
            await post.subscription("second", ack_deadline_seconds=5)
        with pytest.raises(InvalidSpec, match="no such messages"):
            await post.cloud.publishing.publish(HERE, "topic", [Draft()])
        for call in (post.send("x", topic="other"), post.pull(name="other")):
            with pytest.raises(NotFound):
                await call

    with_post(scenario)


def test_a_subscription_outlives_its_topic() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription()
        await post.send("one")
        await post.cloud.administration.delete_topic(HERE, "topic")
        await post.topic()
        await post.send("of another topic of that name")
        found, _ = await post.cloud.administration.subscription(HERE, "sub")
        assert found.topic == DELETED_TOPIC
        assert await post.texts() == ["one"]

    with_post(scenario)


def test_a_subscription_goes_with_all_it_had() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription()
        await post.subscription("other")
        await post.send("one")
        await post.cloud.administration.delete_subscription(HERE, "sub")
        assert (await post.rows("delivery"), await post.rows("message")) == (1, 1)
        await post.cloud.administration.delete_subscription(HERE, "other")
        assert (await post.rows("delivery"), await post.rows("message")) == (0, 0)

    with_post(scenario)


def test_only_the_subscription_that_was_seen_is_removed() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        seen = await post.subscription()
        administration = post.cloud.administration
        await administration.delete_subscription(HERE, "sub", seen.created_at)
        post.clock.pass_(1)
        await post.subscription()
        with pytest.raises(NotFound, match="is another one"):
            await administration.delete_subscription(HERE, "sub", seen.created_at)

    with_post(scenario)


# -- publish and pull ------------------------------------------------------------------------------
def test_messages_come_with_all_they_were_given() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription()
        draft = Draft(b"\x00data", {"kind": "ürder"}, "key")
        (number,) = await post.cloud.publishing.publish(HERE, "topic", [draft])
        (got,) = await post.pull()
        message = got.message
        assert (message.id, message.published_at) == (number, post.clock.now)
        assert (message.data, message.attributes, message.ordering_key) == (
            draft.data, draft.attributes, draft.ordering_key,
        )  # fmt: skip
        assert got.attempt == 1

    with_post(scenario)


def test_ids_grow_and_are_never_used_again() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        ids = await post.send("nobody", "wants", "these")
        assert await post.rows("message") == 0
        await post.subscription()
        ids += await post.send("one")
        await post.ack(*await post.pull())
        ids += await post.send("two")
        assert all(one < other for one, other in pairwise(ids))

    with_post(scenario)


def test_each_subscription_gets_what_was_published_since_it_was_made() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription("early")
        await post.send("one")
        await post.subscription("late")
        await post.send("two")
        assert await post.texts(name="early") == ["one", "two"]
        assert await post.texts(name="late") == ["two"]

    with_post(scenario)


def test_filters_decide_who_gets_what() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription("orders", filter='attributes.kind = "order"')
        await post.subscription("rest", filter='attributes.kind != "order"')
        await post.send("an order", attributes={"kind": "order"})
        await post.send("something else", attributes={"kind": "mail"})
        await post.send("nothing is said")
        assert await post.texts(name="orders") == ["an order"]
        assert await post.texts(name="rest") == ["something else", "nothing is said"]

    with_post(scenario)


def test_a_pull_is_bounded_in_messages_and_bytes() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription()
        half = "x" * (BYTES_MAX // 2)
        for text in ("small", half, half, "last"):
            await post.send(text)
        assert [len(text) for text in await post.texts()] == [5, len(half)]
        assert await post.texts(1) == [half]
        assert await post.texts() == ["last"]

    with_post(scenario)


# -- leases ----------------------------------------------------------------------------------------
def test_nobody_else_gets_a_message_until_the_ack_deadline() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription(ack_deadline_seconds=20)
        await post.send("one")
        (first,) = await post.pull()
        post.clock.pass_(19.9)
        assert await post.pull() == []
        post.clock.pass_(0.1)
        (second,) = await post.pull()
        assert (second.attempt, second.message) == (2, first.message)
        assert await post.ack(first) == 0  # it was delivered again since
        assert await post.ack(second) == 1
        post.clock.pass_(600)
        assert await post.pull() == []
        assert (await post.rows("delivery"), await post.rows("message")) == (0, 0)

    with_post(scenario)


def test_a_late_ack_counts_until_the_message_is_delivered_again() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription()
        await post.send("one")
        (late,) = await post.pull()
        post.clock.pass_(60)
        assert await post.ack(late, late) == 1
        assert await post.ack(late) == 0
        assert await post.pull() == []

    with_post(scenario)


def test_a_deadline_can_be_moved_and_a_message_given_back() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription()
        await post.send("one")
        (got,) = await post.pull()
        assert await post.modify(300, got) == 1
        post.clock.pass_(299)
        assert await post.pull() == []
        assert await post.nack(got) == 1
        assert await post.ack(got) == 0
        assert await post.texts() == ["one"]

    with_post(scenario)


def test_ack_ids_of_others_are_passed_over() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription()
        await post.subscription("other")
        await post.send("one")
        (got,) = await post.pull()
        assert await post.ack(got, name="other") == 0
        bad = [replace(got, ack_id=text) for text in ("", "x", "1-", "1-zz", "٣-1", "9" * 50)]
        assert await post.ack(*bad) == 0
        assert (await post.backlog()).unacked == 1

    with_post(scenario)


@given(st.integers(0, 2**62), st.integers(0, 2**62))
def test_an_ack_id_is_read_back(message: int, lease: int) -> None:
    assert read_ack_id(ack_id(message, lease)) == (message, lease)


def test_the_backlog_says_what_is_left() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription()
        assert (await post.backlog()).oldest_at is None
        began = post.clock.now
        await post.send("one", "two", "three")
        post.clock.pass_(5)
        got = await post.pull(2)
        await post.ack(got[0])
        found = await post.backlog()
        assert (found.unacked, found.outstanding, found.oldest_at) == (2, 1, began)
        await post.nack(got[1])
        assert (await post.backlog()).outstanding == 0

    with_post(scenario)


# -- waiting ---------------------------------------------------------------------------------------
def test_who_waits_is_woken_by_what_is_published() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription()
        waiting = asyncio.create_task(post.pull(wait_seconds=60))
        await asyncio.sleep(0)
        await post.send("one")
        assert texts(await waiting) == ["one"]

    with_post(scenario)


def test_who_waits_gets_what_is_given_back() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription()
        await post.send("one")
        got = await post.pull()
        waiting = asyncio.create_task(post.pull(wait_seconds=60))
        await asyncio.sleep(0)
        await post.nack(*got)
        assert texts(await waiting) == ["one"]

    with_post(scenario)
