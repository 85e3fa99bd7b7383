"""Every `--help` as text. `python -m tests.support.help_pages` writes the snapshots anew."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from cyclopts import App
from rich.console import Console

from runyard.cli.main import app

SNAPSHOTS = Path(__file__).parent.parent / "integration" / "snapshots"
_WIDTH = 100


def commands() -> list[tuple[str, ...]]:
    """Every command as the words that a person types after `runyard`."""
    return [(), *_below(app, ())]


def page(words: tuple[str, ...]) -> str:
    """What `runyard … --help` prints, 100 characters wide."""
    text = io.StringIO()
    app.help_print(list(words), console=Console(file=text, width=_WIDTH, color_system=None))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def snapshot(words: tuple[str, ...]) -> Path:
    """The file that holds the page of a command."""
    return SNAPSHOTS / f"{'-'.join(('runyard', *words))}.txt"


def _below(parent: App, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name in parent:
        if not name.startswith("-"):
            yield (*words, name)
            yield from _below(parent[name], (*words, name))


def write() -> None:
    """Writes every snapshot, and removes those of commands that are no more."""
    wanted = {snapshot(words): page(words) for words in commands()}
    for file in SNAPSHOTS.glob("*.txt"):
        if file not in wanted:
            file.unlink()
    for file, text in wanted.items():
        file.write_text(text)


if __name__ == "__main__":
    write()
