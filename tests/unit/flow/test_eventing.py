"""What becomes of a message that a trigger is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runyard.flow.eventing import (
    as_event,
    as_message,
    batch_due,
    batch_size,
    event_key,
    gather_event,
    take_event,
    together,
    told_by,
)
from runyard.flow.webhook.taking import Filtered
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.run import InputFile, Overrides
from runyard.model.trigger.event import EventSpec
from runyard.model.validation import read

SOLD = {"ce-type": "sold", "ce-source": "/shop", "ce-id": "7"}


def event(**beside: Any) -> EventSpec:
    document = {"event": {"topic": "orders", "type": "sold"}, **beside}
    spec, complaints = read(EventSpec, document)
    assert spec is not None, complaints
    return spec


def test_a_message_is_told_as_body_and_attributes() -> None:
    told = told_by({"kind": "order"}, b'{"price": 3}')
    assert told == {"body": {"price": 3}, "attributes": {"kind": "order"}}
    assert told_by({}, b"")["body"] is None
    assert as_event(told) == told
    assert as_event({"headers": {"kind": "order"}}) == {
        "body": None,
        "attributes": {"kind": "order"},
    }
    assert as_event({}) == {"body": None, "attributes": {}}
    assert as_message(told, "dlv_1") == {"delivery": "dlv_1", **told}
    with pytest.raises(InvalidSpec, match="not understood"):
        told_by({"content-type": "application/json"}, b"{")


def test_what_fits_asks_for_a_run() -> None:
    spec = event(
        filter="body.paid = true AND attributes.ce-id = 7",
        map={"env": {"PRICE": {"from": "body.price"}, "ID": {"from": "attributes.ce-id"}}},
        **{"with": {"args": ["x"]}},
    )
    told = told_by(SOLD, b'{"price": 3, "paid": true}')
    assert take_event(spec, told) == Overrides(args=("x",), env=(("ID", "7"), ("PRICE", "3")))
    assert take_event(event(), told) == Overrides()


def test_what_does_not_fit_does_not_and_says_why() -> None:
    other = told_by(SOLD | {"ce-type": "bought"}, b"{}")
    assert take_event(event(), other) == Filtered("ce-type is another one")
    unpaid = told_by(SOLD, b'{"paid": false}')
    spec = event(filter="body.paid = true")
    assert take_event(spec, unpaid) == Filtered("the filter leaves it out")
    with pytest.raises(InvalidSpec, match="does not fit the trigger's map"):
        take_event(event(map={"env": {"A": {"from": "body.none"}}}), unpaid)


def test_events_are_told_apart_by_what_they_are() -> None:
    told = told_by(SOLD, b'{"order": 12}')
    assert event_key(event(), told, 3) == event_key(event(), told, 4) == "id//shop 7"
    assert event_key(event(), told_by({"ce-id": "7"}, b""), 3) == "id/message/3"
    assert event_key(event(key="body.order"), told, 3) == "id/12"
    with pytest.raises(InvalidSpec) as caught:
        event_key(event(key="body.none"), told, 3)
    assert caught.value.message == "what was published has not the trigger's key"
    told_apart = "a value, by which events are told apart"
    assert caught.value.faults == (Fault("body.none", "nothing", told_apart),)


def test_what_is_gathered_is_told_together() -> None:
    batch = {"max": 2, "within": "1m"}
    spec = event(
        filter="body.paid = true",
        batch=batch,
        map={
            "args": ["--all", {"from": "messages", "prefix": "--messages="}],
            "env": {
                "A": {"from": "body.a", "optional": True},
                "B": {"from": "body.b", "default": "none"},
                "ID": {"from": "attributes.ce-id"},
            },
        },
    )
    one = told_by(SOLD, b'{"paid": true, "a": 1}')
    other = told_by(SOLD, b'{"paid": true, "b": "x"}')
    assert (gather_event(spec, one), gather_event(spec, other)) == (None, None)
    unpaid = told_by(SOLD, b'{"paid": false}')
    assert gather_event(spec, unpaid) == Filtered("the filter leaves it out")
    many = [as_message(one, "dlv_1"), as_message(other, "dlv_2")]
    run = together(spec, many)
    assert run.env == (("A", "[1,null]"), ("B", '["none","x"]'), ("ID", '["7","7"]'))
    assert run.args is not None
    assert run.args[0] == "--all"
    assert json.loads(run.args[1].removeprefix("--messages=")) == many
    assert together(event(map={"env": {"A": {"from": "body.a"}}}), many).env == (("A", "1"),)


def test_a_file_of_what_is_gathered_is_a_list() -> None:
    file = {"path": "/input/all.json", "from": "messages"}
    spec = event(batch={"max": 2, "within": "1m"}, map={"file": file})
    many = [as_message(told_by(SOLD, b'{"a": 1}'), "dlv_1")]
    found = together(spec, many).file
    assert found is not None
    assert json.loads(found.content) == many
    part = event(batch={"max": 2, "within": "1m"}, map={"file": file | {"from": "body.a"}})
    assert together(part, many).file == InputFile("/input/all.json", "[1]")


def test_what_does_not_fit_together_is_told() -> None:
    spec = event(batch={"max": 2, "within": "1m"}, map={"env": {"A": {"from": "body.a"}}})
    fits, fits_not = told_by(SOLD, b'{"a": 1}'), told_by(SOLD, b"{}")
    with pytest.raises(InvalidSpec, match="does not fit the trigger's map"):
        gather_event(spec, fits_not)
    with pytest.raises(InvalidSpec, match="does not fit the trigger's map"):
        together(spec, [fits, fits_not])
    long = told_by(SOLD, json.dumps({"a": "x" * 20_000}).encode())
    with pytest.raises(InvalidSpec) as caught:
        together(spec, [long, long])
    assert "at most 32768 bytes" in caught.value.faults[0].expected


def test_a_batch_is_due_once_it_is_full_or_old() -> None:
    then = datetime(2026, 11, 26, tzinfo=UTC)
    spec = event(batch={"max": 2, "within": "1m"})
    assert batch_due(spec, 1, then) == then + timedelta(minutes=1)
    assert batch_due(spec, 2, then) == batch_due(event(), 1, then) == then
    assert (batch_size(spec), batch_size(event())) == (2, 1)
