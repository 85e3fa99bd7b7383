"""Events as a manifest declares them: what is read, what is refused, what is left to Pub/Sub."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.model.pubsub.filters import FILTER_BYTES_MAX, matches, parse
from runyard.model.trigger.event import EventSource, EventSpec, is_like
from runyard.model.trigger.spec import named
from runyard.model.validation import dotted, read
from tests.support.manifests import load_texts, make_job, make_text

Json = dict[str, Any]


def event(source: Json | None = None, **beside: Any) -> EventSpec:
    """An event that is read without a complaint, and says again what it read."""
    document = {"event": {"topic": "orders"} | (source or {}), **beside}
    spec, complaints = read(EventSpec, document)
    assert spec is not None, complaints
    assert read(EventSpec, spec.document())[0] == spec
    return spec


def complaints(source: Json | None = None, **beside: Any) -> list[tuple[str, str]]:
    spec, found = read(EventSpec, {"event": {"topic": "orders"} | (source or {}), **beside})
    assert spec is None
    return [(dotted(one.path), one.expected) for one in found]


def test_an_event_that_says_only_its_topic() -> None:
    spec = event()
    assert (spec.kind, spec.enabled, spec.event.subscription_filter()) == ("event", True, "")
    assert spec.document() == {"event": {"topic": "orders"}, "enabled": True}


def test_a_batch_says_how_many_and_how_long() -> None:
    spec = event(batch={"max": 100, "within": "5m"}, map={"env": {"ALL": {"from": "messages"}}})
    assert spec.batch is not None
    assert (spec.batch.max, spec.batch.within_seconds) == (100, 300)


def test_it_stands_in_a_manifest_and_has_a_name() -> None:
    job = make_job(triggers=[{"event": {"topic": "orders"}}, {"event": {"topic": "mails"}}])
    [found] = load_texts(make_text(job)).jobs
    assert [name for name, _ in named(found.triggers)] == ["event", "event-2"]


@pytest.mark.parametrize(
    ("source", "beside", "path", "expected"),
    [
        ({"topic": "x"}, {}, "event.topic", "3 to 255 letters"),
        ({"type": ""}, {}, "event.type", "a text, or a pattern"),
        ({"filter": "kind"}, {}, "event.filter", "attributes, hasPrefix, NOT or (, at column 1"),
        ({"filter": " "}, {}, "event.filter", "a filter such as attributes.kind"),
        ({"when": "now"}, {}, "event.when", ""),
        (
            {},
            {"filter": "headers.a = b"},
            "filter",
            "a field: one of body, attributes, at column 1",
        ),
        ({}, {"key": "headers.x"}, "manifest", "a place in body or attributes: an event has no"),
        ({}, {"map": {"env": {"A": {"from": "headers.x"}}}}, "manifest", "headers.x is none"),
        ({}, {"map": {"args": []}, "with": {"args": []}}, "manifest", "args in `map` or in `with`"),
        ({}, {"map": {"env": {"A": {"from": "messages"}}}}, "manifest", "a batch where the map"),
        ({}, {"batch": {"max": 1001, "within": "1m"}}, "batch.max", "from 1 to 1000"),
        ({}, {"batch": {"max": 0, "within": "1m"}}, "batch.max", "from 1 to 1000"),
        ({}, {"batch": {"max": 9, "within": "25h"}}, "batch.within", "24h"),
        ({}, {"batch": {"max": 9, "within": "0s"}}, "batch.within", "24h"),
        ({}, {"batch": {"max": 9}}, "batch.within", ""),
        ({}, {"batch": {"max": 9, "within": "1m"}, "key": "messages"}, "key", "a place such as"),
    ],
)
def test_what_is_not_understood_is_told(
    source: Json, beside: Json, path: str, expected: str
) -> None:
    [(found, words)] = complaints(source, **beside)
    assert found == path
    assert expected in words


@pytest.mark.parametrize(
    ("pattern", "text", "like"),
    [
        ("com.example.sold", "com.example.sold", True),
        ("com.example.sold", "comXexample.sold", False),
        ("/shops/*", "/shops/3", True),
        ("/shops/*", "/shops/3/tills", False),
        ("/shops/*/tills", "/shops/3/tills", True),
        ("/shops/**", "/shops/3/tills", True),
        ("/shops/**/x", "/shops/a/b/x", True),
        ("*", "", True),
        ("**", "a/b", True),
        ("/shops/*", "x/shops/3", False),
    ],
)
def test_a_star_is_a_segment_and_two_are_any(pattern: str, text: str, like: bool) -> None:
    assert is_like(pattern, text) is like


def test_what_does_not_fit_is_named() -> None:
    source = event({"type": "sold", "source": "/shops/*", "subject": "**"}).event
    good = {"ce-type": "sold", "ce-source": "/shops/3"}
    assert source.unfit(good) == ""
    assert source.unfit(good | {"ce-type": "bought"}) == "ce-type"
    assert source.unfit({"ce-type": "sold"}) == "ce-source"


def test_what_can_be_is_left_to_pubsub() -> None:
    source = event({"type": 'so"ld', "source": "/shops/*", "subject": "*"}).event
    assert source.subscription_filter() == (
        'attributes.ce-type = "so\\"ld" AND hasPrefix(attributes.ce-source, "/shops/")'
    )
    both = event({"type": "sold", "filter": "attributes:a OR attributes:b"}).event
    assert both.subscription_filter() == (
        '(attributes:a OR attributes:b) AND attributes.ce-type = "sold"'
    )


def test_what_is_too_long_for_pubsub_is_looked_at_here() -> None:
    long = {"type": "t" * 200, "source": "s" * 200}
    assert event(long).event.subscription_filter() == ""
    assert event(long | {"filter": "attributes:a"}).event.subscription_filter() == "attributes:a"


_TEXTS = st.text('ab/*"\\', min_size=1, max_size=5)


@given(_TEXTS, _TEXTS, st.text('ab/"\\', max_size=5), st.text('ab/"\\', max_size=5))
def test_pubsub_holds_back_nothing_that_fits(
    kind: str, source: str, found_kind: str, found_source: str
) -> None:
    wanted = EventSource(topic="orders", type=kind, source=source)
    text = wanted.subscription_filter()
    assert len(text.encode()) <= FILTER_BYTES_MAX
    attributes = {"ce-type": found_kind, "ce-source": found_source}
    if not wanted.unfit(attributes):
        assert matches(parse(text), attributes)
