"""What a command prints: one JSON document, or lines for people (tables are in `tables.py`).

stdout carries results, stderr everything else. What a stream cannot say in its encoding is
written as an escape; a result that cannot be written at all raises `OutputLost`.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from runyard.model.errors import OutputLost

# What JSON may hold as it is and a terminal takes for orders, or no UTF-8 has: C1 controls, marks
# that turn the direction of a text, halves of characters.
_UNSEEN = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_STREAMS = (("stdin", os.O_RDONLY), ("stdout", os.O_WRONLY), ("stderr", os.O_WRONLY))


def open_streams() -> None:
    """Opens what we were started without: else the next file or socket would take its number, and
    be written to in its place. Has streams write escapes for what their encoding does not have."""
    for number, (name, flags) in enumerate(_STREAMS):
        if getattr(sys, name) is not None:
            continue
        opened = os.open(os.devnull, flags)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)
        os.set_inheritable(number, True)
        setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def document(value: Any) -> None:
    """One JSON document: indented for a person, on one line in a pipe."""
    indent = 2 if sys.stdout.isatty() else None
    line(_json(value, indent))


def json_line(value: Any) -> None:
    """One line of a JSON stream, written at once."""
    line(_json(value), at_once=True)


def _json(value: Any, indent: int | None = None) -> str:
    is_ascii = (sys.stdout.encoding or "utf-8").lower() not in ("utf-8", "utf8")
    text = json.dumps(value, indent=indent, ensure_ascii=is_ascii)
    return _UNSEEN.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def line(text: str = "", *, at_once: bool = False) -> None:
    """A line of the result. `at_once`: it does not wait in a buffer for more of them."""
    try:
        sys.stdout.write(text + "\n")
        if at_once:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _lost(error) from error


def flush() -> None:
    """Everything that was printed is written, or `OutputLost`."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _lost(error) from error


def _lost(error: OSError) -> OutputLost:
    return OutputLost(
        f"the output cannot be written: {error.strerror}",
        hint="what was asked for is done; see that there is room where the output goes",
    )


def note(text: str) -> None:
    """A line beside the result."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def pairs(rows: Iterable[tuple[str, Any]]) -> None:
    """Names and values, one a line; empty values are left out."""
    shown = [[f"{name}:", printable(value)] for name, value in rows if value not in ("", None)]
    for row in columns(shown):
        line(row)


def printable(value: Any) -> str:
    """`value` as text that cannot move the cursor: control characters are shown escaped."""
    text = "" if value is None else str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines of aligned columns, never cut."""
    if not rows:
        return []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
