"""What any text must contain that a regular expression is found in.

Most expressions that people search logs by have a piece of plain text in them, and plain text is
found a hundred times as fast. Standard library only, and careful: where it is not sure, it says
that there is no such piece.
"""

from __future__ import annotations

import re

#: Alternatives, ends, flags and what looks around, characters by name, what gives nothing back.
_UNSURE = re.compile(r"[|$]|\(\?|\\[AZBNuUx]|[*+?}]\+")
_QUANTIFIERS = "*?{"  #: of these the piece before may be missing
_BOUNDARIES = ".^$+|"


def literals_of(pattern: str) -> tuple[str, ...]:
    """Pieces of plain text of which one must be in whatever `pattern` (of Python's `re`) is found
    in: the longest of each of its alternatives. Empty when one has none that is easy to see."""
    if "(?" in pattern:  # flags, conditions, what looks around
        return ()
    longest, piece, found = "", "", []
    place = 0
    while place < len(pattern):
        taken, plain = _token(pattern, place)
        ends = pattern[place] == "|"
        place += taken
        after = pattern[place : place + 1]
        if plain and not (after and after in _QUANTIFIERS):
            piece += plain
            continue
        longest, piece = max(longest, piece, key=len), ""
        if ends:
            found.append(longest)
            longest = ""
    found.append(max(longest, piece, key=len))
    return tuple(found) if all(found) else ()


def opening_of(pattern: str) -> re.Pattern[bytes] | None:
    """For an expression that is found at the beginning of a text or nowhere: one that is found in
    the bytes of each entry whose text it is found in (unless that has escapes, or is not ASCII),
    and perhaps in others. None where that is not easy to see.

    It may reach beyond the text, which only makes it be found too often: what it is found in within
    the text it is found in. That does not hold for what looks at the end, or gives nothing back.
    """
    plain = pattern.replace("(?:", "(")
    if not pattern.startswith("^") or not pattern.isascii() or _UNSURE.search(plain):
        return None
    try:
        return re.compile(b'"m":"(?:%b)' % pattern[1:].encode())
    except re.error:
        return None


def _token(pattern: str, place: int) -> tuple[int, str]:
    """How long the token at `place` is, and the plain text it stands for (empty: it is none)."""
    character = pattern[place]
    if character == "\\":
        escaped = pattern[place + 1 : place + 2]
        return 2, "" if escaped.isalnum() else escaped
    if character == "[":
        return _class_length(pattern, place), ""
    if character == "(":
        return _group_length(pattern, place), ""
    if character == "{":
        return pattern.find("}", place) - place + 1 if "}" in pattern[place:] else 1, ""
    return 1, "" if character in _QUANTIFIERS + _BOUNDARIES else character


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
