"""A part of Cloud Logging's query language: comparisons of fields, AND, OR, NOT, parentheses. Pure.

Source: https://cloud.google.com/logging/docs/view/logging-query-language. As there, what follows
without a word between is joined by AND, OR binds closer than AND, and `field:*` asks whether there
is such a field. Functions and words without a field are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runyard.localcloud.google.log_comparisons import (
    ANY,
    OPERATORS,
    Entry,
    Path,
    check,
    exists,
    holds,
    refused,
)
from runyard.localcloud.google.names import wrong

CHARACTERS_MAX = 20_000  #: of a filter, as Google has it
DEPTH_MAX = 20  #: parentheses in parentheses
Holds = Callable[[Entry], bool]

_PART = r'(?:\w+|"(?:[^"\\]|\\.)*")'
_TOKEN = re.compile(
    rf"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*")(?!\s*\.)
    |(?P<op>>=|<=|!=|=~|!~|=|>|<|:)|(?P<paren>[()])|(?P<minus>-(?=[\w"(]))|(?P<star>\*)
    |(?P<word>{_PART}(?:\.{_PART})+|[\w./%+@~-]+))""",
    re.VERBOSE,
)
_FIELDS = re.compile(
    r"resource\.type|resource\.labels\..+|labels\..+|logName|severity|timestamp|receiveTimestamp"
    r"|insertId|textPayload|jsonPayload\..+"
)
_WORDS = frozenset({"AND", "OR", "NOT"})


@dataclass(frozen=True, slots=True)
class Filter:
    """What a filter lets through. `only` has, for fields that every entry must have one of some
    values of, these values (in small letters)."""

    holds: Holds
    only: Mapping[Path, frozenset[str]]


def parse(text: str) -> Filter:
    """The filter in `text`; an empty one lets all through. Raises InvalidSpec."""
    if len(text) > CHARACTERS_MAX:
        raise wrong("filter", f"{len(text)} characters", f"at most {CHARACTERS_MAX}")
    reader = _Reader(list(_tokens(text)))
    only: dict[Path, frozenset[str]] = {}
    holds = reader.all_of(0, only)
    if reader.token[0]:
        raise refused(f"an expression, but not {reader.token[1]!r}")
    return Filter(holds, only)


Token = tuple[str, str]
_END: Token = ("", "")


def _tokens(text: str) -> Sequence[Token]:
    found: list[Token] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise refused(f"a field, a text in quotes or an operator at {text[at : at + 40]!r}")
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        at = match.end()
    return found


class _Reader:
    """Reads tokens, one after the other."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def token(self) -> Token:
        """The one that is next."""
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def take(self, *texts: str) -> bool:
        """Go past the next one if it is one of these."""
        found = self.token[0] in ("word", "paren", "minus") and self.token[1] in texts
        self._at += found
        return found

    def all_of(self, depth: int, only: dict[Path, frozenset[str]]) -> Holds:
        """Expressions that must all hold, up to a closing parenthesis or the end."""
        if depth > DEPTH_MAX:
            raise refused(f"at most {DEPTH_MAX} parentheses in each other")
        parts: list[Holds] = []
        while self.token not in (_END, ("paren", ")")):
            if parts:
                self.take("AND")
            parts.append(self._any_of(depth, only))
        return lambda entry: all(part(entry) for part in parts)

    def _any_of(self, depth: int, only: dict[Path, frozenset[str]]) -> Holds:
        found: dict[Path, frozenset[str]] = {}
        parts = [self._one(depth, found)]
        while self.take("OR"):
            parts.append(self._one(depth, {}))
        if len(parts) == 1:
            only.update(found)
        return lambda entry: any(part(entry) for part in parts)

    def _one(self, depth: int, only: dict[Path, frozenset[str]]) -> Holds:
        if self.take("NOT", "-"):
            inner = self._one(depth + 1, {})
            return lambda entry: not inner(entry)
        if self.take("("):
            inner = self.all_of(depth + 1, only)
            if not self.take(")"):
                raise refused("a closing parenthesis")
            return inner
        return self._comparison(only)

    def _comparison(self, only: dict[Path, frozenset[str]]) -> Holds:
        kind, field = self.token
        if kind != "word" or _FIELDS.fullmatch(field) is None:
            raise refused(f"a field of a log entry, not {field!r}")
        self._at += 1
        kind, operator = self.token
        if kind != "op":
            raise refused(f"one of {' '.join(OPERATORS)} after {field}, not {operator!r}")
        self._at += 1
        path = path_of(field)
        if operator == ":" and self.token == ("star", ANY):
            self._at += 1
            return lambda entry: exists(at(entry, path))
        values = self._values()
        for value in values:
            check(path, operator, value)  # refused before any entry is looked at
        if operator == "=":
            only[path] = frozenset(value.lower() for value in values)
        return lambda entry: any(holds(path, operator, at(entry, path), one) for one in values)

    def _values(self) -> list[str]:
        """One value, or some in parentheses with OR between."""
        if not self.take("("):
            return [self._value()]
        values = [self._value()]
        while self.take("OR"):
            values.append(self._value())
        if not self.take(")"):
            raise refused("OR or a closing parenthesis after a value")
        return values

    def _value(self) -> str:
        kind, text = self.token
        if kind not in ("string", "word") or text in _WORDS:
            raise refused(f"a value, not {text!r}")
        self._at += 1
        return _plain(text)


def path_of(field: str) -> Path:
    """The names on the way to a field."""
    return tuple(_plain(part) for part in re.findall(_PART, field))


def _plain(text: str) -> str:
    quoted = text.startswith('"')
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if quoted else text


def at(entry: Entry, path: Path) -> Any:
    """What stands there; None where nothing does."""
    found: Any = entry
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
