"""Webhooks, maps and filters as a manifest declares them: what is read and what is refused."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.model.filters import matches
from runyard.model.manifest import json_schema
from runyard.model.trigger.filtering import expression, values
from runyard.model.trigger.mapping import MapSpec, Taken, ValueType
from runyard.model.trigger.pointing import find
from runyard.model.trigger.senders import (
    GithubSender,
    GitlabSender,
    HmacSender,
    OidcSender,
    SlackSender,
    StandardSender,
)
from runyard.model.trigger.spec import named
from runyard.model.trigger.webhook import WebhookSpec
from runyard.model.validation import dotted, read
from tests.support.manifests import faults_of, load_texts, make_job, make_text

Json = dict[str, Any]
GITHUB: Json = {"kind": "github", "secret": "hook"}
OIDC: Json = {
    "kind": "oidc",
    "issuer": "https://accounts.google.com",
    "audience": "runyard",
    "emails": ["a@example.com"],
}


def webhook(sender: Json = GITHUB, **beside: Any) -> WebhookSpec:
    """A webhook that is read without a complaint, and says again what it read."""
    spec, complaints = read(WebhookSpec, {"webhook": sender, **beside})
    assert spec is not None, complaints
    again, _ = read(WebhookSpec, spec.document())
    assert again == spec
    return spec


def complaints(sender: Any = GITHUB, **beside: Any) -> list[tuple[str, str]]:
    spec, found = read(WebhookSpec, {"webhook": sender, **beside})
    assert spec is None
    return [(dotted(one.path), one.expected) for one in found]


def test_a_webhook_that_says_only_who_calls() -> None:
    spec = webhook()
    assert spec.webhook == GithubSender(kind="github", secret="hook")
    assert (spec.kind, spec.body_bytes_max, spec.enabled) == ("webhook", 2**20, True)
    assert spec.document() == {"webhook": GITHUB, "maxBody": "1Mi", "enabled": True}


FULL: Json = {
    "name": "on-push",
    "webhook": {
        "kind": "hmac",
        "secret": "hook",
        "header": "X-Signature",
        "algorithm": "sha512",
        "encoding": "base64",
        "prefix": "v2=",
        "timestampHeader": "X-Time",
        "idHeader": "X-Id",
        "signed": "{id}:{timestamp}:{body}",
        "tolerance": "60s",
    },
    "filter": "body.ref = refs/heads/main",
    "key": "body.id",
    "maxBody": "64Ki",
    "map": {
        "args": ["--ref", {"from": "body.ref", "prefix": "--ref="}],
        "env": {
            "EVENT": {"from": "headers.x-github-event", "optional": True},
            "FIXED": "as it is",
            "SIZE": {"from": "body.size", "type": "integer", "default": "0"},
        },
    },
    "enabled": False,
    "with": {"env": {"A": "b"}, "priority": 3},
}


def test_a_webhook_that_says_everything_is_its_own_document() -> None:
    spec = webhook(**{key: value for key, value in FULL.items() if key != "webhook"})
    assert spec.document() == FULL | {"webhook": GITHUB}
    spec = webhook(FULL["webhook"], map=FULL["map"])
    assert spec.webhook.document() == FULL["webhook"]
    assert [one.source for one in spec.map.taken()] == [
        "body.ref",
        "headers.x-github-event",
        "body.size",
    ]


@pytest.mark.parametrize(
    ("sender", "model"),
    [
        (GITHUB, GithubSender),
        ({"kind": "gitlab", "secret": "s"}, GitlabSender),
        ({"kind": "slack", "secret": "s", "tolerance": "5m"}, SlackSender),
        ({"kind": "standard", "secret": "s"}, StandardSender),
        ({"kind": "hmac", "secret": "s", "header": "X-Signature"}, HmacSender),
        (OIDC, OidcSender),
    ],
)
def test_the_kind_says_which_fields_there_are(sender: Json, model: type) -> None:
    assert isinstance(webhook(sender).webhook, model)
    [(path, expected)] = complaints(sender | {"nonsense": 1})
    assert path == "webhook.nonsense"
    assert expected.startswith("a field that exists: ")


@pytest.mark.parametrize(
    ("sender", "text"),
    [
        ({}, "{body}"),
        ({"timestampHeader": "T"}, "{timestamp}.{body}"),
        ({"signed": "a{body}"}, "a{body}"),
    ],
)
def test_what_is_signed_where_nothing_is_said(sender: Json, text: str) -> None:
    spec = webhook({"kind": "hmac", "secret": "s", "header": "X", **sender})
    assert isinstance(spec.webhook, HmacSender)
    assert spec.webhook.text_signed == text


@pytest.mark.parametrize(
    ("sender", "words"),
    [
        ("github", "a mapping whose kind is one of github, gitlab, slack, standard, hmac, oidc"),
        ({"secret": "s"}, "a mapping whose kind is one of"),
        ({"kind": ["github"]}, "a mapping whose kind is one of"),
        ({"kind": "bitbucket"}, "a mapping whose kind is one of"),
        ({"kind": "hmac", "secret": "s", "header": "X", "signed": "x"}, "{body} in it, once"),
        ({"kind": "hmac", "secret": "s", "header": "X", "signed": "{timestamp}{body}"}, "and a"),
        (
            {
                "kind": "hmac",
                "secret": "s",
                "header": "X",
                "timestampHeader": "T",
                "signed": "{body}",
            },
            "{timestamp} in `signed`, and a timestampHeader for it",
        ),
        ({"kind": "hmac", "secret": "s", "header": "X", "signed": "{id}{body}"}, "an idHeader"),
        ({k: v for k, v in OIDC.items() if k != "emails"}, "emails or subjects"),
    ],
)
def test_a_sender_that_cannot_be_is_refused(sender: Any, words: str) -> None:
    [(path, expected)] = complaints(sender)
    assert path == "webhook"
    assert words in expected


def test_an_issuer_is_reached_in_secret_or_on_this_machine() -> None:
    webhook(OIDC | {"issuer": "http://127.0.0.1:8080/x"})
    assert complaints(OIDC | {"issuer": "http://example.com"})[0][0] == "webhook.issuer"


@pytest.mark.parametrize(
    ("beside", "path", "words"),
    [
        ({"filter": "body.ref < x"}, "filter", "after body, at column 10, where '<' is"),
        ({"filter": " "}, "filter", "a filter such as"),
        ({"filter": "attributes.x = y"}, "filter", "a field: one of body, headers"),
        ({"key": "nowhere.x"}, "key", "a place such as body.repository.full_name"),
        ({"key": "headers"}, "key", "a place such as"),
        ({"key": "attributes.x"}, "manifest", "attributes.x is none"),
        ({"map": {"env": {"A": {"from": "messages"}}}}, "manifest", "messages is none"),
        ({"map": {"env": {"A": {"from": "attributes.x"}}}}, "manifest", "attributes.x is none"),
        ({"map": {"args": []}, "with": {"args": ["x"]}}, "manifest", "args in `map` or in `with`"),
        ({"maxBody": "26Mi"}, "manifest", "maxBody of at most 25Mi"),
        ({"maxBody": "0"}, "manifest", "maxBody of at most 25Mi"),
        ({"map": {"args": [3]}}, "map.args[0]", "a text, or a mapping with from"),
        ({"map": {"args": [{}]}}, "map.args[0]", "a text, or a mapping with from"),
        ({"map": {"args": ["a\0"]}}, "map.args[0]", "without NUL"),
        ({"map": {"env": {"K_SERVICE": "x"}}}, "map.env.K_SERVICE", "a name that Cloud Run does"),
        (
            {"map": {"env": {"A": {"from": "body.x", "tpye": "text"}}}},
            "map.env.A.tpye",
            "a field that exists: one of default, from, optional, prefix, type",
        ),
        (
            {"map": {"env": {"A": {"from": "body.x", "type": "float"}}}},
            "map.env.A.type",
            "one of text, integer, number, boolean, json",
        ),
        (
            {"map": {"env": {"A": {"from": "body.x", "optional": True, "default": ""}}}},
            "map.env.A",
            "optional or a default, not both",
        ),
        (
            {"map": {"env": {f"V{n}": "x" for n in range(1001)}}},
            "map.env",
            "at most 1000 variables",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(beside: Json, path: str, words: str) -> None:
    found = complaints(**beside)
    assert (path, True) in [(where, words in expected) for where, expected in found], found


def test_headers_are_named_in_lower_case() -> None:
    assert webhook(key="headers.X-Request-ID").key == "headers.x-request-id"


TOLD: Json = {
    "body": {
        "ref": "refs/heads/main",
        "n": 3,
        "half": 0.5,
        "yes": True,
        "none": None,
        "labels": ["bug", 7],
        "empty": [],
        "deep": {"a": [{"b": "c"}]},
    },
    "headers": {"x-event": "push"},
}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("body.ref", "refs/heads/main"),
        ("body.deep.a.0.b", "c"),
        ("body.deep.a.1.b", None),
        ("body.deep.a.x", None),
        ("body.deep.a.-1", None),
        ("body.ref.x", None),
        ("body.none", None),
        ("body.nowhere.x", None),
        ("headers.x-event", "push"),
        ("attributes.x", None),
        ("body", TOLD["body"]),
    ],
)
def test_a_place_is_found_or_nothing_is(place: str, value: Any) -> None:
    assert find(TOLD, place) == value


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("body.ref = refs/heads/main", True),
        ("body.ref = refs/heads/*", True),
        ("body.ref != refs/heads/main", False),
        ("body.n = 3 AND body.half = 0.5 AND body.yes = true", True),
        ("body.labels = bug", True),
        ("body.labels = 7", True),
        ("body.labels = b*", True),
        ("body.labels = feature", False),
        ("body.labels:*", True),
        ("body.empty:*", False),
        ("body.none:*", False),
        ("body:ref", True),
        ("body:*", True),
        ("body:nowhere", False),
        ("body.deep.a.0.b = c", True),
        ("headers.X-Event = push", True),
        ("NOT headers.x-event = push", False),
        ("headers.x-event = pull OR headers.x-event = push", True),
    ],
)
def test_a_filter_looks_at_what_was_told(text: str, holds: bool) -> None:
    assert matches(expression(text, ("body", "headers")), values(TOLD)) is holds


KEYS = st.text(
    st.characters(exclude_characters=". \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0"), min_size=1
)


@given(st.lists(KEYS, min_size=1, max_size=5), st.text(min_size=1))
def test_whatever_is_put_at_a_place_is_found_there(steps: list[str], value: str) -> None:
    told: Any = value
    for step in reversed(steps):
        told = {step: told}
    assert find({"body": told}, ".".join(["body", *steps])) == value


def test_a_map_says_what_it_takes() -> None:
    taken = Taken.model_validate({"from": "body.x"}, strict=False)
    assert taken.document() == {"from": "body.x"}
    assert MapSpec().document() == {}
    assert MapSpec(args=()).document() == {"args": []}
    assert ValueType("json") is ValueType.JSON


VALIDATOR = jsonschema_rs.Draft202012Validator(json_schema())


@pytest.mark.parametrize(
    "sender",
    [
        GITHUB,
        OIDC,
        FULL["webhook"],
        {"kind": "slack", "secret": "s"},
        {"kind": "standard", "secret": "s"},
        {"kind": "gitlab", "secret": "s"},
    ],
)
def test_editors_know_webhooks(sender: Json) -> None:
    trigger = FULL | {"webhook": sender}
    manifest = json.loads(make_text(make_job(triggers=[trigger, {"schedule": "@daily"}])))
    assert [error.message for error in VALIDATOR.iter_errors(manifest)] == []
    [job] = load_texts(json.dumps(manifest)).jobs
    assert [name for name, _ in named(job.triggers)] == ["on-push", "schedule"]
    for wrong in ({"kind": "no"}, sender | {"header": "X", "nonsense": "x"}):
        broken = json.loads(make_text(make_job(triggers=[trigger | {"webhook": wrong}])))
        assert list(VALIDATOR.iter_errors(broken))


def test_faults_of_a_manifest_have_their_line() -> None:
    trigger = {"webhook": GITHUB, "map": {"env": {"A": {"from": "nowhere"}}}}
    [fault] = faults_of(make_text(make_job(triggers=[trigger])))
    assert fault.path == "jobs.job-0.triggers[0].map.env.A.from"
    assert fault.line == 1
