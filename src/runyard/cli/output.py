"""What a command prints: one JSON document, or lines for people (tables are in `tables.py`).

stdout carries results, stderr everything else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any


def document(value: Any) -> None:
    """One JSON document: indented for a person, on one line in a pipe."""
    indent = 2 if sys.stdout.isatty() else None
    line(json.dumps(value, indent=indent, ensure_ascii=False))


def json_line(value: Any) -> None:
    """One line of a JSON stream, written at once."""
    line(json.dumps(value, ensure_ascii=False), at_once=True)


def line(text: str = "", *, at_once: bool = False) -> None:
    """A line of the result. `at_once`: it does not wait in a buffer for more of them."""
    sys.stdout.write(text + "\n")
    if at_once:
        sys.stdout.flush()


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
