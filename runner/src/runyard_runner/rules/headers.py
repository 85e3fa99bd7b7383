"""What may stand in a header that is sent: nothing that ends a line, nothing that is not the
caller's to say."""

from __future__ import annotations

import re

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
#: A character that would end the line, or begin something else: header injection.
_BAD = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
#: They say where a message ends, or belong to the connection: who could set them could hide one
#: request in another.
_OURS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def name_fault(name: str) -> str | None:
    """What is wrong with the name of a header: what was expected instead, or None."""
    if _NAME.fullmatch(name) is None:
        return "the name of a header (letters, digits, hyphens)"
    if name.lower() in _OURS:
        return "a header that a request may set (the runner sets this one)"
    return None


def value_fault(value: str) -> str | None:
    """What is wrong with the value of a header: what was expected instead, or None."""
    if _BAD.search(value):
        return "a header's value on one line, without control characters"
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return "a header's value in Latin-1"
    return None
