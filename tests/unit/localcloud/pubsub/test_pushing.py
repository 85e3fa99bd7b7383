"""Push: what is sent, what an answer means, when it is sent again."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, TypeVar

import pytest

from runyard.database.port import Database, Work
from runyard.localcloud.pubsub.push_requests import ACKS, PushRequest, push_request
from runyard.model.errors import StoreUnavailable
from runyard.model.pubsub.message import Delivery, Message
from runyard.model.pubsub.topic import DeadLetterPolicy, PushConfig, Subscription
from tests.support.pubsub import Post, with_post

T = TypeVar("T")
AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
URL = "https://example.com/push?token=x"


def request(push: PushConfig, message: Message, **settings: object) -> PushRequest:
    made = Subscription("local", "worker", "orders", AT, push=push, **settings)  # type: ignore[arg-type]
    return push_request(made, push, Delivery("7-1", 3, message))


# -- what is sent ----------------------------------------------------------------------------------
def test_a_wrapped_message_is_pubsubs_json() -> None:
    sent = request(PushConfig(URL), Message(7, AT, b"\x00data", {"kind": "order"}))
    assert (sent.url, sent.timeout_seconds) == (URL, 10.0)
    assert sent.headers == {"Content-Type": "application/json"}
    assert json.loads(sent.body) == {
        "message": {
            "attributes": {"kind": "order"},
            "data": base64.b64encode(b"\x00data").decode(),
            "messageId": "7",
            "message_id": "7",
            "publishTime": "2026-03-01T12:00:00.123Z",
            "publish_time": "2026-03-01T12:00:00.123Z",
        },
        "subscription": "projects/local/subscriptions/worker",
    }


def test_attempt_and_ordering_key_are_told_where_there_are_any() -> None:
    message = Message(7, AT, b"x", {}, "key")
    sent = json.loads(request(PushConfig(URL), message, dead_letter=DeadLetterPolicy("dead")).body)
    assert (sent["deliveryAttempt"], sent["message"]["orderingKey"]) == (3, "key")


def test_an_unwrapped_message_is_its_data() -> None:
    message = Message(7, AT, b"\x00raw", {"kind": "order"}, "key")
    bare = request(PushConfig(URL, wrapped=False), message)
    assert (bare.body, bare.headers) == (b"\x00raw", {"Content-Type": "application/octet-stream"})
    told = request(PushConfig(URL, wrapped=False, write_metadata=True), message)
    assert told.body == b"\x00raw"
    assert told.headers == {
        "Content-Type": "application/octet-stream",
        "kind": "order",
        "x-goog-pubsub-subscription-name": "projects/local/subscriptions/worker",
        "x-goog-pubsub-message-id": "7",
        "x-goog-pubsub-publish-time": "2026-03-01T12:00:00.123Z",
        "x-goog-pubsub-ordering-key": "key",
    }


def test_an_attribute_says_nothing_that_is_not_its_to_say() -> None:
    attributes = {
        "content-type": "text/plain",
        "Host": "elsewhere",
        "Content-Length": "0",
        "two words": "x",
        "line": "a\r\nX: b",
        "euro": "€",
        "x-goog-pubsub-message-id": "1",
    }
    push = PushConfig(URL, wrapped=False, write_metadata=True)
    headers = request(push, Message(7, AT, b"x", attributes)).headers
    assert headers["Content-Type"] == "text/plain"
    assert headers["x-goog-pubsub-message-id"] == "7"
    assert {name for name in headers if not name.startswith("x-goog")} == {"Content-Type"}


# -- what comes of it ------------------------------------------------------------------------------
@dataclass
class Endpoint:
    """Answers what it was told to, in turn, and 204 after that."""

    answers: list[int | OSError] = field(default_factory=list)
    got: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def __call__(self, request: PushRequest) -> int:
        message = json.loads(request.body)["message"]
        answer = self.answers.pop(0) if self.answers else 204
        async with self.news:
            self.got.append(base64.b64decode(message["data"]).decode())
            self.times.append(asyncio.get_running_loop().time())
            self.news.notify_all()
        if isinstance(answer, OSError):
            raise answer
        return answer

    async def has_got(self, count: int) -> list[str]:
        """What came, once so much has."""
        async with self.news, asyncio.timeout(30):
            await self.news.wait_for(lambda: len(self.got) >= count)
        return self.got


def pushing(
    scenario: Callable[[Post, Endpoint], Awaitable[None]], answers: Sequence[int | OSError] = ()
) -> None:
    async def main(post: Post) -> None:
        endpoint = Endpoint(list(answers))
        served = post.sending_to(endpoint)
        await served.topic()
        async with served.cloud.at_work():
            await scenario(served, endpoint)

    with_post(main)


async def settled(post: Post, name: str = "sub") -> None:
    """Wait until nothing is left to deliver."""
    async with asyncio.timeout(30):
        while (await post.backlog(name)).unacked:  # noqa: ASYNC110 - an ack sends no signal
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("answer", sorted(ACKS))
def test_what_is_answered_well_is_acknowledged(answer: int) -> None:
    async def scenario(post: Post, endpoint: Endpoint) -> None:
        await post.subscription(push=PushConfig(URL))
        await post.send("one", "two")
        assert sorted(await endpoint.has_got(2)) == ["one", "two"]
        await settled(post)

    pushing(scenario, [answer])


@pytest.mark.parametrize("answer", [203, 301, 404, 500, OSError("refused")])
def test_what_is_not_is_sent_again_and_later(answer: int | OSError) -> None:
    async def scenario(post: Post, endpoint: Endpoint) -> None:
        await post.subscription(push=PushConfig(URL))
        await post.send("one")
        assert await endpoint.has_got(3) == ["one"] * 3
        await settled(post)
        first, second = (after - before for before, after in pairwise(endpoint.times))
        assert first >= 0.09
        assert second >= 0.18

    pushing(scenario, [answer, answer])


def test_messages_of_a_key_are_pushed_one_after_the_other() -> None:
    async def scenario(post: Post, endpoint: Endpoint) -> None:
        await post.subscription(push=PushConfig(URL), ordered=True)
        await post.send("a1", "a2", "a3", key="a")
        assert await endpoint.has_got(4) == ["a1", "a1", "a2", "a3"]
        await settled(post)

    pushing(scenario, [500])


def test_what_no_endpoint_takes_goes_to_the_dead_letter_topic() -> None:
    async def scenario(post: Post, endpoint: Endpoint) -> None:
        await post.topic("dead")
        await post.subscription("graves", "dead")
        await post.subscription(push=PushConfig(URL), dead_letter=DeadLetterPolicy("dead", 5))
        await post.send("one")
        await endpoint.has_got(5)
        await settled(post)
        assert await post.texts(name="graves") == ["one"]
        assert len(endpoint.got) == 5

    pushing(scenario, [500] * 5)


class Flaky:
    """A database that does not answer so many times, when it is told not to."""

    dialect = "sqlite"

    def __init__(self, inner: Database) -> None:
        self.inner = inner
        self.failures = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def write(self, work: Work[T]) -> T:
        return await self._asked(self.inner.write, work)

    async def read(self, work: Work[T]) -> T:
        return await self._asked(self.inner.read, work)

    async def _asked(self, ask: Callable[[Work[T]], Awaitable[T]], work: Work[T]) -> T:
        if self.failures > 0:
            self.failures -= 1
            raise StoreUnavailable("it does not answer")
        return await ask(work)


def test_a_database_that_does_not_answer_is_asked_again() -> None:
    async def main(post: Post) -> None:
        endpoint, flaky = Endpoint(), Flaky(post.database)

        async def send(request: PushRequest) -> int:
            flaky.failures = 2 if not endpoint.got else 0  # the ack, and what is asked for next
            return await endpoint(request)

        served = replace(post, database=flaky).sending_to(send)
        await served.topic()
        await served.subscription(push=PushConfig(URL))
        await served.send("one")
        flaky.failures = 2  # the list of subscriptions, and what is to be forgotten
        async with served.cloud.at_work():
            await endpoint.has_got(1)
            post.clock.pass_(60)
            await settled(post)

    with_post(main)


def test_a_subscription_that_is_removed_is_pushed_no_more() -> None:
    async def scenario(post: Post, endpoint: Endpoint) -> None:
        await post.subscription(push=PushConfig(URL))
        await post.subscription("pulled")
        await post.send("one")
        await endpoint.has_got(1)
        await post.cloud.administration.delete_subscription("local", "sub")
        post.clock.pass_(1)
        await post.subscription("again", push=PushConfig(URL))
        await post.send("two")
        assert await endpoint.has_got(2) == ["one", "two"]
        await settled(post, "again")
        assert await post.texts(name="pulled") == ["one", "two"]

    pushing(scenario)
