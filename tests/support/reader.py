"""A reader of a document: does all that it says, in a home of its own, and compares.

`python -m tests.support.reader docs/guides/x.md` writes what is really printed into a document,
below every command whose output does not fit any more. Look at it before you keep it: what differs
from run to run wants a `...`.
"""

from __future__ import annotations

import difflib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.console import Command, File, Shell, alike, fits, steps, write
from tests.support.no_google import NO_GOOGLE
from tests.support.tree import ROOT

#: Where a document's commands are run: the project, its own folder, or an empty one.
_IN_PROJECT = {"README.md", "examples/README.md"}
_PROGRAMS = Path(sys.executable).parent


@contextmanager
def shell(document: Path, home: Path) -> Iterator[Shell]:
    """A shell for `document`; the server it may have started is down when the block ends."""
    environment = {
        "HOME": str(home),
        "PATH": f"{_PROGRAMS}:/usr/local/bin:/usr/bin:/bin",
        "RUNYARD_PORT": "0",
        "COLUMNS": "100",
        "TERM": "dumb",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        **NO_GOOGLE,
        # What is installed is what is tested; nothing is installed by a test.
        "MAKEFLAGS": "-o .venv/.runtime -o examples/flights/flights.csv.zip",
    }
    with Shell(_folder(document, home), environment) as opened:
        if document.parent.parent == ROOT / "examples":
            opened.run("runyard up -d")
        try:
            yield opened
        finally:
            opened.run("unset RUNYARD_STATE_FOLDER; runyard down --stop-runs")


def _folder(document: Path, home: Path) -> Path:
    name = str(document.relative_to(ROOT))
    if name in _IN_PROJECT:
        return ROOT
    if name.startswith("examples/"):
        return document.parent
    folder = home / "jobs"
    folder.mkdir(exist_ok=True)
    return folder


def faults(document: Path, home: Path) -> list[str]:
    """What does not go as `document` says; empty when all does."""
    found: list[str] = []

    def compare(command: Command, status: int, printed: str, may_fail: bool) -> None:
        where = f"{document.relative_to(ROOT)}:{command.line}: $ {command.text}"
        if status and not may_fail:
            found.append(f"{where}\nended with {status}:\n{printed}")
        elif not fits(command, printed):
            lines = difflib.ndiff(alike(command.expected), alike(printed))
            found.append("\n".join([where, *lines]))

    follow(document, home, compare)
    return found


def follow(document: Path, home: Path, each: Callable[[Command, int, str, bool], None]) -> None:
    """Does what `document` says; `each` is told a command, its status, what it printed, and
    whether it may fail."""
    todo = list(steps(document.read_text()))
    with shell(document, home) as opened:
        for number, step in enumerate(todo):
            if isinstance(step, File):
                write(opened.folder, step)
                continue
            status, printed = opened.run(step.text)
            following = todo[number + 1] if number + 1 < len(todo) else None
            asked = isinstance(following, Command) and following.text.startswith("echo $?")
            each(step, status, printed, asked)


def rewrite(document: Path) -> None:
    """Writes what is printed into `document` where it does not fit."""
    new: dict[int, tuple[Command, str]] = {}

    def note(command: Command, status: int, printed: str, may_fail: bool) -> None:
        if not fits(command, printed):
            new[command.line] = (command, printed)

    with tempfile.TemporaryDirectory() as home:
        follow(document, Path(home), note)
    lines = document.read_text().splitlines()
    for line in sorted(new, reverse=True):
        command, printed = new[line]
        first = line - 1 + command.text.count("\n") + 1
        last = first + len(command.expected.splitlines())
        lines[first:last] = [each.rstrip() for each in printed.strip("\n").splitlines()]
    document.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    os.umask(0o022)
    for name in sys.argv[1:]:
        rewrite(Path(name).resolve())
