"""From Google's JSON to the messages of `requests`, whichever way the JSON says it.

The proto3 JSON mapping lets a client write the same thing in several ways: fields in camelCase or
as in the .proto file, enums as names or numbers, numbers as texts, null for what is not said.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import NoneType
from typing import Annotated, Any, TypeVar, get_args, get_origin

from runyard.localcloud.google.requests import OUTPUT_ONLY, JobInput
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.strict import Message
from runyard.model.validation import HIDDEN, Complaint, dotted, is_hidden, read, shown

M = TypeVar("M", bound=Message)
_TRUTH = {"true": True, "false": False}


def message(model: type[M], said: Mapping[str, Any], query: Mapping[str, str]) -> M:
    """The request that path and body (`said`) and `query` make. Raises InvalidSpec with every
    fault. Of a Job's output-only fields none is read."""
    told = {**_of_query(model, query), **said}
    data = _canonical(model, told)
    made, complaints = read(model, data)
    if made is None:
        faults = tuple(_fault(complaint, data) for complaint in complaints)
        raise InvalidSpec("; ".join(str(fault) for fault in faults), faults=faults)
    return made


def _of_query(model: type[Message], query: Mapping[str, str]) -> dict[str, Any]:
    """`$alt`, `key` and their like speak of the answer's form and are Google's system parameters
    (https://cloud.google.com/apis/docs/system-parameters)."""
    fields = _known(model)
    said: dict[str, Any] = {}
    for name, text in query.items():
        if name.startswith("$") or name in _SYSTEM:
            continue
        truth = name in fields and fields[name][1] is bool
        said[name] = _TRUTH.get(text.lower(), text) if truth else text
    return said


_SYSTEM = frozenset({
    "access_token", "alt", "callback", "fields", "key", "oauth_token", "prettyPrint", "quotaUser",
    "uploadType", "upload_protocol",
})  # fmt: skip


def _known(model: type[Message]) -> dict[str, tuple[str, Any]]:
    """Each name a field may be written by, with its JSON name and its type."""
    known: dict[str, tuple[str, Any]] = {}
    for name, field in model.model_fields.items():
        alias = field.alias or name
        known[name] = known[alias] = (alias, field.annotation)
    return known


def _canonical(model: type[Message], data: Mapping[str, Any]) -> dict[str, Any]:
    known, made = _known(model), {}
    for name, value in data.items():
        if value is None or (model is JobInput and _camel(name) in OUTPUT_ONLY):
            continue
        alias, kind = known.get(name, (name, None))
        made[alias] = _value(kind, value)
    return made


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def _value(kind: Any, value: Any) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _value(parts[0], value)
    if origin is tuple:
        return [_value(parts[0], one) for one in value] if isinstance(value, list) else value
    if NoneType in parts:
        return _value(next(part for part in parts if part is not NoneType), value)
    if isinstance(kind, type):
        return _of_class(kind, value)
    return value


def _of_class(kind: type[Any], value: Any) -> Any:
    if issubclass(kind, Message):
        return _canonical(kind, value) if isinstance(value, Mapping) else value
    if issubclass(kind, StrEnum) and isinstance(value, int) and not isinstance(value, bool):
        choices = list(kind)  # declared in the order of Google's numbers
        return choices[value] if 0 <= value < len(choices) else str(value)
    if kind is int:
        return _number(value)
    return value


def _number(value: Any) -> Any:
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and len(value) < 12:
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _fault(complaint: Complaint, data: Any) -> Fault:
    path, where = complaint.path, dotted(complaint.path)
    if complaint.about_key:
        return Fault(where, "", complaint.expected, complaint.hint)
    if is_hidden(path):
        return Fault(where, HIDDEN, complaint.expected)
    return Fault(where, _at(data, path), complaint.expected, complaint.hint)


def _at(data: Any, path: tuple[str | int, ...]) -> str:
    """What stands at `path`, made printable; empty when there is nothing."""
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return ""
    return shown(data)
