"""The filter language of every list and trigger: a subset of AIP-160 (https://google.aip.dev/160).

    filter      = factor { "AND" factor }
    factor      = term { "OR" term }             OR binds closer than AND, as AIP-160 has it
    term        = [ "NOT" | "-" ] ( restriction | "(" filter ")" )
    restriction = field ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value
                | field ":*"                     there is a value
                | "labels" ":" key               there is such a label
                | field ":" value                the value is among those of the field
    field       = name | "labels" "." key
    value       = a text without blanks or parentheses | "quoted" | 'quoted'

A text may end with `*`, which stands for anything; quoted it stands for itself. A comparison with
what has no value is false, `!=` is the opposite of `=`, and NOT is the opposite of anything.
Of AIP-160 there is no search by bare words, no function, no `*` but at the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runyard.model.errors import Fault, InvalidSpec
from runyard.model.filter_kinds import Kind, Value
from runyard.model.validation import did_you_mean, one_of, shown

CHARACTERS_MAX = 2_000
COMPARISONS_MAX = 50  #: comparisons in one filter
DEPTH_MAX = 20  #: parentheses and NOTs within each other
PLACE = "filter"  #: what a fault calls the text

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<mark>[()])
    | (?P<operator><=|>=|!=|==|[=<>:])
    | (?P<name>-?[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_.-]+)?)
    | (?P<minus>-)
    )""",
    re.VERBOSE,
)
_VALUE = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<plain>[^\s()"']+))"""
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison. `operator` is =, <, <=, >, >=, `has` (among the values) or `there` (there is
    one). `key` is a label's. `prefix`: the field's value begins with `value`."""

    field: str
    operator: str
    value: Value = ""
    key: str = ""
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: Expression


@dataclass(frozen=True, slots=True)
class And:
    """Every part holds."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """A part holds."""

    parts: tuple[Expression, ...]


Expression = Comparison | Not | And | Or
Values = Callable[[str, str], Value | tuple[Value, ...] | None]  #: of a row, by field and key


def parse(text: str, fields: Mapping[str, Kind]) -> Expression | None:
    """The expression in `text`; None when there is nothing in it.

    Raises InvalidSpec with the column (from 1) of what is wrong.
    """
    if not text.strip():
        return None
    if len(text) > CHARACTERS_MAX:
        raise _Reader(text, fields).fault(0, f"at most {CHARACTERS_MAX} characters")
    reader = _Reader(text, fields)
    found = reader.filter(0)
    if reader.peek():
        hint = "write AND or OR between comparisons"
        raise reader.fault(reader.at, "the end, AND or OR", hint)
    return found


def matches(expression: Expression | None, values: Values) -> bool:
    """True when a row with `values` is among those that `expression` asks for."""
    match expression:
        case None:
            return True
        case Not(part):
            return not matches(part, values)
        case And(parts):
            return all(matches(part, values) for part in parts)
        case Or(parts):
            return any(matches(part, values) for part in parts)
    return _holds(expression, values(expression.field, expression.key))


def _holds(asked: Comparison, value: Value | tuple[Value, ...] | None) -> bool:
    if value is None or value == ():
        return False
    if asked.operator == "there":
        return True
    if isinstance(value, tuple):
        return any(_equals(asked, one) for one in value)
    if asked.prefix:
        return _equals(asked, value)
    return _COMPARED[asked.operator](value, asked.value)


def _equals(asked: Comparison, value: Value) -> bool:
    return str(value).startswith(str(asked.value)) if asked.prefix else value == asked.value


_COMPARED: dict[str, Callable[[object, object], bool]] = {
    "=": lambda one, other: one == other,
    "<": lambda one, other: one < other,  # type: ignore[operator]  # of one kind, by `parse`
    "<=": lambda one, other: one <= other,  # type: ignore[operator]
    ">": lambda one, other: one > other,  # type: ignore[operator]
    ">=": lambda one, other: one >= other,  # type: ignore[operator]
}


class _Reader:
    """Reads one text from left to right. `at` is where the next thing begins."""

    def __init__(self, text: str, fields: Mapping[str, Kind]) -> None:
        self.text = text
        self.fields = fields
        self.at = 0
        self._count = 0

    def fault(self, at: int, expected: str, hint: str = "") -> InvalidSpec:
        """What is wrong at a place of the text."""
        rest = self.text[at:].lstrip()
        value = shown(rest.split(maxsplit=1)[0]) if rest else "the end"
        column = len(self.text) - len(rest) + 1
        fault = Fault(PLACE, value, expected, hint, PLACE, 1, column)
        return InvalidSpec("the filter is not understood", faults=(fault,))

    def peek(self) -> str:
        """The next token that is no value, without taking it; empty at the end."""
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            return self.text[self.at :].strip()[:1]
        return match.group().strip()

    def _take(self) -> str:
        token = self.peek()
        start = self.text.index(token, self.at)
        self.at = start + len(token)
        return token

    def filter(self, depth: int) -> Expression:
        """What AND holds together."""
        parts = [self._factor(depth)]
        while self.peek() == "AND":
            self._take()
            parts.append(self._factor(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _factor(self, depth: int) -> Expression:
        parts = [self._term(depth)]
        while self.peek() == "OR":
            self._take()
            parts.append(self._term(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _term(self, depth: int) -> Expression:
        if depth > DEPTH_MAX:
            raise self.fault(self.at, f"at most {DEPTH_MAX} parentheses and NOTs within each other")
        following = self.peek()
        if following == "NOT" or following.startswith("-"):
            self._skip("NOT" if following == "NOT" else "-")
            return Not(self._term(depth + 1))
        if following == "(":
            self._take()
            found = self.filter(depth + 1)
            if self.peek() != ")":
                raise self.fault(self.at, "), AND or OR", "a parenthesis is not closed")
            self._take()
            return found
        return self._restriction()

    def _skip(self, word: str) -> None:
        self.at = self.text.index(word, self.at) + len(word)

    def _restriction(self) -> Expression:
        self._count += 1
        if self._count > COMPARISONS_MAX:
            raise self.fault(self.at, f"at most {COMPARISONS_MAX} comparisons")
        start = self.at
        name, _, key = self._take_field().partition(".")
        kind = self.fields.get(name)
        if kind is None:
            hint = did_you_mean(name, self.fields)
            raise self.fault(start, f"a field: {one_of(self.fields)}", hint)
        if key and not kind.keyed:
            raise self.fault(start, f"{name} without a key", "only labels have keys")
        return self._compared(name, key, kind)

    def _take_field(self) -> str:
        match = _TOKEN.match(self.text, self.at)
        token = match.group("name") if match else None
        if token is None:
            raise self.fault(self.at, "a field, NOT or (", "for instance: state = dead")
        if token in ("and", "or", "not"):
            raise self.fault(self.at, "a field", f"write {token.upper()}")
        return self._take()

    def _compared(self, name: str, key: str, kind: Kind) -> Expression:
        at, operator = self.at, self.peek()
        wanted = [":"] if kind.many or (kind.keyed and not key) else [*kind.operators, ":"]
        if operator not in wanted:
            raise self.fault(at, f"{one_of(wanted)} after {name}", _HINTS.get(operator, ""))
        self._take()
        start = self.at
        text, quoted = self._value()
        if operator == ":":
            return self._has(start, Comparison(name, "there", key=key), kind, text, quoted)
        prefix = text.endswith("*") and not quoted
        if prefix and (not kind.prefix or operator not in ("=", "!=")):
            raise self.fault(start, kind.expected, "* stands for itself in quotes")
        value = self._read(start, kind, text.removesuffix("*") if prefix else text)
        if operator == "!=":
            return Not(Comparison(name, "=", value, key, prefix))
        return Comparison(name, operator, value, key, prefix)

    def _has(
        self, start: int, there: Comparison, kind: Kind, text: str, quoted: bool
    ) -> Comparison:
        if text == "*" and not quoted:
            return there
        if kind.keyed and not there.key:
            return Comparison(there.field, "there", key=text)
        if kind.many:
            return Comparison(there.field, "has", self._read(start, kind, text))
        raise self.fault(start, "* after :", "write = to compare")

    def _read(self, start: int, kind: Kind, text: str) -> Value:
        try:
            return kind.read(text)
        except ValueError:
            hint = did_you_mean(text, kind.choices)
            raise self.fault(start, kind.expected, hint) from None

    def _value(self) -> tuple[str, bool]:
        """The next value, and whether it was quoted."""
        match = _VALUE.match(self.text, self.at)
        if match is None:
            hint = "a quote is not closed" if self.text[self.at :].strip() else ""
            raise self.fault(self.at, "a value", hint)
        self.at = match.end()
        plain = match.group("plain")
        if plain is not None:
            return plain, False
        return re.sub(r"\\(.)", r"\1", match.group("quoted")[1:-1]), True


_HINTS = {"==": "write =", "": "for instance: state = dead"}
