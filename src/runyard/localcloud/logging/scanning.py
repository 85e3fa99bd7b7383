"""Looks through a part of a log file for entries that are wanted, a block at a time.

Memory is bounded by a block and the entries found. As a program of its own it does what stands on
its standard input, since an expression may be slow, and a process can be ended. Standard library
only, so that it is there in some ten milliseconds.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from typing import AnyStr, NamedTuple

from runyard.localcloud.logging.wanted import Matcher, Wanted

BLOCK_BYTES = 2**20  #: read together: what the cache of a core holds
LINE_BYTES_MAX = 2**23  #: what is longer without a newline is no line of ours
_TEXT = b'"m":"'
# The text of each line: nothing before it has such a key, and what is behind it is passed over.
# Where a line is torn, the next quote is not followed like this, so no line is taken for its end.
_PLAIN = re.compile(rb'"m":"([^"]*)"[,}].*')  # of a block that is ASCII without escapes
_BYTES = re.compile(rb'"m":"(?:([^"\\\x80-\xff]*)"[,}]|).*')  # empty where a text is not like that
_WORDS = re.compile(r'"m":"(?:([^"\\]*)"[,}]|).*')  # empty where a text has escapes
_DECODER = json.JSONDecoder()
_ESCAPE = re.compile(rb"\\")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")

Hit = tuple[int, bytes]  #: where the line ends, and the line


def scan(path: str, start: int, end: int, matcher: Matcher, limit: int) -> list[Hit]:
    """The last `limit` wanted lines among those that begin at `start` or later and before `end`.

    A file that is gone is an empty one.
    """
    found: list[Hit] = []
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return found
    try:
        os.posix_fadvise(descriptor, start, end - start, os.POSIX_FADV_SEQUENTIAL)
        buffer = bytearray(BLOCK_BYTES)
        for position, size in _blocks(descriptor, buffer, _line_at(descriptor, start), end):
            new = []
            for stop, line in _wanted_lines(buffer, size, matcher):
                new.append((position + stop + 1, line))
                if len(new) == limit:
                    break
            found = (found + new[::-1])[-limit:]
    finally:
        os.close(descriptor)
    return found


def _line_at(descriptor: int, start: int) -> int:
    """Where the first line begins that begins at `start` or later."""
    position = start - 1
    while position >= 0:
        chunk = os.pread(descriptor, 2**16, position)
        newline = chunk.find(b"\n")
        if newline >= 0:
            return position + newline + 1
        if not chunk:
            break
        position += len(chunk)
    return max(0, position)


def _blocks(descriptor: int, buffer: bytearray, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Whole lines, up to the last that begins before `end`: where they begin in the file, and how
    many bytes of the buffer they are."""
    position, held = start, 0
    os.lseek(descriptor, start, os.SEEK_SET)
    while position < end:
        with memoryview(buffer) as view, view[held:] as room:
            read = os.readv(descriptor, [room])
        if not read:
            return
        filled = held + read
        last = position + filled > end
        if last:  # the line that goes on at the byte before `end` is the last of ours
            whole = buffer.find(b"\n", max(0, end - position - 1), filled) + 1
        else:
            whole = buffer.rfind(b"\n", 0, filled) + 1
        if whole:
            yield position, whole
            if last:
                return
            buffer[: filled - whole] = buffer[whole:filled]
            position, held = position + whole, filled - whole
        elif filled < len(buffer):
            held = filled
        elif filled >= LINE_BYTES_MAX:
            position, held = position + filled, 0
        else:
            buffer.extend(bytes(len(buffer)))
            held = filled


def _wanted_lines(buffer: bytearray, size: int, matcher: Matcher) -> Iterator[tuple[int, bytes]]:
    """Wanted lines of a block, the last first, each with where its newline is."""
    likely = _likely(buffer, size, matcher)
    if likely is not None:
        for start, stop in reversed(likely):
            line = bytes(buffer[start:stop])
            if _may_match(line, matcher) and matcher.matches(line):
                yield stop, line
        return
    found = _found_in(buffer, size, matcher)
    if found is not None and not found.lines:
        return
    lines = bytes(buffer[: size - 1]).split(b"\n")
    aligned = found is not None and found.texts == len(lines)  # no torn line is among them
    stop = size - 1
    for place in range(len(lines) - 1, -1, -1):
        line = lines[place]
        asked = found is None or not aligned or place in found.lines
        if asked and _may_match(line, matcher) and matcher.matches(line):
            yield stop, line
        stop -= len(line) + 1


class _FoundIn(NamedTuple):
    """How many texts a block has, and in which of them (by number) an expression may be found."""

    texts: int
    lines: set[int]


def _found_in(buffer: bytearray, size: int, matcher: Matcher) -> _FoundIn | None:
    """In which texts the expression is found, as they lie in the file, and which of them have to be
    looked at one by one; None when there is no expression."""
    if matcher.pattern is None:
        return None
    if matcher.bytes_pattern is None:
        words = _WORDS.findall(buffer[:size].decode("utf-8", "replace"))
        return _numbers(words, matcher.pattern, plain=False)
    plain = b"\\" not in buffer and buffer.isascii()
    texts = (_PLAIN if plain else _BYTES).findall(buffer, 0, size)
    return _numbers(texts, matcher.bytes_pattern, plain)


def _numbers(texts: list[AnyStr], pattern: re.Pattern[AnyStr], plain: bool) -> _FoundIn:
    lines = {place for place, hit in enumerate(map(pattern.search, texts)) if hit}
    if not plain:
        lines.update(place for place, text in enumerate(texts) if not text)
    return _FoundIn(len(texts), lines)


def spans(data: bytes | bytearray, size: int, matcher: Matcher) -> list[tuple[int, int]]:
    """From where to where the lines go that have what every wanted line has one of."""
    within, needles = matcher.looked_for(data)
    found = []
    for needle in needles:
        at = within.find(needle, 0, size)
        while at >= 0:
            stop = data.find(b"\n", at, size)
            found.append((data.rfind(b"\n", 0, at) + 1, stop))
            at = within.find(needle, stop, size)
    return sorted(set(found)) if len(needles) > 1 else found


def _likely(data: bytearray, size: int, matcher: Matcher) -> list[tuple[int, int]] | None:
    """From where to where the lines go that may be wanted; None where each of them may be."""
    if matcher.driver:
        return spans(data, size, matcher)
    if matcher.opening_pattern is not None:
        return _opened(data, size, matcher.opening_pattern)
    return None


def _opened(data: bytearray, size: int, opening: re.Pattern[bytes]) -> list[tuple[int, int]]:
    """From where to where the lines go in which it is found, and those whose texts do not lie in
    the file as they are."""
    found: set[tuple[int, int]] = set()
    for pattern in (opening, _ESCAPE) if data.isascii() else (opening, _ESCAPE, _NOT_ASCII):
        hit = pattern.search(data, 0, size)
        while hit is not None:
            stop = data.find(b"\n", hit.start(), size)
            found.add((data.rfind(b"\n", 0, hit.start()) + 1, stop))
            hit = pattern.search(data, stop, size)
    return sorted(found)


def _may_match(line: bytes, matcher: Matcher) -> bool:
    """False for a line in whose text the expression is not found."""
    if matcher.pattern is None:
        return True
    start = line.find(_TEXT) + len(_TEXT)
    if matcher.bytes_pattern is not None and b"\\" not in line and line.isascii():
        return matcher.bytes_pattern.search(line[start : line.find(b'"', start)]) is not None
    try:  # five times as fast as the whole line
        text, _ = _DECODER.raw_decode(line[start - 1 :].decode("utf-8", "replace"))
    except ValueError:  # it is torn
        return False
    return matcher.pattern.search(str(text)) is not None


def main() -> None:
    """Does what a line of JSON says: `wanted`, `limit`, `units` ([number, path, start, end]); says
    of each unit in turn [number, [[end, line] …]]."""
    order = json.loads(sys.stdin.buffer.read())
    matcher = Matcher(Wanted.from_json(order["wanted"]))
    for number, path, start, end in order["units"]:
        hits = scan(path, start, end, matcher, order["limit"])
        told = [(stop, line.decode("utf-8", "replace")) for stop, line in hits]
        sys.stdout.write(json.dumps((number, told)) + "\n")
        sys.stdout.flush()
