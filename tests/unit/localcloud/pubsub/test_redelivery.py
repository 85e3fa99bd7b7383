"""What is delivered again: after a while, too often, out of what was kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.localcloud.pubsub.redelivery import (
    SECOND_MICROS,
    backoff_micros,
)
from runyard.model.pubsub.topic import DeadLetterPolicy, RetryPolicy
from tests.support.pubsub import HERE, Post, texts, with_post


# -- redelivery ------------------------------------------------------------------------------------
@given(st.integers(0, 600), st.integers(0, 600), st.integers(0, 1000))
def test_backoff_grows_from_the_least_to_the_most(one: int, other: int, attempts: int) -> None:
    policy = RetryPolicy(min(one, other), max(one, other))
    wait = backoff_micros(policy, attempts)
    assert wait <= backoff_micros(policy, attempts + 1)
    if attempts:
        least, most = policy.backoff_seconds_min, policy.backoff_seconds_max
        assert least * SECOND_MICROS <= wait <= most * SECOND_MICROS
    assert backoff_micros(policy, 1) == policy.backoff_seconds_min * SECOND_MICROS
    assert backoff_micros(None, attempts) == 0


def test_a_message_that_comes_back_waits_longer_each_time() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription(retry=RetryPolicy(10, 30))
        await post.send("one")
        for seconds in (10, 20, 30, 30):
            (got,) = await post.pull()
            await post.nack(got)
            post.clock.pass_(seconds - 1)
            assert await post.pull() == []
            post.clock.pass_(1)
        (got,) = await post.pull()  # and likewise when its deadline has passed
        post.clock.pass_(10 + 29)
        assert await post.pull() == []
        post.clock.pass_(1)
        assert await post.texts() == ["one"]

    with_post(scenario)


@pytest.mark.parametrize("by_deadline", [True, False])
def test_what_is_delivered_too_often_goes_to_the_dead_letter_topic(by_deadline: bool) -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.topic("dead")
        await post.subscription("graves", "dead")
        await post.subscription(dead_letter=DeadLetterPolicy("dead", 5))
        began = post.clock.now
        await post.send("bad", attributes={"kind": "order"}, key="k")
        for attempt in range(1, 6):
            (got,) = await post.pull()
            assert got.attempt == attempt
            assert await post.pull(name="graves") == []
            if by_deadline:
                post.clock.pass_(10)
            else:
                await post.nack(got)
        assert await post.pull() == []
        (dead,) = await post.pull(name="graves")
        assert (dead.message.data, dead.message.ordering_key) == (b"bad", "k")
        assert dead.message.attributes == {
            "kind": "order",
            "CloudPubSubDeadLetterSourceDeliveryCount": "5",
            "CloudPubSubDeadLetterSourceSubscription": "sub",
            "CloudPubSubDeadLetterSourceSubscriptionProject": HERE,
            "CloudPubSubDeadLetterSourceTopicPublishTime": began.isoformat(timespec="milliseconds"),
        }
        assert (await post.backlog()).unacked == 0

    with_post(scenario)


def test_without_its_dead_letter_topic_a_message_goes_on_being_delivered() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.topic("dead")
        await post.subscription(dead_letter=DeadLetterPolicy("dead", 5))
        await post.cloud.administration.delete_topic(HERE, "dead")
        await post.send("one")
        for attempt in range(1, 9):
            (got,) = await post.pull()
            assert got.attempt == attempt
            await post.nack(got)

    with_post(scenario)


# -- retention and replay --------------------------------------------------------------------------
def test_what_is_never_acknowledged_is_kept_as_long_as_was_said() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription(retention_seconds=600)
        await post.subscription("longer", retention_seconds=1200)
        await post.send("one")
        post.clock.pass_(601)
        await post.send("two")
        assert await post.cloud.administration.forget_old() == 1
        assert await post.texts() == ["two"]
        assert await post.texts(name="longer") == ["one", "two"]
        post.clock.pass_(1201)
        await post.cloud.administration.forget_old()
        assert (await post.rows("delivery"), await post.rows("message")) == (0, 0)

    with_post(scenario)


def test_what_was_acknowledged_can_be_had_again_where_it_is_kept() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription(retain_acked=True)
        await post.subscription("forgetful")
        began = post.clock.now
        await post.send("one")
        post.clock.pass_(60)
        await post.send("two")
        for name in ("sub", "forgetful"):
            await post.ack(*await post.pull(name=name), name=name)
        post.clock.pass_(60)
        assert await post.pull() == []
        await post.seek(began + timedelta(seconds=30))
        (again,) = await post.pull()
        assert (texts([again]), again.attempt) == (["two"], 1)
        await post.seek(began, "forgetful")
        assert await post.pull(name="forgetful") == []

    with_post(scenario)


def test_what_is_young_is_kept_though_older_messages_came_after_it() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.topic("kept", retention_seconds=600)
        await post.subscription(retention_seconds=600)
        post.clock.pass_(60)
        for topic in ("topic", "kept"):
            await post.send("young", topic=topic)
        post.clock.pass_(-60)  # a clock was set back, or who publishes was held up
        for topic in ("topic", "kept"):
            await post.send("old", topic=topic)
        post.clock.pass_(601)
        assert await post.cloud.administration.forget_old() == 2
        assert await post.texts() == ["young"]
        await post.subscription("late", "kept")
        await post.seek(post.clock.now - timedelta(seconds=600), "late")
        assert await post.texts(name="late") == ["young"]

    with_post(scenario)


def test_what_a_topic_keeps_any_subscription_can_have_again() -> None:
    async def scenario(post: Post) -> None:
        await post.topic(retention_seconds=3600)
        began = post.clock.now
        await post.send("before it was made", attributes={"kind": "a"})
        await post.send("not for it", attributes={"kind": "b"})
        await post.subscription(filter='attributes.kind = "a"')
        assert await post.pull() == []
        await post.seek(began)
        got = await post.pull()
        assert texts(got) == ["before it was made"]
        await post.ack(*got)
        assert await post.rows("message") == 2
        post.clock.pass_(3601)
        assert await post.cloud.administration.forget_old() == 2
        await post.seek(began)
        assert await post.pull() == []

    with_post(scenario)


def test_a_seek_into_the_future_is_done_with_everything() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription()
        await post.send("one", "two")
        (got,) = await post.pull(1)
        await post.seek(post.clock.now + timedelta(days=1))
        assert await post.ack(got) == 0
        post.clock.pass_(60)
        assert await post.pull() == []
        assert (await post.rows("delivery"), await post.rows("message")) == (0, 0)

    with_post(scenario)


def test_a_seek_takes_back_what_is_out() -> None:
    async def scenario(post: Post) -> None:
        await post.topic()
        await post.subscription()
        began = post.clock.now
        await post.send("one")
        (got,) = await post.pull()
        await post.seek(began)
        assert await post.ack(got) == 0
        (again,) = await post.pull()
        assert again.attempt == 1
        assert again.ack_id != got.ack_id
        assert await post.ack(again) == 1

    with_post(scenario)


def test_messages_of_a_deleted_topic_go_when_nobody_has_them() -> None:
    async def scenario(post: Post) -> None:
        await post.topic(retention_seconds=600)
        await post.send("one")
        await post.cloud.administration.delete_topic(HERE, "topic")
        assert await post.cloud.administration.forget_old() == 1
        assert await post.rows("message") == 0

    with_post(scenario)
