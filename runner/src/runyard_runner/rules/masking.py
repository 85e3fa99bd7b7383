"""Secrets are replaced by `***` before anything is logged, answered or mailed.

Two ways: by value (what was filled in from the environment, keys and passwords of the settings)
and by name (headers, parameters and fields that are called like a secret).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

import orjson

MASK = "***"
#: Shorter values would mask half of every text, and are no secrets.
_LENGTH_MIN = 6

_NAMES = re.compile(
    r"auth|cookie|credential|key|passw|pwd|secret|session|signature|\bsig\b|token", re.IGNORECASE
)
_USER = re.compile(r"(?<=://)[^/?#@\s]+(?=@)")
_PARAMETER = re.compile(r"([?&;])([^=&#\s]+)=([^&#\s]*)")


class Mask:
    """Knows the values that nobody may see."""

    def __init__(self, values: Iterable[str]) -> None:
        self._texts: list[str] = []
        self._bytes: list[bytes] = []
        for value in values:
            self.add(value)

    def add(self, value: str) -> None:
        """Mask this one too, in every form it may be written in."""
        if len(value) >= _LENGTH_MIN and value not in self._texts:
            escaped = orjson.dumps(value).decode()[1:-1]
            forms = {value, escaped, quote(value, safe=""), quote_plus(value)}
            # the longest first, so that a value inside another one leaves nothing of it
            self._texts = sorted({*self._texts, *forms}, key=len, reverse=True)
            self._bytes = [each.encode() for each in self._texts]

    def text(self, text: str) -> str:
        """`text` without any of the values."""
        for value in self._texts:
            if value in text:
                text = text.replace(value, MASK)
        return text

    def content(self, content: bytes) -> bytes:
        """The same for bytes that came from elsewhere."""
        for value in self._bytes:
            if value in content:
                content = content.replace(value, MASK.encode())
        return content

    def url(self, url: str) -> str:
        """A URL without users, passwords, and parameters that are called like a secret."""
        if "@" in url:
            url = _USER.sub(MASK, url)
        if "=" in url:
            url = _PARAMETER.sub(_masked_parameter, url)
        return self.text(url)

    def named(self, value: Any, name: str = "") -> Any:
        """`value` with everything masked that stands under a name like that of a secret."""
        if isinstance(value, dict):
            return {key: self.named(each, str(key)) for key, each in value.items()}
        if isinstance(value, list):
            return [self.named(each, name) for each in value]
        if sounds_secret(name) and not _is_reference(value):
            return MASK
        if isinstance(value, str):
            return self.url(value) if "://" in value else self.text(value)
        return value


def sounds_secret(name: str) -> bool:
    """Whether something of that name is a secret."""
    return _NAMES.search(name) is not None


def _masked_parameter(found: re.Match[str]) -> str:
    begin, name, value = found.groups()
    masked = MASK if sounds_secret(name) and not _is_reference(value) else value
    return f"{begin}{name}={masked}"


def _is_reference(value: Any) -> bool:
    """`Bearer ${TOKEN}` names its secret and does not tell it."""
    return isinstance(value, str) and re.fullmatch(r"(\w+ )?\$\{\w+\}", value) is not None
