"""Answers: JSON with RFC 3339 instants in UTC (`Z`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

INTEGER_MAX = 2**64 - 1  #: beyond it, and below `INTEGER_MIN`, orjson and most readers give up
INTEGER_MIN = -(2**63)
DEPTH_MAX = 100  #: of what a program logged; deeper it is cut off


def encoded(document: Any) -> bytes:
    """`document` as JSON. What JSON cannot say (a program may log anything) is said nearly."""
    try:
        return orjson.dumps(document, option=orjson.OPT_UTC_Z)
    except orjson.JSONEncodeError:
        return orjson.dumps(_sayable(document, DEPTH_MAX), option=orjson.OPT_UTC_Z)


def answer(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`document` as a response."""
    return Response(encoded(document), status, headers, media_type="application/json")


def _sayable(value: Any, depth: int) -> Any:
    """`value` without half characters, endless numbers and bottomless nesting."""
    if isinstance(value, str):
        return str(value).encode("utf-8", "replace").decode()
    if isinstance(value, int):
        return value if INTEGER_MIN <= value <= INTEGER_MAX else "a number beyond 64 bits"
    if isinstance(value, dict | list) and not depth:
        return "…"
    if isinstance(value, dict):
        return {_sayable(key, depth): _sayable(inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_sayable(inner, depth - 1) for inner in value]
    return value
