"""Secret values are taken out of a stream of bytes before anything reaches a disk.

Of every secret these spellings are found, wherever the reads happen to cut the stream: the value;
each of its lines of LINE_CHARS_MIN characters or more; both as they stand inside a JSON string;
percent-encoded; and base64 (both alphabets, at each of the three offsets it can have inside a
longer encoded text). What is found becomes `[redacted:NAME]`.

Other codings (hex, compression, a value printed one character a line) are not seen.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable

LINE_CHARS_MIN = 4  #: shorter lines of a multi-line value are too common to be blanked
_BASE64_CHARS_MIN = 6  #: a shorter stable part of a base64 text says nothing
_PROBE = 4
_URL_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
_NAME_ODD = re.compile(r"[^A-Za-z0-9_.\-]")


class Redactor:
    """Feed it what was read; it answers with what may be written. One for each stream."""

    __slots__ = ("_held", "_longest", "_marks", "_pattern", "_spellings")

    def __init__(self, marks: dict[bytes, bytes]) -> None:
        """`marks` is what `spellings` made: spelling to replacement."""
        self._marks = marks
        self._spellings = sorted(marks, key=len, reverse=True)
        self._longest = len(self._spellings[0])
        self._pattern = re.compile(b"|".join(re.escape(each) for each in self._spellings))
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What of all data so far is safe to write now; the rest is held back."""
        data = self._held + data
        keep = self._held_back_from(data)
        present = any(each in data for each in self._spellings)
        if present:
            for match in self._pattern.finditer(data):
                if match.start() < keep < match.end():
                    keep = match.start()
        self._held = data[keep:]
        safe = data[:keep]
        return self._pattern.sub(self._mark, safe) if present else safe

    def finish(self) -> bytes:
        """What was still held back."""
        rest, self._held = self._held, b""
        return self._pattern.sub(self._mark, rest)

    def clean(self, text: str) -> str:
        """`text` without secrets, whole."""
        return self._pattern.sub(self._mark, text.encode("utf-8", "replace")).decode(
            "utf-8", "replace"
        )

    def _mark(self, match: re.Match[bytes]) -> bytes:
        return self._marks[match.group()]

    def _held_back_from(self, data: bytes) -> int:
        """Where the longest end of `data` begins that a spelling may begin with."""
        first = len(data)
        tail_at = max(0, len(data) - self._longest + 1)
        for spelling in self._spellings:
            at = _open_end(data, max(tail_at, len(data) - len(spelling) + 1), spelling)
            first = min(first, at)
        return first


def _open_end(data: bytes, begin: int, spelling: bytes) -> int:
    """The first place from `begin` on from where `data` ends inside `spelling`."""
    end = len(data)
    probe = spelling[:_PROBE]
    at = data.find(probe, begin)
    while at >= 0:
        if spelling.startswith(data[at:]):
            return at
        at = data.find(probe, at + 1)
    for at in range(max(begin, end - _PROBE + 1), end):
        if spelling.startswith(data[at:]):
            return at
    return end


def spellings(secrets: Iterable[tuple[str, str]]) -> dict[bytes, bytes]:
    """Every spelling to be found, with what it becomes. Blank values say nothing and are left."""
    marks: dict[bytes, bytes] = {}
    for name, value in secrets:
        mark = f"[redacted:{_NAME_ODD.sub('_', name)}]".encode()
        for spelling in _spellings_of(value):
            marks.setdefault(spelling, mark)
    return marks


def _spellings_of(value: str) -> set[bytes]:
    parts = {value, value.strip()}
    parts.update(line for line in value.splitlines() if len(line) >= LINE_CHARS_MIN)
    parts.update(line.strip() for line in value.splitlines() if len(line.strip()) >= LINE_CHARS_MIN)
    found: set[bytes] = set()
    for part in filter(str.strip, parts):
        plain = part.encode("utf-8", "surrogateescape")
        found.add(plain)
        found.add(json.dumps(part)[1:-1].encode())
        found.add(json.dumps(part, ensure_ascii=False)[1:-1].encode("utf-8", "surrogateescape"))
        found.add(json.dumps(part)[1:-1].replace("/", "\\/").encode())
        found.add(b"".join(bytes((c,)) if c in _URL_PLAIN else b"%%%02X" % c for c in plain))
        found.update(_base64_of(plain))
    return found


def _base64_of(plain: bytes) -> set[bytes]:
    """The characters that stand in every base64 text of something that holds `plain`."""
    whole = base64.b64encode(plain).rstrip(b"=")
    stable = {whole}
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + plain).rstrip(b"=")
        first = -(-offset * 8 // 6)
        last = (offset + len(plain)) * 8 // 6
        if last - first >= _BASE64_CHARS_MIN:
            stable.add(text[first:last])
    if len(whole) < _BASE64_CHARS_MIN:
        stable.discard(whole)
    return stable | {each.replace(b"+", b"-").replace(b"/", b"_") for each in stable}
