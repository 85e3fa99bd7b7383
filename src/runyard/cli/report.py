"""An error told to a person, or (with `--json`) as the REST API's error document: on stderr.

stdout carries results only, so that what reads it never takes an error for one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from runyard.cli.output import note, printable
from runyard.model.codes import exit_status, http_status
from runyard.model.errors import Code, Fault, PlatformError


def error(raised: PlatformError, *, as_json: bool, sources: Mapping[str, str]) -> int:
    """Tells `raised` and returns the exit status; `sources` are the texts of files by name."""
    tell(raised.code, raised.message, raised.hint, raised.faults, as_json=as_json, sources=sources)
    return exit_status(raised.code)


def tell(
    code: Code,
    message: str,
    hint: str = "",
    faults: tuple[Fault, ...] = (),
    *,
    as_json: bool,
    sources: Mapping[str, str],
) -> None:
    """Writes one error to stderr."""
    if as_json:
        note(json.dumps(document(code, message, hint, faults)))
        return
    note(f"error: {_lines(message)}")
    for fault in faults:
        note(shown_fault(fault, sources))
    if hint:
        note(f"hint: {_lines(hint)}")


def document(code: Code, message: str, hint: str, faults: tuple[Fault, ...]) -> dict[str, Any]:
    """The error document of the REST API, the only error shape there is."""
    return {
        "error": {
            "code": http_status(code),
            "status": code.value,
            "message": message,
            "hint": hint,
            "details": [asdict(fault) for fault in faults],
        }
    }


def shown_fault(fault: Fault, sources: Mapping[str, str]) -> str:
    """`file:line:col: path: value, expected …`, and below it the source line with a caret."""
    where = f"{fault.file}:{fault.line}:{fault.column}: " if fault.line else ""
    value = f" {fault.value}," if fault.value else ""
    hint = f" ({fault.hint})" if fault.hint else ""
    text = f"{where}{fault.path}:{value} expected {fault.expected}{hint}"
    return _lines(text) + _pointed_at(fault, sources.get(fault.file, ""))


def _pointed_at(fault: Fault, source: str) -> str:
    lines = source.splitlines()
    if not 0 < fault.line <= len(lines):
        return ""
    # A very long line is shown around the fault only.
    column = max(fault.column, 1)
    first = max(0, column - 60)
    part = printable(lines[fault.line - 1][first : first + 100].expandtabs(1))
    number = str(fault.line)
    caret = " " * (column - 1 - first) + "^"
    return f"\n  {number} | {part}\n  {' ' * len(number)} | {caret}"


def _lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.splitlines())
