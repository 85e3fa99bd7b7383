"""`runyard topics` and `runyard subscriptions` against a real API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api_server import TOKEN, Api, serving
from tests.support.command_line import CommandLine


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as started:
        yield started


@pytest.fixture
def runyard(api: Api, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "state", {"RUNYARD_URL": api.url, "RUNYARD_TOKEN": TOKEN})


def said(runyard: CommandLine, *words: str, status: int = 0) -> str:
    done = runyard(*words)
    assert done.status == status, done.err
    return done.out if status == 0 else done.err


def got(runyard: CommandLine, *words: str) -> Any:
    return json.loads(said(runyard, *words, "--json"))


def test_the_life_of_a_topic(runyard: CommandLine) -> None:
    assert said(runyard, "topics", "create", "orders") == "topic orders is made\n"
    kept = ("topics", "create", "kept", "--retention", "2d")
    assert got(runyard, *kept)["retention_seconds"] == 2 * 24 * 3600
    shown = said(runyard, "topics")
    assert ["kept", "2d"] in [line.split()[:2] for line in shown.splitlines()]
    assert "what is published is lost" in said(runyard, "topics", "get", "orders")
    assert got(runyard, "topics", "get", "orders")["subscriptions"] == []
    assert "say --yes" in said(runyard, "topics", "delete", "orders", status=65)
    assert said(runyard, "topics", "delete", "orders", "--yes") == "topic orders is removed\n"
    assert got(runyard, "topics", "delete", "kept", "--yes")["name"] == "kept"
    assert got(runyard, "topics", "list") == {"topics": []}


def test_a_subscription_is_made_as_it_was_asked_for(runyard: CommandLine) -> None:
    for name in ("orders", "dead"):
        said(runyard, "topics", "create", name)
    made = got(
        runyard, "subscriptions", "create", "worker", "--topic", "orders", "--ordered",
        "--filter", "-attributes:test", "--ack-deadline", "1m", "--retention", "1h",
        "--retain-acked", "--dead-letter-topic", "dead", "--attempts-max", "7", "--backoff-min",
        "5s", "--push", "https://example.com/", "--unwrapped", "--write-metadata",
    )  # fmt: skip
    del made["created_at"]
    assert made == {
        "name": "worker",
        "environment": "local",
        "topic": "orders",
        "ack_deadline_seconds": 60,
        "retention_seconds": 3600,
        "retain_acked": True,
        "ordered": True,
        "filter": "-attributes:test",
        "dead_letter": {"topic": "dead", "attempts_max": 7},
        "retry": {"backoff_seconds_min": 5, "backoff_seconds_max": 600},
        "push": {"endpoint": "https://example.com/", "wrapped": False, "write_metadata": True},
    }
    shown = said(runyard, "subscriptions", "get", "worker")
    for words in ("after 5s, doubled up to 10m", "to dead after 7 attempts", "by ordering key"):
        assert words in shown
    plain = ("subscriptions", "create", "plain", "--topic", "orders")
    assert said(runyard, *plain) == "subscription plain gets the messages of orders\n"
    assert "pulled" in said(runyard, "subscriptions", "get", "plain")
    listed = [line.split() for line in said(runyard, "subscriptions").splitlines()]
    assert ["plain", "orders", "pulled"] in listed
    assert len(got(runyard, "subscriptions", "list")["subscriptions"]) == 2
    assert "say --yes" in said(runyard, "subscriptions", "delete", "plain", status=65)
    done = said(runyard, "subscriptions", "delete", "plain", "--yes")
    assert done == "subscription plain is removed\n"
    assert got(runyard, "subscriptions", "delete", "worker", "--yes")["name"] == "worker"


@pytest.fixture
def worker(runyard: CommandLine) -> CommandLine:
    """A command line to a server with a topic and a subscription."""
    said(runyard, "topics", "create", "orders")
    said(runyard, "subscriptions", "create", "worker", "--topic", "orders", "--retain-acked")
    return runyard


def test_a_message_goes_through(worker: CommandLine, tmp_path: Path) -> None:
    out = said(worker, "topics", "publish", "orders", "hello", "-a", "kind=order")
    assert out.startswith("message ")
    (one,) = got(worker, "subscriptions", "pull", "worker", "--wait", "5s")["messages"]
    assert (one["data_base64"], one["attributes"]) == ("aGVsbG8=", {"kind": "order"})
    more = ("modify-ack-deadline", "worker", one["ack_id"], "--ack-deadline")
    assert said(worker, "subscriptions", *more, "2m") == "1 message\n"
    assert said(worker, "subscriptions", "ack", "worker", one["ack_id"]) == "1 message\n"
    again = said(worker, "subscriptions", "ack", "worker", one["ack_id"], "1-1")
    assert again == "0 messages; 2 were not out any more\n"
    assert got(worker, "subscriptions", "ack", "worker", one["ack_id"]) == {"count": 0}
    file = tmp_path / "data"
    file.write_bytes(b"\x00" + b"x" * 300)
    wish = ("topics", "publish", "orders", "--file", str(file), "--ordering-key", "k")
    assert len(got(worker, *wish)["message_ids"]) == 1
    shown = said(worker, "subscriptions", "pull", "worker", "--ack")
    assert "\\x00xxx" in shown
    assert "x…" in shown
    assert "ACK ID" not in shown
    assert got(worker, "subscriptions", "pull", "worker") == {"messages": []}
    assert said(worker, "subscriptions", "seek", "worker", "--to", "1h").startswith(
        "worker goes on"
    )
    assert len(got(worker, "subscriptions", "pull", "worker")["messages"]) == 2
    assert got(worker, "subscriptions", "seek", "worker", "--to", "0s")["name"] == "worker"


def test_many_messages_come_from_a_file(worker: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    lines = [
        {"data": "text", "attributes": {"kind": "a"}},
        {"data": {"price": 3}, "ordering_key": "k"},
        {"data_base64": "AAE="},
    ]
    file.write_text("\n\n".join(json.dumps(line) for line in lines))
    assert said(worker, "topics", "publish", "orders", "--json-lines", str(file)) == "3 messages\n"
    found = got(worker, "subscriptions", "pull", "worker")["messages"]
    assert [one["data_base64"] for one in found] == ["dGV4dA==", "eyJwcmljZSI6M30=", "AAE="]
    assert [one["ordering_key"] for one in found] == ["", "k", ""]


def test_more_than_one_request_takes_is_several(worker: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    file.write_text("\n".join(json.dumps({"data": str(number)}) for number in range(1_500)))
    done = got(worker, "topics", "publish", "orders", "--json-lines", str(file))
    assert len(set(done["message_ids"])) == 1_500


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "expected a JSON object"),
        ("[]", "expected a JSON object"),
        ('{"text": 1}', "expected one of data, data_base64, attributes, ordering_key, not text"),
        ('{"data": 1, "data_base64": ""}', "expected data or data_base64, not both"),
    ],
)
def test_a_line_that_is_no_message_is_named(
    line: str, words: str, worker: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "messages.jsonl"
    file.write_text(f'{{"data": "x"}}\n{line}\n')
    told = said(worker, "topics", "publish", "orders", "--json-lines", str(file), status=64)
    assert words in told
    assert "messages.jsonl:2" in told
    assert got(worker, "subscriptions", "pull", "worker")["messages"] == []


def test_what_is_said_twice_or_not_at_all_is_refused(worker: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "empty"
    file.write_text("\n")
    publish = ("topics", "publish", "orders")
    for words in (
        ("text", "--file", str(file)),
        ("text", "--json-lines", str(file)),
        ("-a", "a=b", "--json-lines", str(file)),
    ):
        assert "said twice" in said(worker, *publish, *words, status=64)
    assert "has no message" in said(worker, *publish, "--json-lines", str(file), status=64)
    assert "messages[0]: empty, expected data" in said(worker, *publish, status=64)
    new = ("subscriptions", "create", "other", "--topic", "orders")
    assert "whole seconds" in said(worker, *new, "--ack-deadline", "10.5s", status=64)
    assert "endpoint" in said(worker, *new, "--unwrapped", status=64)
    assert "filter:1:1" in said(worker, *new, "--filter", "kind", status=64)
