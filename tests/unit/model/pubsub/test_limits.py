"""What Pub/Sub takes, and the words for what it does not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runyard.model.errors import Code, Fault, InvalidSpec
from runyard.model.pubsub import limits
from runyard.model.pubsub.message import Draft
from runyard.model.pubsub.topic import (
    DELETED_TOPIC,
    DeadLetterPolicy,
    PushConfig,
    RetryPolicy,
    Subscription,
    Topic,
    subscription_path,
    topic_path,
)

AT = datetime(2026, 3, 1, tzinfo=UTC)


def words(faults: Iterable[Fault]) -> list[str]:
    return [str(fault) for fault in faults]


def of_subscription(**settings: Any) -> list[str]:
    asked = {"name": "orders", "topic": "shop"} | settings
    return words(limits.subscription_faults(Subscription(project="local", created_at=AT, **asked)))


@pytest.mark.parametrize("name", ["abc", "a" * 255, "Shop.orders_1-a~+%"])
def test_names_that_are_taken(name: str) -> None:
    assert words(limits.topic_faults(Topic("local", name, AT))) == []


@pytest.mark.parametrize("name", ["", "ab", "a" * 256, "1abc", "google", "sh/op", "ürder", "abc\n"])
def test_names_that_are_not(name: str) -> None:
    (fault,) = limits.topic_faults(Topic("local", name, AT))
    assert (fault.path, fault.expected) == ("topic.name", limits.NAME_EXPECTED)


@pytest.mark.parametrize(
    ("seconds", "taken"),
    [(0, True), (599, False), (600, True), (2_678_400, True), (2_678_401, False)],
)
def test_a_topic_keeps_messages_from_ten_minutes_to_a_month(seconds: int, taken: bool) -> None:
    found = words(limits.topic_faults(Topic("local", "shop", AT, seconds)))
    assert found == ([] if taken else [
        f"topic.retention_seconds is {seconds}: expected a whole number from 600 to 2678400 seconds"
    ])  # fmt: skip


def test_usual_subscriptions_are_taken() -> None:
    assert of_subscription() == []
    assert of_subscription(
        filter="attributes:kind",
        dead_letter=DeadLetterPolicy("dead", 100),
        retry=RetryPolicy(0, 600),
        push=PushConfig("https://example.com/push?x=1", wrapped=False, write_metadata=True),
    ) == []  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"name": "x"}, "subscription.name is 'x': expected 3 to 255"),
        ({"ack_deadline_seconds": 9}, "ack_deadline_seconds is 9: expected a whole number from 10"),
        ({"ack_deadline_seconds": 601}, "from 10 to 600 seconds"),
        ({"retention_seconds": 599}, "retention_seconds is 599"),
        ({"dead_letter": DeadLetterPolicy("dead", 4)}, "attempts_max is 4"),
        ({"dead_letter": DeadLetterPolicy("shop")}, "dead_letter.topic is 'shop'"),
        ({"retry": RetryPolicy(-1, 600)}, "backoff_seconds_min is -1"),
        ({"retry": RetryPolicy(0, 601)}, "backoff_seconds_max is 601"),
        ({"retry": RetryPolicy(20, 10)}, "at most backoff_seconds_max, which is 10"),
        ({"filter": "kind"}, "filter is 'kind': expected attributes"),
        ({"push": PushConfig("ftp://example.com")}, "endpoint is 'ftp:"),
        ({"push": PushConfig("https://" + "x" * 2048)}, "expected a URL"),
        ({"push": PushConfig("https://")}, "expected a URL"),
        ({"push": PushConfig("https://ex ample.com")}, "expected a URL"),
        ({"push": PushConfig("https://exämple.com")}, "expected a URL"),
        ({"push": PushConfig("https://example.com:x/")}, "expected a URL"),
        ({"push": PushConfig("https://example.com", True, True)}, "write_metadata is true"),
    ],
)  # fmt: skip
def test_each_setting_is_held_to_what_it_takes(settings: dict[str, Any], expected: str) -> None:
    (found,) = of_subscription(**settings)
    assert expected in found


def test_a_password_in_an_endpoint_is_not_shown() -> None:
    (found,) = of_subscription(push=PushConfig("https://me:hunter2@example.com/"))
    assert "hunter2" not in found
    assert "no password in it" in found


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        (Draft(), "messages[0] is empty: expected data, an attribute, or both"),
        (Draft(b"x" * 10_000_001), "messages[0] is 10000001 bytes: expected at most"),
        (Draft(b"x", {str(n): "" for n in range(101)}), "is 101 attributes: expected at most 100"),
        (Draft(b"x", {"": "v"}), "expected a key of 1 to 256 bytes"),
        (Draft(b"x", {"é" * 129: "v"}), "is 258 bytes: expected at most 256 bytes of UTF-8"),
        (Draft(b"x", {"k": "é" * 513}), "attributes.k is 1026 bytes: expected at most"),
        (Draft(b"x", {"k": "\ud800"}), "attributes.k is half of a character"),
        (Draft(b"x", ordering_key="x" * 1025), "ordering_key is 1025 bytes: expected at most 1024"),
    ],
)  # fmt: skip
def test_each_limit_of_a_message_is_told(draft: Draft, expected: str) -> None:
    (found,) = words(limits.drafts_faults([draft]))
    assert expected in found


def test_a_request_is_bounded_as_a_whole() -> None:
    assert words(limits.drafts_faults([Draft(b"x")] * 1000)) == []
    for count in (0, 1001):
        (found,) = words(limits.drafts_faults([Draft(b"x")] * count))
        assert found == f"messages is a list of {count}: expected 1 to 1000 messages"
    (found,) = words(limits.drafts_faults([Draft(b"x" * 6_000_000)] * 2))
    assert found == "messages is 12000000 bytes: expected at most 10000000 bytes in one request"


def test_all_faults_are_told_at_once_with_googles_code() -> None:
    limits.refuse("topic", iter(()))
    with pytest.raises(InvalidSpec, match="Pub/Sub takes no such messages") as caught:
        limits.refuse("messages", limits.drafts_faults([Draft(), Draft(b"x"), Draft()]))
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert [fault.path for fault in caught.value.faults] == ["messages[0]", "messages[2]"]


def test_full_names_are_googles() -> None:
    assert topic_path("p", "t") == "projects/p/topics/t"
    assert topic_path("p", DELETED_TOPIC) == "_deleted-topic_"
    assert subscription_path("p", "s") == "projects/p/subscriptions/s"
    assert Subscription("p", "s", "t", AT).ack_deadline == timedelta(seconds=10)
