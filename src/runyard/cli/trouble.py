"""A command line that cannot be carried out: a slip of the finger, or a fault of our own."""

from __future__ import annotations

import difflib
import tempfile
import traceback

from cyclopts import App, CycloptsError, UnknownCommandError, UnusedCliTokensError

from runyard.cli import report
from runyard.model.codes import exit_status
from runyard.model.errors import Code


def misused(error: CycloptsError, app: App, *, as_json: bool) -> int:
    """Tells what was typed wrong, and the nearest thing that is right."""
    error.verbose = False
    command = " ".join(("runyard", *(error.command_chain or ())))
    unknown = isinstance(error, UnknownCommandError | UnusedCliTokensError)
    message = _unknown(error, app) if unknown else str(error)
    report.tell(
        Code.INVALID_ARGUMENT, message, f"see `{command} --help`", as_json=as_json, sources={}
    )
    return exit_status(Code.INVALID_ARGUMENT)


def _unknown(error: CycloptsError, app: App) -> str:
    """Cyclopts would load every command, the slow ones too, to say the same."""
    word = (error.unused_tokens or [""])[0]
    known = [name for name in (error.app or app) if not name.startswith("-")]
    near = difflib.get_close_matches(word, known, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"Unknown {'command' if known else 'argument'}: {word}.{meant}"


def own_fault(error: Exception, *, as_json: bool) -> int:
    """A fault of ours: the traceback goes into a file, a person gets a sentence."""
    with tempfile.NamedTemporaryFile("w", prefix="runyard-", suffix=".txt", delete=False) as file:
        traceback.print_exception(error, file=file)
    report.tell(
        Code.INTERNAL,
        f"a fault in runyard itself: {type(error).__name__}",
        f"please report it with the file {file.name}",
        as_json=as_json,
        sources={},
    )
    return exit_status(Code.INTERNAL)
