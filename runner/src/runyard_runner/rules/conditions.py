"""`when`: whether an endpoint of a sequence is called at all.

    results[0].success
    not results.login.success
    results[0].response.count > 0
    results[0].status_code == 204 and payload.mode != "dry"

Paths and JSON literals, `not`, one comparison a term, `and` between terms. Nothing is evaluated
but these. A path that leads nowhere is null here: the question is whether something is there.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from runyard_runner.rules.paths import PathError, Step, follow, read_path

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_AND = re.compile(rf"({_QUOTED})|\s+and\s+")
_SIGN = re.compile(rf"({_QUOTED})|(==|!=|<=|>=|<|>)")


@dataclass(frozen=True, slots=True)
class Operand:
    """A path to follow, or a literal."""

    path: tuple[Step, ...] | None
    literal: Any = None

    def value(self, data: Mapping[str, Any]) -> Any:
        """What it stands for now; null where a path leads nowhere."""
        if self.path is None:
            return self.literal
        try:
            return follow(self.path, data)
        except PathError:
            return None


@dataclass(frozen=True, slots=True)
class Term:
    """`[not] left [sign right]`."""

    left: Operand
    sign: str = ""
    right: Operand | None = None
    negated: bool = False

    def holds(self, data: Mapping[str, Any]) -> bool:
        """Whether it is so; what cannot be compared is not."""
        left = self.left.value(data)
        if self.right is None:
            return bool(left) is not self.negated
        try:
            return _COMPARISONS[self.sign](left, self.right.value(data)) is not self.negated
        except TypeError:
            return self.negated


@dataclass(frozen=True, slots=True)
class Condition:
    """Terms that must all hold."""

    text: str
    terms: tuple[Term, ...]

    def holds(self, data: Mapping[str, Any]) -> bool:
        """Whether every term holds for `data` (`results` and `payload`)."""
        return all(term.holds(data) for term in self.terms)


def read_condition(text: str) -> Condition:
    """The condition that `text` says. Raises PathError."""
    return Condition(text, tuple(_term(part.strip()) for part in _split(text)))


def _split(text: str) -> list[str]:
    parts, begin = [], 0
    for found in _AND.finditer(text):
        if found[1] is None:
            parts.append(text[begin : found.start()])
            begin = found.end()
    return [*parts, text[begin:]]


def _term(text: str) -> Term:
    negated = text.startswith("not ")
    rest = text[4:].strip() if negated else text
    for found in _SIGN.finditer(rest):
        if found[2]:
            left, right = rest[: found.start()].strip(), rest[found.end() :].strip()
            return Term(_operand(left), found[2], _operand(right), negated)
    return Term(_operand(rest), negated=negated)


def _operand(text: str) -> Operand:
    if re.match(r"(results|payload)\b", text):
        return Operand(read_path(text))
    try:
        return Operand(None, orjson.loads(text))
    except orjson.JSONDecodeError:
        raise PathError(f"{text!r} is neither a path nor a JSON literal") from None
