"""CloudEvents over HTTP become messages, alike in each content mode."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.model.errors import InvalidSpec
from runyard.model.pubsub.cloudevents import read_http
from runyard.model.pubsub.message import Draft

STRUCTURED = "application/cloudevents+json; charset=utf-8"
EVENT = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "com.example.sold"}


def binary(body: bytes = b"", content_type: str = "", **attributes: str) -> Draft:
    headers = {f"ce-{name}": value for name, value in (EVENT | attributes).items()}
    headers |= {"content-type": content_type} if content_type else {}
    (draft,) = read_http(headers | {"user-agent": "x"}, body)
    return draft


def structured(**members: Any) -> Draft:
    (draft,) = read_http({"content-type": STRUCTURED}, json.dumps(EVENT | members).encode())
    return draft


def refused(headers: dict[str, str], body: bytes = b"") -> list[str]:
    with pytest.raises(InvalidSpec, match="this is no CloudEvent") as caught:
        read_http(headers, body)
    return [str(fault) for fault in caught.value.faults]


def refused_event(**members: Any) -> list[str]:
    event = {name: value for name, value in (EVENT | members).items() if value is not None}
    return refused({"content-type": STRUCTURED}, json.dumps(event).encode())


def test_an_event_in_binary_mode_is_its_headers_and_its_body() -> None:
    draft = binary(
        b"\x00raw", "text/plain", time="2026-03-01T12:00:00Z", subject="Euro%20%E2%82%AC"
    )
    assert draft.data == b"\x00raw"
    assert draft.attributes == {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/shop",
        "ce-type": "com.example.sold",
        "ce-time": "2026-03-01T12:00:00Z",
        "ce-subject": "Euro €",
        "content-type": "text/plain",
    }
    assert "content-type" not in binary(b"x").attributes


def test_both_modes_say_the_same() -> None:
    body = json.dumps({"price": 3}, separators=(",", ":")).encode()
    assert structured(data={"price": 3}) == binary(body, "application/json")
    assert structured(data={"price": 3}, datacontenttype="text/json") == binary(body, "text/json")


@pytest.mark.parametrize(
    ("members", "data", "content_type"),
    [
        ({}, b"", None),
        ({"data": None}, b"null", "application/json"),
        ({"data": "text"}, b'"text"', "application/json"),
        ({"data": "text", "datacontenttype": "text/plain"}, b"text", "text/plain"),
        ({"data": "<a/>", "datacontenttype": "application/xml"}, b"<a/>", "application/xml"),
        ({"data": "x", "datacontenttype": "text/x+json; v=1"}, b'"x"', "text/x+json; v=1"),
        ({"data_base64": base64.b64encode(b"\x00\xff").decode()}, b"\x00\xff", None),
        ({"data_base64": ""}, b"", None),
    ],
)  # fmt: skip
def test_the_data_of_a_structured_event(
    members: dict[str, Any], data: bytes, content_type: str | None
) -> None:
    draft = structured(**members)
    assert (draft.data, draft.attributes.get("content-type")) == (data, content_type)


def test_extensions_are_texts() -> None:
    draft = structured(count=3, urgent=True, calm=False, note="x", nothing=None)
    extra = {
        name: draft.attributes.get(f"ce-{name}") for name in ("count", "urgent", "calm", "note")
    }
    assert extra == {"count": "3", "urgent": "true", "calm": "false", "note": "x"}
    assert "ce-nothing" not in draft.attributes


def test_a_batch_is_several() -> None:
    events = [EVENT, EVENT | {"id": "2", "data": 1}]
    headers = {"content-type": "application/cloudevents-batch+json"}
    found = read_http(headers, json.dumps(events).encode())
    assert [draft.attributes["ce-id"] for draft in found] == ["1", "2"]
    assert read_http(headers, b"[]") == []
    assert refused(headers, b"{}") == ["body is a mapping of 0: expected a list of events"]
    (fault,) = refused(headers, json.dumps([EVENT, EVENT | {"id": ""}]).encode())
    assert fault.startswith("events[1].id")


def test_what_is_no_event_is_refused() -> None:
    (fault,) = refused({"content-type": "application/json"}, b"{}")
    assert fault.startswith("ce-specversion: expected a header ce-specversion: 1.0")
    (fault,) = refused({"content-type": "application/cloudevents+avro"})
    assert fault.endswith("expected application/cloudevents+json")
    (fault,) = refused({"content-type": "application/cloudevents-batch+xml"})
    assert fault.endswith("expected application/cloudevents-batch+json")
    (fault,) = refused({"content-type": STRUCTURED}, b"{")
    assert fault.startswith("body: expected JSON") or "body: expected JSON" in fault
    assert refused({"content-type": STRUCTURED}, b"[]") == [
        "event is a list of 0: expected a JSON object"
    ]
    assert refused({"ce-specversion": "1.0"}) == [
        f"ce-{name}: expected a text that is not empty" for name in ("id", "source", "type")
    ]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"id": None}, "event.id: expected a text that is not empty"),
        ({"specversion": "0.3"}, "event.specversion is '0.3': expected 1.0"),
        ({"Extra": "x"}, "event.Extra is an attribute's name: expected lower-case letters"),
        ({"x" * 21: "x"}, "expected lower-case letters and digits, at most 20"),
        ({"extra": {"a": 1}}, "event.extra is a mapping of 1: expected a text, a whole number"),
        ({"extra": 1.5}, "event.extra is 1.5: expected a text, a whole number"),
        (
            {"data": 1, "data_base64": "AA=="},
            "event.data_base64: expected nothing, as there is data",
        ),
        ({"data_base64": "?"}, "event.data_base64 is '?': expected base64"),
        ({"data_base64": 1}, "event.data_base64 is 1: expected base64"),
        ({"time": "yesterday"}, "event.time is 'yesterday': expected an instant"),
        ({"time": "2026-13-01T12:00:00Z"}, "expected an instant"),
        ({"time": "2026-03-01 12:00:00Z"}, "expected an instant"),
    ],
)
def test_each_fault_of_an_event_is_told(members: dict[str, Any], expected: str) -> None:
    (found,) = refused_event(**members)
    assert expected in found


@pytest.mark.parametrize(
    "time", ["2026-03-01T12:00:00Z", "2026-03-01t12:00:00.123456789z", "2026-03-01T12:00:00+01:00"]
)
def test_instants_are_those_of_rfc_3339(time: str) -> None:
    assert structured(time=time).attributes["ce-time"] == time


@given(
    st.binary(max_size=60), st.sampled_from(["", STRUCTURED, "application/cloudevents-batch+json"])
)
def test_any_body_is_read_or_refused(body: bytes, content_type: str) -> None:
    try:
        read_http({"content-type": content_type, "ce-specversion": "1.0"}, body)
    except InvalidSpec as error:
        found = error.faults
    else:
        return
    assert found
