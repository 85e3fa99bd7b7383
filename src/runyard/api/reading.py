"""What comes in: bodies and queries, read into models or refused with every fault at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, cast, get_origin

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from starlette.responses import Response

from runyard.api.errors import error_answer
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.forms import UNEXPECTED
from runyard.model.validation import (
    HIDDEN,
    Complaint,
    Path,
    did_you_mean,
    dotted,
    is_hidden,
    one_of,
    read,
    shown,
)

M = TypeVar("M", bound=BaseModel)
_CONTENT = "application/json"
_KEY = "[key]"  #: pydantic's last part of a path to a key, not to its value

# pydantic's error types of texts that became no value, in our words.
_EXPECTED = {
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number of at most 64 bits",
    "bool_parsing": "true or false",
    "missing": "a value, which is required",
    "string_type": "one text",
    "list_type": "a list",
}


def body(model: type[M], *, optional: bool = False) -> Callable[[Request], Awaitable[M]]:
    """A dependency that reads the body as `model`. `optional`: nothing means an empty object.

    It raises InvalidSpec with every fault. What may be a secret is not shown in one.
    """

    async def reading(request: Request) -> M:
        text = await request.body()
        data = {} if optional and not text.strip() else _object(text)
        found, complaints = read(model, data)
        if found is None:
            faults = tuple(fault(complaint, data) for complaint in complaints)
            raise InvalidSpec(_said(len(faults)), faults=faults)
        return found

    return reading


def described(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """How OpenAPI is told of a body that `body` reads; `openapi` adds the schema it points to."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": required, "content": {_CONTENT: {"schema": schema}}}}


def fault(complaint: Complaint, data: Any) -> Fault:
    """`complaint` about a part of `data` as a fault with the value that stands there."""
    path, hint = complaint.path, complaint.hint
    about_key = complaint.about_key
    if path and path[-1] == _KEY:
        path, about_key = path[:-1], True
    found = [] if about_key else _at(data, path)
    value = shown(found[0]) if found else ""
    if value and (is_hidden(path) or _is_secret(path)):
        value, hint = HIDDEN, ""
    return Fault(dotted(path) if path else "body", value, complaint.expected, hint)


def _object(text: bytes) -> dict[str, Any]:
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        expected, line, column = f"a JSON object: {error.msg}", error.lineno, error.colno
        one = Fault("body", "", expected, line=line, column=column)
        raise InvalidSpec("the body is not JSON", faults=(one,)) from None
    if not isinstance(data, dict):
        raise InvalidSpec(_said(1), faults=(Fault("body", shown(data), "a JSON object"),))
    return data


def _at(data: Any, path: Path) -> list[Any]:
    """What stands at `path`, as the only item; none when nothing does."""
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return []
    return [data]


def _is_secret(path: Path) -> bool:
    """True for the value of a variable that is overridden, and for a secret's own."""
    return path[:2] == ("overrides", "env") or path == ("value_base64",)


def _said(count: int) -> str:
    return f"the request has {count} faults" if count > 1 else "the request has a fault"


async def refused_query(request: Request, error: Exception) -> Response:
    """The handler of what FastAPI finds wrong in a path, a query or a header."""
    known = _parameters(request)
    details = cast(RequestValidationError, error).errors()
    faults = tuple(_query_fault(detail, known) for detail in details)
    return error_answer(InvalidSpec(_said(len(faults)), faults=faults))


async def each_once(request: Request) -> None:
    """A dependency that refuses a parameter given twice, of which one would be ignored in silence.

    Those that are lists may be.
    """
    given = [name for name, _ in request.query_params.multi_items()]
    fields = _fields(request)
    faults = [
        Fault(name, shown(request.query_params.getlist(name)), "one value, not several")
        for name in sorted({name for name in given if given.count(name) > 1})
        if name in fields and get_origin(fields[name].annotation) is not list
    ]
    if faults:
        raise InvalidSpec(_said(len(faults)), faults=tuple(faults))


def _parameters(request: Request) -> list[str]:
    return sorted(_fields(request))


def _fields(request: Request) -> dict[str, FieldInfo]:
    """The query parameters of the route that a request is for."""
    route = request.scope.get("route")
    params = route.dependant.query_params if isinstance(route, APIRoute) else []
    kinds = [param.field_info.annotation for param in params]
    models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return {name: field for model in models for name, field in model.model_fields.items()}


def _query_fault(detail: Mapping[str, Any], known: Sequence[str]) -> Fault:
    place, *rest = detail["loc"]
    path = dotted(tuple(rest)) if rest else str(place)
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == UNEXPECTED:
        return Fault(path, shown(detail["input"]), context["expected"], context["hint"])
    if kind == "extra_forbidden":
        return Fault(path, "", f"a parameter: {one_of(known)}", did_you_mean(path, known))
    if kind in ("enum", "literal_error"):
        words = _words(context["expected"])
        hint = did_you_mean(str(detail["input"]), words)
        return Fault(path, shown(detail["input"]), one_of(words), hint)
    value = "" if kind == "missing" else shown(detail["input"])
    return Fault(path, value, _EXPECTED.get(kind, str(detail["msg"])))


def _words(expected: str) -> Sequence[str]:
    return [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
