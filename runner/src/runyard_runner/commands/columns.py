"""Tables for people: columns as wide as need be, never cut, headings in capitals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def columns(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table; the last column is not filled up."""
    cells = [[heading.upper() for heading in headings], *(list(row) for row in rows)]
    widths = [max(len(row[number]) for row in cells) for number in range(len(headings))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
