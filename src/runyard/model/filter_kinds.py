"""What the values of a field are that a filter asks for, and how one is written.

A value becomes a text or a whole number: microseconds for instants and durations, nano-dollars for
money. That is what rows hold, so a filter is compared with columns as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from runyard.model.durations import FORM_EXPECTED, nanos_of
from runyard.model.instants import to_micros
from runyard.model.validation import one_of

INTEGER_MAX = 2**63 - 1  #: what a column holds
INSTANT_EXPECTED = "an instant of RFC 3339 such as 2026-01-31T12:00:00Z"
_NANO_DOLLARS = 1_000_000_000

Value = str | int
_ORDERED = ("=", "!=", "<", "<=", ">", ">=")
_EQUAL = ("=", "!=")


@dataclass(frozen=True, slots=True)
class Kind:
    """What the values of a field are. `read` raises ValueError for what is none.

    `prefix`: a value may end with `*` for anything. `keyed`: the field has a key, as labels have.
    `many`: the field has several values, and `:` asks for one of them.
    """

    expected: str
    read: Callable[[str], Value]
    operators: Sequence[str] = _ORDERED
    prefix: bool = False
    keyed: bool = False
    many: bool = False
    choices: Sequence[str] = ()


def _text(text: str) -> Value:
    """What a column can hold: PostgreSQL has no NUL in a text, and no database half a character."""
    text.encode()  # UnicodeEncodeError is a ValueError
    if "\0" in text:
        raise ValueError(text)
    return text


def _number(text: str) -> Value:
    if not text.isascii() or not text.removeprefix("-").isdigit() or len(text) > 20:
        raise ValueError(text)
    return _bounded(int(text))


def _instant(text: str) -> Value:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    try:
        return to_micros(at.astimezone(UTC))
    except OverflowError:
        raise ValueError(text) from None


def _duration(text: str) -> Value:
    return nanos_of(text) // 1000


def _money(text: str) -> Value:
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        raise ValueError(text) from None
    if not amount.is_finite() or abs(amount) > INTEGER_MAX // _NANO_DOLLARS:
        raise ValueError(text)
    return int(amount * _NANO_DOLLARS)


def _bounded(number: int) -> int:
    if abs(number) > INTEGER_MAX:
        raise ValueError(number)
    return number


def words(choices: Sequence[str]) -> Kind:
    """One of `choices`."""

    def read(text: str) -> Value:
        if text not in choices:
            raise ValueError(text)
        return text

    return Kind(one_of(choices), read, _EQUAL, choices=tuple(choices))


TEXT = Kind("a text", _text, prefix=True)
NUMBER = Kind("a whole number", _number)
INSTANT = Kind(INSTANT_EXPECTED, _instant)
DURATION = Kind(FORM_EXPECTED, _duration)
MONEY = Kind("an amount of US dollars such as 0.25", _money)
LABELS = Kind("a label's value", _text, _EQUAL, prefix=True, keyed=True)
TEXTS = Kind("a text", _text, (), many=True)
#: A place in something that is nested: its key is the way there.
PLACES = Kind("a text", _text, _EQUAL, prefix=True, keyed=True)
