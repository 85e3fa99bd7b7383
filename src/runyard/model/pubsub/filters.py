"""Pub/Sub's filter language: which messages a subscription gets, by their attributes.

    filter     = term { "AND" term } | term { "OR" term }       never both without parentheses
    term       = [ "NOT" | "-" ] ( comparison | "(" filter ")" )
    comparison = "attributes" ":" key                           there is such an attribute
               | "attributes" "." key ( "=" | "!=" ) value
               | "hasPrefix" "(" "attributes" "." key "," value ")"
    key        = letters, digits, - and _ | "quoted"
    value      = "quoted", with \\ before a quote or a backslash

Words and values count their case; `!=` also holds where there is no such attribute. The source of
the rules is https://cloud.google.com/pubsub/docs/subscription-message-filter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from runyard.model.errors import Fault, InvalidSpec
from runyard.model.validation import did_you_mean, shown

FILTER_BYTES_MAX = 256
DEPTH_MAX = 20  #: parentheses and NOTs within each other
PLACE = "filter"  #: what a fault calls the text
_EXAMPLE = 'for instance: attributes.kind = "order"'

_WORD = re.compile(
    r"""\s*(?:
      (?P<mark>!=|[()=:,.-])
    | (?P<quoted>"(?:[^"\\]|\\.)*")
    | (?P<plain>[A-Za-z0-9_][A-Za-z0-9_-]*)
    | (?P<other>\S)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Has:
    """There is an attribute of this key."""

    key: str


@dataclass(frozen=True, slots=True)
class Is:
    """An attribute has this value."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Begins:
    """An attribute's value begins so."""

    key: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: Filter


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """A part holds."""

    parts: tuple[Filter, ...]


Filter = Has | Is | Begins | Not | All | Some


def matches(wanted: Filter | None, attributes: Mapping[str, str]) -> bool:
    """True when a message with `attributes` passes; everything does when nothing is wanted."""
    match wanted:
        case None:
            return True
        case Has(key):
            return key in attributes
        case Is(key, value):
            return attributes.get(key) == value
        case Begins(key, prefix):
            return attributes.get(key, "").startswith(prefix) and key in attributes
        case Not(part):
            return not matches(part, attributes)
        case All(parts):
            return all(matches(part, attributes) for part in parts)
    return any(matches(part, attributes) for part in wanted.parts)


@lru_cache(maxsize=1024)
def parse(text: str) -> Filter | None:
    """The filter in `text`; None when there is nothing in it.

    Raises InvalidSpec with the column (from 1) of what is wrong.
    """
    if not text.strip():
        return None
    reader = _Reader(text)
    if len(text.encode("utf-8", "surrogatepass")) > FILTER_BYTES_MAX:
        raise reader.fault(f"at most {FILTER_BYTES_MAX} bytes")
    found = reader.filter(0)
    if reader.word:
        raise reader.fault("the end, AND or OR", reader.hint_for_junction())
    return found


class _Reader:
    """Reads one text from left to right. `word` is what comes next, empty at the end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._kind: str | None = None
        self.word = ""
        self._advance()

    def fault(self, expected: str, hint: str = "") -> InvalidSpec:
        """What is wrong with what comes next."""
        value = shown(self.word) if self.word else "the end"
        column = self._at - len(self.word) + 1
        fault = Fault(PLACE, value, expected, hint, PLACE, 1, column)
        return InvalidSpec("the filter is not understood", faults=(fault,))

    def hint_for_junction(self) -> str:
        """What to do about a word where AND or OR should be."""
        if self.word in ("AND", "OR"):
            return "put parentheses around those that belong together"
        return f"write {self.word.upper()}" if self.word in ("and", "or") else ""

    def filter(self, depth: int) -> Filter:
        """Terms that one word joins."""
        parts, joint = [self._term(depth)], self.word
        if joint not in ("AND", "OR"):
            return parts[0]
        while self.word == joint:
            self._advance()
            parts.append(self._term(depth))
        return All(tuple(parts)) if joint == "AND" else Some(tuple(parts))

    def _advance(self) -> None:
        match = _WORD.match(self._text, self._at)
        if match is None:
            self.word, self._kind, self._at = "", None, len(self._text)
            return
        self._kind = match.lastgroup
        self.word = match.group(self._kind or 0)
        self._at = match.end()

    def _take(self, mark: str) -> None:
        if self.word != mark:
            raise self.fault(mark)
        self._advance()

    def _term(self, depth: int) -> Filter:
        if depth > DEPTH_MAX:
            raise self.fault(f"at most {DEPTH_MAX} parentheses and NOTs within each other")
        if self.word in ("NOT", "-"):
            self._advance()
            return Not(self._term(depth + 1))
        if self.word == "(":
            self._advance()
            found = self.filter(depth + 1)
            if self.word != ")":
                raise self.fault("), AND or OR", self.hint_for_junction())
            self._advance()
            return found
        return self._comparison()

    def _comparison(self) -> Filter:
        if self.word == "hasPrefix":
            return self._prefixed()
        self._take_attributes()
        if self.word == ":":
            self._advance()
            return Has(self._key())
        if self.word != ".":
            raise self.fault(". or : after attributes", _EXAMPLE)
        self._advance()
        key, operator = self._key(), self.word
        if operator not in ("=", "!="):
            hint = "write attributes:KEY to ask whether it is there" if operator == ":" else ""
            raise self.fault("= or !=", hint or _EXAMPLE)
        self._advance()
        found = Is(key, self._value())
        return found if operator == "=" else Not(found)

    def _prefixed(self) -> Filter:
        self._advance()
        self._take("(")
        self._take_attributes()
        self._take(".")
        key = self._key()
        self._take(",")
        prefix = self._value()
        self._take(")")
        return Begins(key, prefix)

    def _take_attributes(self) -> None:
        if self.word != "attributes":
            words = ("attributes", "hasPrefix", "NOT")
            hint = did_you_mean(self.word, words) if self.word else ""
            raise self.fault("attributes, hasPrefix, NOT or (", hint or _EXAMPLE)
        self._advance()

    def _key(self) -> str:
        if self._kind == "quoted":
            return self._value()
        if self._kind != "plain":
            raise self.fault("an attribute's key", "quote a key of other characters")
        key = self.word
        self._advance()
        return key

    def _value(self) -> str:
        if self._kind != "quoted":
            hint = "a quote is not closed" if self.word == '"' else "values stand in double quotes"
            raise self.fault('a text in "quotes"', hint)
        text = re.sub(r"\\(.)", r"\1", self.word[1:-1])
        self._advance()
        return text
