"""What any text must contain that a regular expression is found in. Pure.

Most expressions that people search logs by have a piece of plain text in them, and plain text is
found a hundred times as fast, on this machine as elsewhere. Standard library only, and careful:
where it is not sure, it says that there is no such piece.
"""

from __future__ import annotations

import re

LITERAL_MIN = 3  #: characters: shorter ones are in nearly every line, and finding them costs more
ALTERNATIVES_MAX = 8  #: more pieces of text cost more, one after the other, than the expression
_FOLDED = "(?i)"
_QUANTIFIERS = "*?{"  #: of these the piece before may be missing
_BOUNDARIES = ".^$+|"
# Groups, named or not, and what looks around are understood; flags and conditions are not.
_UNKNOWN = re.compile(r"\(\?(?!:|P<|=|!|<=|<!)")
_OPENING = re.compile(r"\((?:\?(?::|P<\w+>))?")
_LOOKS = ("(?=", "(?!", "(?<")
_ESCAPE = re.compile(r"\\(?:x..|u.{4}|U.{8}|N\{[^}]*\}|\d{1,3}|.|$)", re.DOTALL)


def literals_of(pattern: str) -> tuple[str, ...]:
    """Pieces of plain text of which one must be in whatever `pattern` (of Python's `re`) is found
    in: the most telling of each of its alternatives. Empty when one has none that is easy to see.
    """
    if _UNKNOWN.search(pattern):
        return ()
    best: tuple[str, ...] = ()
    piece, found, place = "", [], 0
    while place < len(pattern):
        taken, literals = _token(pattern, place)
        ends = pattern[place] == "|"
        after = pattern[place + taken : place + taken + 1]
        may_miss = after != "" and after in _QUANTIFIERS
        if pattern[place] != "(" and literals and not may_miss:
            piece += literals[0]
        else:
            best, piece = _better(best, (piece,)), ""
            best = best if may_miss else _better(best, literals)
        if ends:
            found.append(best)
            best = ()
        place += taken
    found.append(_better(best, (piece,)))
    return tuple(one for literals in found for one in literals) if all(found) else ()


def telling(pattern: str) -> tuple[str, ...]:
    """Literals of an expression that are worth looking for; empty when there are none."""
    literals = literals_of(pattern)
    few = 0 < len(literals) <= ALTERNATIVES_MAX
    return literals if few and min(map(len, literals)) >= LITERAL_MIN else ()


def folded(pattern: str) -> tuple[str, ...]:
    """Literals of an expression that takes capitals for small letters (`(?i)`), where they are
    ASCII: whatever it is found in has one of them, capitals or not, but for what is said by
    https://docs.python.org/3/library/re.html#re.IGNORECASE of i, k and s."""
    literals = telling(pattern.removeprefix(_FOLDED)) if pattern.startswith(_FOLDED) else ()
    return literals if all(map(str.isascii, literals)) else ()


def _better(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """Those that are the quicker to find: few and, as far as it is known, rare."""
    return max(first, second, key=_worth)


def _worth(literals: tuple[str, ...]) -> tuple[bool, float]:
    shortest = min(map(len, literals), default=0)
    return shortest >= LITERAL_MIN, shortest / max(1, len(literals))


def _token(pattern: str, place: int) -> tuple[int, tuple[str, ...]]:
    """How long the token at `place` is, and the plain texts of which it has one (none: unknown)."""
    character = pattern[place]
    if character == "\\":
        escape = _ESCAPE.match(pattern, place)
        escaped = "" if escape is None else escape[0][1:]
        return 1 + len(escaped), () if escaped[:1].isalnum() else (escaped,)
    if character == "[":
        return _class_length(pattern, place), ()
    if character == "(":
        length = _group_length(pattern, place)
        return length, _literals_of_group(pattern[place : place + length])
    if character == "{":
        return pattern.find("}", place) - place + 1 if "}" in pattern[place:] else 1, ()
    return 1, () if character in _QUANTIFIERS + _BOUNDARIES else (character,)


def _literals_of_group(group: str) -> tuple[str, ...]:
    opening = _OPENING.match(group)
    if opening is None or group.startswith(_LOOKS):
        return ()
    return literals_of(group[opening.end() : -1])


def _class_length(pattern: str, start: int) -> int:
    """`[…]`: a `]` that stands first is one of its characters."""
    place = start + 1
    place += pattern[place : place + 1] == "^"
    place += pattern[place : place + 1] == "]"
    while place < len(pattern) and pattern[place] != "]":
        place += 2 if pattern[place] == "\\" else 1
    return place + 1 - start


def _group_length(pattern: str, start: int) -> int:
    """`(…)` with all that is in it."""
    place, depth = start + 1, 1
    while place < len(pattern) and depth:
        character = pattern[place]
        if character == "[":
            place += _class_length(pattern, place)
            continue
        depth += (character == "(") - (character == ")")
        place += 2 if character == "\\" else 1
    return place - start
