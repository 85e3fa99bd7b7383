"""What is kept of the lines that a task wrote last, as evidence of how it failed. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable

from runyard.model.outcome import LAST_CHARACTERS_MAX, LAST_LINE_CHARACTERS_MAX, LAST_LINES_KEPT

#: How much of a line that is too long is its end.
LINE_END_CHARACTERS = 200
CUT = " … "  #: what stands for the middle of such a line
_LAST_WORD, _FIRST_WORD = re.compile(r"\w+\Z"), re.compile(r"\A\w+")


def kept(newest_first: Iterable[str]) -> tuple[str, ...]:
    """As many of the last of a task's lines as fit together, shortened; oldest first."""
    found: deque[str] = deque()
    characters = 0
    for line in newest_first:
        short = shortened(line)
        characters += len(short)
        if characters > LAST_CHARACTERS_MAX:
            break
        found.appendleft(short)
        if len(found) == LAST_LINES_KEPT:
            break
    return tuple(found)


def shortened(line: str) -> str:
    """Begin and end of a line that is too long: what went wrong stands in one of them, and an
    address or an answer between them. No word or number is halved, which would be another one."""
    if len(line) <= LAST_LINE_CHARACTERS_MAX:
        return line
    begin = line[: LAST_LINE_CHARACTERS_MAX - len(CUT) - LINE_END_CHARACTERS]
    end = line[-LINE_END_CHARACTERS:]
    return (_LAST_WORD.sub("", begin) or begin) + CUT + (_FIRST_WORD.sub("", end) or end)
