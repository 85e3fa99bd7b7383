"""What must not leave the house in a file that people send around. Pure.

Logs come here with the values of secrets taken out already, where they were known. This takes out,
besides, every value of a variable, and what looks like a secret in texts: passwords in URLs, and
what stands behind a name such as `password` or `token`. It errs on the side of taking out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

REDACTED = "[redacted]"
_NAME = r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"
_NAME += r"|credential|authorization|cookie|signature)"
_FLAG = re.compile(rf"^--?[\w-]{{0,60}}{_NAME}[\w-]{{0,20}}$", re.IGNORECASE)
_SAID = re.compile(
    rf"([\"']?[\w-]{{0,60}}{_NAME}[\w-]{{0,20}}[\"']?\s{{0,3}}[=:]\s{{0,3}})"
    r"(?:(?:bearer|basic)\s+)?(\"[^\"]*\"|'[^']*'|[^\s,;&\"']+)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_USER = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://)[^\s/@\"']{1,200}@")
_JWT = re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*")
_KEYS = frozenset({"value", "values"})


def text(said: str) -> str:
    """`said` without what looks like a secret."""
    said = _USER.sub(rf"\1{REDACTED}@", said)
    said = _SAID.sub(rf"\1{REDACTED}", said)
    said = _BEARER.sub(rf"\1 {REDACTED}", said)
    return _JWT.sub(REDACTED, said)


def arguments(said: Sequence[str]) -> list[str]:
    """The same of a command's arguments: also of the one that follows `--password`."""
    found: list[str] = []
    hidden = False
    for one in said:
        found.append(REDACTED if hidden else text(one))
        hidden = not hidden and _FLAG.match(one) is not None
    return found


def document(value: Any) -> Any:
    """A JSON document without values of variables (`env`), and without what looks like a secret."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return {key: _field(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [document(each) for each in value]
    return value


def _field(key: str, value: Any) -> Any:
    if key in ("args", "command") and isinstance(value, list | tuple):
        return arguments([str(each) for each in value])
    if key == "env":
        return _variables(value)
    return document(value)


def _variables(value: Any) -> Any:
    """The names; where a secret is read, which."""
    if isinstance(value, Mapping):
        return dict.fromkeys(map(str, value), REDACTED)
    if not isinstance(value, list | tuple):
        return value
    return [
        {key: REDACTED if key in _KEYS else document(inner) for key, inner in one.items()}
        if isinstance(one, Mapping)
        else REDACTED
        for one in value
    ]
