"""What a plain scalar means: YAML 1.2, core schema (https://yaml.org/spec/1.2.2/#103-core-schema).

So `on`, `yes`, `12:30` and `2024-01-01` are texts. What YAML 1.1 and 1.2 read differently as a
number (`0644`), and numbers that JSON cannot say, are refused instead of guessed at.
"""

from __future__ import annotations

import math
import re

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_WHOLE = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NUMBER_START = frozenset("+-.0123456789")
_DIGITS_MAX = 19  #: of a 64-bit whole number

Scalar = str | int | float | bool | None


class NotPlain(ValueError):
    """A plain scalar that is refused: (what was expected, hint)."""

    def __init__(self, expected: str, hint: str) -> None:
        super().__init__(expected)
        self.expected = expected
        self.hint = hint


def plain(text: str) -> Scalar:
    """The value of the plain (unquoted) scalar `text`. Raises NotPlain."""
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text in _NULL:
        return None
    return _number(text) if text[0] in _NUMBER_START else text


def _number(text: str) -> Scalar:
    if _WHOLE.fullmatch(text):
        digits = text.lstrip("+-")
        if len(digits) > 1 and digits[0] == "0":
            octal = f"0o{digits.lstrip('0') or '0'}" if set(digits) <= set("01234567") else ""
            raise NotPlain(
                "a number without a leading zero, which YAML 1.1 and 1.2 read differently",
                f'write {octal} for octal, or "{text[:20]}" for a text'
                if octal
                else f'write it in quotes if it is a text: "{text[:20]}"',
            )
        return _bounded(int(text) if len(digits) <= _DIGITS_MAX else 2**64)
    if _BASED.fullmatch(text):
        base = 8 if text[1] == "o" else 16
        return _bounded(int(text[2:], base) if len(text) <= _DIGITS_MAX else 2**64)
    if _FLOAT.fullmatch(text):
        return _finite(float(text))
    if _NOT_FINITE.fullmatch(text):
        return _finite(math.inf)
    return text


def _bounded(number: int) -> int:
    if not -(2**63) <= number < 2**63:
        raise NotPlain("a whole number of at most 64 bits", "write it in quotes if it is a text")
    return number


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise NotPlain("a finite number", "write it in quotes if it is a text")
    return number
