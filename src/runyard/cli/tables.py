"""Tables: Rich's on a terminal (it respects NO_COLOR), plain columns that are never cut in a pipe.

A module of its own because Rich costs 20 ms of start, which not every command has to pay.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from runyard.cli import output
from runyard.cli.output import columns, printable
from runyard.cli.styles import STYLES


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "") -> None:
    """Rows under `headings`; `empty` is said instead when there is no row (on a terminal only).

    A cell that is one of `STYLES` gets its colour.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for line in columns([[heading.upper() for heading in headings], *cells]):
            output.line(line)
        return
    if not cells and empty:
        output.line(empty)
        return
    _print_rich(headings, cells)


def _print_rich(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(headings):
        # The first column names the row: it has to stay whole to be copied.
        shown.add_column(heading.upper(), overflow="fold", no_wrap=number == 0)
    for row in rows:
        shown.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
    Console().print(shown)
