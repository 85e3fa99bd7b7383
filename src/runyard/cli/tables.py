"""Tables: Rich's on a terminal (it respects NO_COLOR), plain columns, never cut, in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from runyard.cli import output
from runyard.cli.output import columns, printable


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "") -> None:
    """Rows under `headings`; `empty` is said instead when there is no row (on a terminal only).

    A cell that is one of `styles.STYLES` gets its colour.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    shouted = [heading.upper() for heading in headings]
    if not sys.stdout.isatty():
        for line in columns([shouted, *cells]):
            output.line(line)
    elif not cells and empty:
        output.line(empty)
    else:
        # By name, as commands are: a pipe and `--json` do not wait 20 ms for Rich.
        import_module("runyard.cli.terminal").table(shouted, cells)
