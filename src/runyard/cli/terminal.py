"""Tables on a terminal, by Rich."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from runyard.cli.styles import STYLES


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints `rows`; the first column, a name that people copy, stays whole."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(headings):
        shown.add_column(heading, overflow="fold", no_wrap=number == 0)
    for row in rows:
        shown.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
    Console().print(shown)


_CHANGES = {"+": "green", "-": "red", "~": "yellow", "!": "bold red", "?": "magenta"}


def changes(lines: Sequence[str]) -> None:
    """Prints the lines of a plan, each in the colour of its sign."""
    console = Console(highlight=False)
    for line in lines:
        console.print(Text(line, style=_CHANGES.get(line.lstrip()[:1], "dim")), soft_wrap=True)
