"""What a request says, as triggers see it: its content, and its headers. Pure.

JSON is what it is. A form is a mapping of its fields; where it is nothing but a field `payload`
with JSON in it, as GitHub and Slack send one, it is that. Anything else is JSON if it can be, or a
text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

import orjson

from runyard.flow.webhook.proving import SECRET_WORDS, Headers, scheme_of
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.trigger.pointing import BODY, HEADERS, Told
from runyard.model.trigger.senders import AnySender

FIELDS_MAX = 1000  #: of a form
FORM = "application/x-www-form-urlencoded"


def headers_of(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Headers by names in lower case; what is sent twice is joined (RFC 9110, section 5.3)."""
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("utf-8", "surrogateescape")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def shown_headers(sender: AnySender, headers: Headers) -> Headers:
    """Those that may be kept and told: no secrets, and nothing that proves anything."""
    scheme = scheme_of(sender)
    proof = scheme.header if scheme else ""
    return {
        name: value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for name, value in sorted(headers.items())
        if name != proof and not any(word in name for word in SECRET_WORDS)
    }


def told_of(headers: Headers, content: bytes) -> Told:
    """What a request tells a trigger. Raises InvalidSpec when its content is not what it says."""
    return {BODY: _content(headers.get("content-type", ""), content), HEADERS: dict(headers)}


def _content(content_type: str, raw: bytes) -> Any:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FORM:
        return _form(_text(raw))
    if kind == "application/json" or kind.endswith("+json"):
        return _json(raw)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _text(raw) if raw else None


def _json(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _unlike(
            "JSON, as its Content-Type says", f"{error.msg}, line {error.lineno}"
        ) from None


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise _unlike("JSON, a form, or a text in UTF-8") from None


def _form(text: str) -> Any:
    try:
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        raise _unlike(f"a form of at most {FIELDS_MAX} fields") from None
    found = {name: each[0] if len(each) == 1 else each for name, each in fields.items()}
    if found.keys() == {"payload"} and isinstance(found["payload"], str):
        return _json(found["payload"].encode())
    return found


def _unlike(expected: str, hint: str = "") -> InvalidSpec:
    fault = Fault(BODY, "something else", expected, hint)
    return InvalidSpec("the content of the request is not understood", faults=(fault,))
