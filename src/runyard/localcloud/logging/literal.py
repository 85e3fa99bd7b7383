"""What each entry of a log file must contain whose text an expression is found in, for expressions
that are found at the beginning of texts alone. Standard library only, and careful: where it is not
sure, it says that there is no such thing.
"""

from __future__ import annotations

import re

#: Alternatives, ends, flags and what looks around, characters by name, what gives nothing back; and
#: what a newline may be: with `*` behind it, it would reach through all lines, from each of them.
_UNSURE = re.compile(r"[|$]|\(\?|\\[AZBNuUx]|[*+?}]\+|\[\^|\\[DSW]|\\[abfnrtv0-9]-")


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
