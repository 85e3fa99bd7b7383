"""Topics and subscriptions over HTTP: published, filtered, pulled, acknowledged, replayed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from runyard.model.principal import Grant, Role
from tests.integration.test_api_people import ask, someone, token_of
from tests.integration.test_api_secrets import audited
from tests.support.api_server import TOKEN, Answer, Api, serving


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as started:
        yield started


@pytest.fixture
def post(api: Api) -> Api:
    """A server with a topic and a subscription."""
    api.post("/topics", {"name": "orders"})
    api.post("/subscriptions", {"name": "worker", "topic": "orders"})
    return api


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def publish(api: Api, *texts: str, **more: Any) -> list[str]:
    messages = [{"data_base64": encoded(text), **more} for text in texts]
    ids: list[str] = api.post("/topics/orders:publish", {"messages": messages})["message_ids"]
    return ids


def pull(api: Api, name: str = "worker", **more: Any) -> list[Any]:
    found: list[Any] = api.post(f"/subscriptions/{name}:pull", more)["messages"]
    return found


def data(messages: list[Any]) -> list[str]:
    return [base64.b64decode(one["data_base64"]).decode() for one in messages]


def send_raw(api: Api, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    connection = HTTPConnection(urlsplit(api.url).netloc)
    given = {"Authorization": f"Bearer {TOKEN}", **headers}
    connection.request("POST", f"/api/v1{path}", body, given)
    reply = connection.getresponse()
    found = Answer(reply.status, dict(reply.getheaders()), reply.read())
    connection.close()
    return found


def test_topics_and_subscriptions_have_a_life(api: Api) -> None:
    made = api.post("/topics", {"name": "orders", "retention_seconds": 600})
    assert (made["name"], made["environment"], made["retention_seconds"]) == (
        "orders",
        "local",
        600,
    )
    api.post("/topics", {"name": "dead"})
    asked = {
        "name": "worker",
        "topic": "orders",
        "filter": 'attributes.kind = "order"',
        "ordered": True,
        "dead_letter": {"topic": "dead"},
        "retry": {"backoff_seconds_max": 60},
        "push": {"endpoint": "https://example.com/push", "wrapped": False, "write_metadata": True},
    }
    subscription = api.post("/subscriptions", asked)
    assert subscription["dead_letter"] == {"topic": "dead", "attempts_max": 5}
    assert subscription["retry"] == {"backoff_seconds_min": 10, "backoff_seconds_max": 60}
    assert subscription["ack_deadline_seconds"] == 10
    assert api.get("/subscriptions") == {"subscriptions": [subscription]}
    backlog = {"unacked": 0, "outstanding": 0, "oldest_at": None}
    assert api.get("/subscriptions/worker") == subscription | {"backlog": backlog}
    assert api.get("/topics/orders") == made | {"subscriptions": ["worker"]}
    assert [one["name"] for one in api.get("/topics")["topics"]] == ["dead", "orders"]
    assert api.ask("DELETE", "/topics/orders").status == 200
    assert api.get("/subscriptions/worker")["topic"] == "_deleted-topic_"
    assert api.ask("DELETE", "/subscriptions/worker").document["name"] == "worker"
    assert api.ask("DELETE", "/subscriptions/worker").status == 404


def test_a_message_is_delivered_until_it_is_acknowledged(post: Api) -> None:
    ids = publish(post, "one", "two", attributes={"kind": "order"}, ordering_key="k")
    found = pull(post, max_messages=1, wait_seconds=5)
    assert (found[0]["message_id"], found[0]["attempt"]) == (ids[0], 1)
    assert (found[0]["attributes"], found[0]["ordering_key"]) == ({"kind": "order"}, "k")
    assert data(found) == ["one"]
    wish = {"ack_ids": [found[0]["ack_id"]]}
    longer = wish | {"ack_deadline_seconds": 60}
    assert post.post("/subscriptions/worker:modifyAckDeadline", longer) == {"count": 1}
    assert post.get("/subscriptions/worker")["backlog"]["outstanding"] == 1
    assert post.post("/subscriptions/worker:acknowledge", wish) == {"count": 1}
    assert post.post("/subscriptions/worker:acknowledge", wish) == {"count": 0}
    back = {"ack_ids": [pull(post)[0]["ack_id"]], "ack_deadline_seconds": 0}
    assert post.post("/subscriptions/worker:modifyAckDeadline", back) == {"count": 1}
    assert [one["attempt"] for one in pull(post)] == [2]


def test_a_pull_without_a_body_is_one_with_the_usual(post: Api) -> None:
    publish(post, "one")
    assert data(post.ask("POST", "/subscriptions/worker:pull").document["messages"]) == ["one"]
    assert pull(post) == []


def test_what_was_kept_can_be_had_again(api: Api) -> None:
    api.post("/topics", {"name": "orders"})
    api.post("/subscriptions", {"name": "worker", "topic": "orders", "retain_acked": True})
    began = "2026-08-31T00:00:00Z"
    publish(api, "one")
    ids = [one["ack_id"] for one in pull(api)]
    api.post("/subscriptions/worker:acknowledge", {"ack_ids": ids})
    assert api.post("/subscriptions/worker:seek", {"time": began})["name"] == "worker"
    assert data(pull(api)) == ["one"]


def test_faults_are_told_with_googles_codes(post: Api) -> None:
    def refused(path: str, body: Any) -> tuple[int, str, list[str]]:
        found = post.ask("POST", path, body)
        return found.status, found.error["status"], [one["path"] for one in found.error["details"]]

    assert refused("/topics", {"name": "x"}) == (400, "INVALID_ARGUMENT", ["name"])
    short = {"name": "shop", "retention_seconds": 10}
    assert refused("/topics", short) == (400, "INVALID_ARGUMENT", ["topic.retention_seconds"])
    assert refused("/topics", {"name": "orders"}) == (409, "ALREADY_EXISTS", [])
    assert refused("/topics/shop:publish", {"messages": [{"data_base64": "eA=="}]})[:2] == (
        404, "NOT_FOUND",
    )  # fmt: skip
    empty: dict[str, Any] = {"messages": [{}]}
    assert refused("/topics/orders:publish", empty) == (400, "INVALID_ARGUMENT", ["messages[0]"])
    wrong = {"name": "other", "topic": "orders", "filter": "kind", "ack_deadline_seconds": 5}
    assert refused("/subscriptions", wrong)[2] == ["ack_deadline_seconds"]
    ours = wrong | {"name": "runyard.trigger.x", "ack_deadline_seconds": 10}
    assert refused("/subscriptions", ours)[2] == ["name"]
    wrong["ack_deadline_seconds"] = 10
    assert refused("/subscriptions", wrong)[2] == ["filter"]
    assert refused("/subscriptions/other:pull", {})[:2] == (404, "NOT_FOUND")


# -- CloudEvents -----------------------------------------------------------------------------------
EVENT = {"specversion": "1.0", "id": "7", "source": "/shop", "type": "com.example.sold"}
ATTRIBUTES = {f"ce-{name}": value for name, value in EVENT.items()}


def test_an_event_in_either_mode_becomes_the_same_message(post: Api) -> None:
    path = "/topics/orders:publishCloudEvent"
    binary = ATTRIBUTES | {"Content-Type": "application/json"}
    done = send_raw(post, path, b'{"price":3}', binary)
    assert done.status == 200, done.document
    body = json.dumps(EVENT | {"data": {"price": 3}}).encode()
    done = send_raw(post, path, body, {"Content-Type": "application/cloudevents+json"})
    assert done.status == 200, done.document
    one, other = pull(post)
    assert one["attributes"] == ATTRIBUTES | {"content-type": "application/json"}
    assert [other[key] for key in ("attributes", "data_base64")] == [
        one["attributes"], encoded('{"price":3}'),
    ]  # fmt: skip


def test_a_batch_of_events_is_published_together(post: Api) -> None:
    kind = {"Content-Type": "application/cloudevents-batch+json"}
    path = "/topics/orders:publishCloudEvent"
    done = send_raw(post, path, json.dumps([EVENT, EVENT | {"id": "8"}]).encode(), kind)
    assert len(done.document["message_ids"]) == 2
    assert [one["attributes"]["ce-id"] for one in pull(post)] == ["7", "8"]


def test_what_is_no_event_is_refused(post: Api) -> None:
    path = "/topics/orders:publishCloudEvent"
    refused = send_raw(post, path, b"{}", {"Content-Type": "application/json"})
    assert (refused.status, refused.error["details"][0]["path"]) == (400, "ce-specversion")
    assert pull(post) == []


# -- who may, and what is written down -------------------------------------------------------------
def test_roles_say_who_may_what(post: Api) -> None:
    someone(post, "vera", Grant(Role.VIEWER, "local"))
    someone(post, "otto", Grant(Role.OPERATOR, "local"))
    viewer, operator = token_of(post, "vera")[0], token_of(post, "otto")[0]
    message = {"messages": [{"data_base64": "eA=="}]}
    for method, path, body in (
        ("POST", "/topics", {"name": "shop"}),
        ("POST", "/topics/orders:publish", message),
        ("POST", "/subscriptions/worker:pull", {}),
        ("POST", "/subscriptions/worker:seek", {"time": "2026-01-01T00:00:00Z"}),
    ):
        assert ask(post, viewer, method, path, body)[0] == 403, path
        assert ask(post, operator, method, path, body)[0] == 200, path
    assert ask(post, viewer, "GET", "/subscriptions/worker")[0] == 200


def test_changes_are_in_the_audit_log_and_messages_are_not(post: Api) -> None:
    publish(post, "canary-of-a-message")
    post.post("/subscriptions/worker:seek", {"time": "2026-01-01T00:00:00Z"})
    post.ask("DELETE", "/subscriptions/worker")
    post.ask("DELETE", "/topics/orders")
    entries = [
        one for one in audited(post) if one.action.partition(".")[0] in ("topic", "subscription")
    ]
    assert [(one.action, one.target) for one in entries] == [
        ("topic.create", "topic/orders"),
        ("subscription.create", "subscription/worker"),
        ("subscription.seek", "subscription/worker"),
        ("subscription.delete", "subscription/worker"),
        ("topic.delete", "topic/orders"),
    ]
    assert entries[1].after
    assert entries[1].after["topic"] == "orders"
    assert "canary" not in str(entries)
