"""CloudEvents 1.0 over HTTP, in every content mode, as messages.

Binary mode is headers and a body, structured mode one JSON document, batched mode a list of them
(https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md).
An event becomes a message in binary mode, whatever it came as: `ce-` attributes, `content-type`,
and its data (https://github.com/googleapis/google-cloudevents/blob/main/docs/spec/pubsub.md).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import orjson

from runyard.model.errors import Fault, InvalidSpec
from runyard.model.pubsub.message import Draft
from runyard.model.validation import shown

PREFIX = "ce-"
CONTENT_TYPE = "content-type"  #: the attribute that says what the data are
REQUIRED = ("specversion", "id", "source", "type")
VERSION = "1.0"
_STRUCTURED, _BATCHED = "application/cloudevents", "application/cloudevents-batch"
_JSON = "application/json"
_NAME = re.compile(r"[a-z0-9]{1,20}")  # "lower-case letters or digits", at most 20 as it advises
_NAME_EXPECTED = "lower-case letters and digits, at most 20"
_RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


def read_http(headers: Mapping[str, str], body: bytes) -> list[Draft]:
    """The events of a request (header names in lower case) as messages.

    Raises InvalidSpec that names every fault.
    """
    content_type = headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith(_BATCHED):
        return _batch(media_type, body)
    if media_type.startswith(_STRUCTURED):
        _expect_json(media_type, f"{_STRUCTURED}+json")
        return [_event("event", _parsed(body))]
    return [_binary(headers, content_type, body)]


def _batch(media_type: str, body: bytes) -> list[Draft]:
    _expect_json(media_type, f"{_BATCHED}+json")
    found = _parsed(body)
    if not isinstance(found, list):
        raise _refused(Fault("body", shown(found), "a list of events"))
    return [_event(f"events[{number}]", one) for number, one in enumerate(found)]


def _expect_json(media_type: str, expected: str) -> None:
    if media_type != expected:
        raise _refused(Fault("content-type", shown(media_type), expected))


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        expected, line, column = f"JSON: {error.msg}", error.lineno, error.colno
        raise _refused(Fault("body", "", expected, line=line, column=column)) from None


def _binary(headers: Mapping[str, str], content_type: str, body: bytes) -> Draft:
    given = {
        name.removeprefix(PREFIX): unquote(value)
        for name, value in headers.items()
        if name.startswith(PREFIX)
    }
    if "specversion" not in given:
        expected = (
            f"a header ce-specversion: {VERSION}, or the content type {_STRUCTURED}+json: "
            "there is no CloudEvent"
        )
        raise _refused(Fault("ce-specversion", "", expected))
    _refuse(_faults(PREFIX, given))
    return _draft(given, content_type, body)


def _event(path: str, document: Any) -> Draft:
    if not isinstance(document, dict):
        raise _refused(Fault(path, shown(document), "a JSON object"))
    context = {
        name: value
        for name, value in document.items()
        if name not in ("data", "data_base64", "datacontenttype") and value is not None
    }
    content_type = _text(document.get("datacontenttype") or "")
    given = {name: _text(value) for name, value in context.items()}
    _refuse(_document_faults(path, document, given))
    data = _data(path, document)
    return _draft(given, content_type or (_JSON if "data" in document else ""), data)


def _document_faults(
    path: str, document: Mapping[str, Any], given: Mapping[str, str]
) -> Iterator[Fault]:
    yield from _faults(f"{path}.", given)
    for name, value in document.items():
        if name != "data" and isinstance(value, dict | list | float):
            yield Fault(f"{path}.{name}", shown(value), "a text, a whole number, true or false")
    if document.get("data") is not None and document.get("data_base64") is not None:
        yield Fault(f"{path}.data_base64", "", "nothing, as there is data")


def _faults(prefix: str, given: Mapping[str, str]) -> Iterator[Fault]:
    """What is wrong with an event's attributes."""
    for name in REQUIRED:
        if not given.get(name):
            yield Fault(f"{prefix}{name}", "", "a text that is not empty")
    version = given.get("specversion", VERSION)
    if version not in ("", VERSION):
        yield Fault(f"{prefix}specversion", shown(version), VERSION)
    for name in given:
        if not _NAME.fullmatch(name):
            yield Fault(f"{prefix}{name[:60]}", "an attribute's name", _NAME_EXPECTED)
    if "time" in given and not _is_instant(given["time"]):
        yield Fault(
            f"{prefix}time", shown(given["time"]), "an instant such as 2026-10-01T09:00:00Z"
        )


def _is_instant(text: str) -> bool:
    if not _RFC_3339.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(re.sub(r"\.\d+", "", text).upper())
    except ValueError:
        return False
    return True


def _text(value: Any) -> str:
    """An attribute's canonical text (CloudEvents, type system)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _data(path: str, document: Mapping[str, Any]) -> bytes:
    """The data of a structured event. JSON stays JSON; a text of another type is that text."""
    encoded = document.get("data_base64")
    if encoded is not None:
        try:
            return base64.b64decode(encoded, validate=True)
        except (binascii.Error, TypeError, ValueError):
            fault = Fault(f"{path}.data_base64", shown(encoded), "base64")
            raise _refused(fault) from None
    if "data" not in document:
        return b""
    value = document["data"]
    if isinstance(value, str) and not _is_json(_text(document.get("datacontenttype") or _JSON)):
        return value.encode()
    return orjson.dumps(value)


def _is_json(content_type: str) -> bool:
    subtype = content_type.partition(";")[0].strip().lower().rpartition("/")[2]
    return subtype == "json" or subtype.endswith("+json")


def _draft(given: Mapping[str, str], content_type: str, data: bytes) -> Draft:
    attributes = {f"{PREFIX}{name}": value for name, value in sorted(given.items())}
    if content_type:
        attributes[CONTENT_TYPE] = content_type
    return Draft(data, attributes)


def _refuse(faults: Iterator[Fault]) -> None:
    found = tuple(faults)
    if found:
        raise _refused(*found)


def _refused(*faults: Fault) -> InvalidSpec:
    return InvalidSpec("this is no CloudEvent", faults=faults)
