"""How a field of a log entry is held against a value of a filter, as Cloud Logging has it. Pure.

Source: https://cloud.google.com/logging/docs/view/logging-query-language, "Values and conversions",
"Comparison operators", "Missing fields", "Object and array types", "Using regular expressions": the
value becomes what the field is, and where it cannot, or where there is no field, no comparison
holds; of a list one member is enough; texts are compared without regard to case, but by
expressions, which are RE2's. Of these, this cloud knows what takes no time: no repetitions, and
one pair of parentheses.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from operator import contains, eq, ge, gt, le, lt, ne
from typing import Any

from runyard.localcloud.google.names import wrong
from runyard.localcloud.logging.format import SEVERITIES
from runyard.model.errors import InvalidSpec

Entry = Mapping[str, Any]
Path = tuple[str, ...]
ANY = "*"  #: what is written for a value where any will do
_RANK = {name: rank for rank, name in enumerate(SEVERITIES)}
_FLAGS = re.compile(r"\(\?([is]{1,2})\)")
_PIECE = re.compile(r"\\[^\w\s]|\((?:\?:)?(?!\?)|[^\\(?*+{\[]", re.DOTALL)
_ENDS = r"\Z"  #: what RE2 means by `$`: not before a newline, as Python does


def refused(expected: str) -> InvalidSpec:
    """What this cloud does not understand of a filter."""
    return wrong(
        "filter", "", expected, "this cloud knows comparisons of fields, AND, OR, NOT and ( )"
    )


def check(path: Path, operator: str, value: str) -> None:
    """Raises InvalidSpec for a value that its field is never compared with."""
    if operator in EXPRESSIONS:
        _expression(value)
    elif operator != ":":
        _as_field(path, value)


def holds(path: Path, operator: str, found: Any, value: str) -> bool:
    """True where what stands in a field (None: it is missing) compares so to a value."""
    members = found if isinstance(found, list) else [found]
    compares = OPERATORS[operator]
    return any(one is not None and compares(path, one, value) for one in members)


def exists(found: Any) -> bool:
    """True for a field that is there, whatever it says."""
    return found is not None


# -- how one is compared -------------------------------------------------------------------------
Compares = Callable[[Path, Any, str], bool]


def _by(operator: Callable[[Any, Any], bool]) -> Compares:
    def compares(path: Path, found: Any, value: str) -> bool:
        if isinstance(found, str):
            return operator(_as_field(path, found), _as_field(path, value))
        return _by_type(operator, found, value)

    return compares


def _by_type(operator: Callable[[Any, Any], bool], found: Any, value: str) -> bool:
    if isinstance(found, bool):
        return value.lower() in ("true", "false") and operator(found, value.lower() == "true")
    if not isinstance(found, int | float) or value != value.strip():
        return False
    try:
        return operator(float(found), float(value))
    except ValueError:
        return False


def _has(path: Path, found: Any, value: str) -> bool:
    if isinstance(found, str):
        return contains(_folded(found), _folded(value))
    return _by_type(eq, found, value)


def _matches(path: Path, found: Any, value: str) -> bool:
    return isinstance(found, str) and _expression(value).search(found) is not None


def _differs(path: Path, found: Any, value: str) -> bool:
    return isinstance(found, str) and _expression(value).search(found) is None


def _as_field(path: Path, text: str) -> Any:
    """A text as what its field is. Raises InvalidSpec for one that is none of it."""
    if path == ("severity",):
        if text.upper() not in _RANK:
            raise refused(f"a severity, not {text!r}")
        return _RANK[text.upper()]
    if path in (("timestamp",), ("receiveTimestamp",)):
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            raise refused(f"an instant such as 2026-01-31T12:00:00Z, not {text!r}") from None
        return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return _folded(text)


def _folded(text: str) -> str:
    """Without regard to case, and to how a character is put together (NFKC_CF)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


@lru_cache(64)
def _expression(text: str) -> re.Pattern[str]:
    """What RE2 means by an expression. Raises InvalidSpec for what is not known of it here."""
    flags = _FLAGS.match(text)
    at, groups, pieces = 0, 0, []
    if flags is not None:
        at = flags.end()
        pieces.append(f"(?a{flags[1]})")  # capitals of ASCII alone: beyond, RE2 knows other ones
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            raise refused(f"plain text and . | ( ) ^ $ in an expression at {text[at : at + 40]!r}")
        groups += piece[0].startswith("(")
        if groups > 1:
            raise refused(f"one pair of parentheses in an expression, not another at {at}")
        pieces.append(_ENDS if piece[0] == "$" else piece[0])
        at = piece.end()
    try:
        return re.compile("".join(pieces))
    except re.error as error:
        raise refused(f"an expression, but {text[:40]!r} is none: {error}") from None


#: Those whose value is an expression.
EXPRESSIONS = frozenset({"=~", "!~"})
OPERATORS: dict[str, Compares] = {
    "=": _by(eq),
    "!=": _by(ne),
    ">=": _by(ge),
    "<=": _by(le),
    ">": _by(gt),
    "<": _by(lt),
    ":": _has,
    "=~": _matches,
    "!~": _differs,
}
