"""What a request says, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.webhook.reading import headers_of, shown_headers, told_of
from runyard.flow.webhook.taking import Filtered, challenge_of, delivery_key, take
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.run import Overrides
from runyard.model.trigger.webhook import WebhookSpec
from runyard.model.validation import read

JSON = {"content-type": "application/json; charset=utf-8"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


def webhook(kind: str = "github", asking: Any = None, **beside: Any) -> WebhookSpec:
    said = {"webhook": {"kind": kind, "secret": "s"}, "with": asking or {}, **beside}
    spec, complaints = read(WebhookSpec, said)
    assert spec is not None, complaints
    return spec


def body(headers: dict[str, str], content: bytes) -> Any:
    return told_of(headers, content)["body"]


@pytest.mark.parametrize(
    ("headers", "content", "found"),
    [
        (JSON, b'{"a": [1]}', {"a": [1]}),
        ({"content-type": "application/cloudevents+json"}, b"3", 3),
        (FORM, b"a=1&b=&a=2", {"a": ["1", "2"], "b": ""}),
        (FORM, b"payload=%7B%22a%22%3A1%7D", {"a": 1}),
        (FORM, b"payload=x&payload=y", {"payload": ["x", "y"]}),
        ({}, b'{"a": 1}', {"a": 1}),
        ({}, b"Hello, World!", "Hello, World!"),
        ({"content-type": "text/plain"}, "für".encode(), "für"),
        ({}, b"", None),
    ],
)
def test_content_is_what_it_says_it_is(headers: dict[str, str], content: bytes, found: Any) -> None:
    assert body(headers, content) == found


@pytest.mark.parametrize(
    ("headers", "content", "expected"),
    [
        (JSON, b"{", "JSON, as its Content-Type says"),
        (JSON, b"", "JSON, as its Content-Type says"),
        ({"content-type": "application/x+json"}, b"{", "JSON, as its Content-Type says"),
        (JSON, b"NaN", "JSON, as its Content-Type says"),
        (FORM, b"payload=x", "JSON, as its Content-Type says"),
        (FORM, b"\xff", "JSON, a form, or a text in UTF-8"),
        (FORM, b"&".join(b"a=1" for _ in range(1001)), "a form of at most 1000 fields"),
        ({}, b"\xff\xfe", "JSON, a form, or a text in UTF-8"),
    ],
)
def test_content_that_is_not_what_it_says_is_refused(
    headers: dict[str, str], content: bytes, expected: str
) -> None:
    with pytest.raises(InvalidSpec) as caught:
        told_of(headers, content)
    assert caught.value.message == "the content of the request is not understood"
    (one,) = caught.value.faults
    assert (one.path, one.value, one.expected) == ("body", "something else", expected)
    is_json = expected == "JSON, as its Content-Type says"
    assert ("line 1" in one.hint) if is_json else (one.hint == "")


@given(st.binary(max_size=100), st.sampled_from([JSON, FORM, {}]))
def test_any_content_is_read_or_refused(content: bytes, headers: dict[str, str]) -> None:
    try:
        told = told_of(headers, content)
    except InvalidSpec:
        return
    assert told["headers"] == headers


def test_nothing_secret_of_the_headers_is_kept() -> None:
    headers = headers_of(
        [
            (b"X-Hub-Signature-256", b"sha256=1"),
            (b"Authorization", b"Bearer x"),
            (b"Cookie", b"a=b"),
            (b"X-GitLab-Token", b"t"),
            (b"Accept", b"a"),
            (b"accept", b"b"),
            (b"X-Odd", b"\xff"),
        ]
    )
    assert shown_headers(webhook().webhook, headers) == {"accept": "a, b", "x-odd": "\ufffd"}
    assert shown_headers(webhook("gitlab").webhook, headers) == {
        "accept": "a, b",
        "x-odd": "\ufffd",
    }
    named = {"X-Api-Key": "k", "X-Sum": "1", "X-Amz-Security-Token": "t", "X-Request-Id": "i"}
    raw = [(name.encode(), value.encode()) for name, value in named.items()]
    spec, _ = read(WebhookSpec, {"webhook": {"kind": "hmac", "secret": "s", "header": "X-Sum"}})
    assert spec is not None
    assert shown_headers(spec.webhook, headers_of(raw)) == {"x-request-id": "i"}


def test_what_the_filter_asks_for_becomes_a_run() -> None:
    spec = webhook(
        filter="body.ref = refs/heads/main",
        map={"env": {"REF": {"from": "body.ref"}}},
        asking={"env": {"WHO": "hook"}, "taskCount": 2},
    )
    told = {"body": {"ref": "refs/heads/main"}, "headers": {}}
    assert take(spec, told) == Overrides(
        env=(("REF", "refs/heads/main"), ("WHO", "hook")), task_count=2
    )
    left = take(spec, {"body": {"ref": "refs/heads/other"}, "headers": {}})
    assert left == Filtered("the filter leaves it out")


def test_what_does_not_fit_the_map_is_refused_only_where_it_is_asked_for() -> None:
    spec = webhook(filter="body.a = 1", map={"env": {"REF": {"from": "body.ref"}}})
    assert isinstance(take(spec, {"body": {"a": 2}, "headers": {}}), Filtered)
    with pytest.raises(InvalidSpec):
        take(spec, {"body": {"a": 1}, "headers": {}})


def test_a_greeting_starts_nothing() -> None:
    ping = {"body": {"zen": "x"}, "headers": {"x-github-event": "ping"}}
    assert take(webhook(), ping) == Filtered("it is GitHub's ping")
    assert isinstance(take(webhook("gitlab"), ping), Overrides)
    asks = {"body": {"type": "url_verification", "challenge": "c"}, "headers": {}}
    assert take(webhook("slack"), asks) == Filtered("Slack asked whose address this is")
    assert challenge_of(webhook("slack"), asks) == "c"
    assert challenge_of(webhook(), asks) is None
    assert challenge_of(webhook("slack"), {"body": {"type": "x"}}) is None
    number = {"body": {"type": "url_verification", "challenge": 3}}
    assert challenge_of(webhook("slack"), number) is None
    assert challenge_of(webhook("slack"), {"body": {"type": "url_verification"}}) is None


def test_a_delivery_is_told_apart_by_the_key_of_the_trigger() -> None:
    headers = {"x-github-delivery": "d"}
    told = {"body": {"event_id": "Ev1", "n": 3}, "headers": headers}
    assert delivery_key(webhook(), headers, told) == "id/d"
    assert delivery_key(webhook(key="body.event_id"), headers, told) == "id/Ev1"
    assert delivery_key(webhook(key="body.n"), headers, told) == "id/3"
    assert delivery_key(webhook(key="headers.X-GitHub-Delivery"), {}, told) == "id/d"
    assert delivery_key(webhook(), {}, told) == ""
    with pytest.raises(InvalidSpec) as caught:
        delivery_key(webhook(key="body.nowhere"), headers, told)
    assert caught.value.message == "what was sent has not the trigger's key"
    told_apart = "a value, by which deliveries are told apart"
    assert caught.value.faults == (Fault("body.nowhere", "nothing", told_apart),)
