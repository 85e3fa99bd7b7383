"""Page tokens: opaque, and of use only for the list they came from.

A token is the last row's place (the value it was sorted by) and id, with a digest of the question,
so that a token is not used with another filter or order, where it would lose rows in silence.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b
from typing import Any

import orjson

from runyard.model.errors import Fault, InvalidSpec

_DIGEST_BYTES = 8
_CHARACTERS_MAX = 1024
_INTEGER_MAX = 2**63 - 1  #: what a column holds


def token(question: object, *place: str | int | None) -> str:
    """The token for going on after `place` in the list that answers `question`."""
    text = orjson.dumps([digest(question), *place])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def place_in(question: object, given: str, kinds: tuple[tuple[type, ...], ...]) -> list[Any]:
    """The place in a token that `token` made for the same question; one value for each of `kinds`.

    Raises InvalidSpec when it is not that.
    """
    parts = _decoded(given)
    if not parts or len(parts) != len(kinds) + 1 or not isinstance(parts[0], str):
        raise _refused(given, "a token as the page before gave it")
    if parts[0] != digest(question):
        raise _refused(given, "the token of a page with the same filter and sort")
    for value, allowed in zip(parts[1:], kinds, strict=True):
        if type(value) not in allowed or (isinstance(value, int) and abs(value) > _INTEGER_MAX):
            raise _refused(given, "a token as the page before gave it")
    return parts[1:]


def digest(question: object) -> str:
    """Equal for equal questions (dataclasses or what JSON knows)."""
    text = orjson.dumps(question, option=orjson.OPT_SORT_KEYS)
    return blake2b(text, digest_size=_DIGEST_BYTES).hexdigest()


def _decoded(given: str) -> list[Any]:
    if len(given) > _CHARACTERS_MAX:
        return []
    try:
        padded = given.encode("ascii") + b"=" * (-len(given) % 4)
        parts = orjson.loads(base64.b64decode(padded, b"-_", validate=True))
    except (ValueError, binascii.Error):
        return []
    return parts if isinstance(parts, list) else []


def _refused(given: str, expected: str) -> InvalidSpec:
    shown = given if len(given) <= 40 else f"{given[:40]}…"
    fault = Fault("page_token", repr(shown), expected, "leave it out to start at the first page")
    return InvalidSpec("this page token does not fit", faults=(fault,))
