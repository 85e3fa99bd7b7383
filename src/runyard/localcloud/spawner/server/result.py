"""What a task wrote as its result: a small JSON text, in the file that RUNYARD_OUTPUT names.

It is read once the task is dead. What is no JSON, or too large, is not kept, and the log says so;
secrets are taken out of it as they are out of the log.
"""

from __future__ import annotations

import json
import os
import stat

from runyard.localcloud.spawner.server.redact import Redactor, spellings

VARIABLE = "RUNYARD_OUTPUT"
FILE = ".runyard-output.json"
BYTES_MAX = 64 * 1024  #: `model.outcome.OUTPUT_BYTES_MAX`


def collect(path: str, secrets: list[tuple[str, str]]) -> tuple[str, str]:
    """The result in the file `path` as compact JSON, and what is wrong with it; both empty where
    there is none."""
    try:
        text = _read(path)
    except FileNotFoundError:
        return "", ""
    except OSError as error:
        return "", f"the output in {VARIABLE} cannot be read: {error.strerror}"
    if text is None:
        return "", f"the output in {VARIABLE} is dropped: more than {BYTES_MAX} bytes, or no file"
    try:
        result = json.dumps(_parsed(text), separators=(",", ":"), ensure_ascii=False)
        marks = spellings(secrets)
        if marks:
            result = Redactor(marks).clean(result)
            _parsed(result)
        return _bounded(result)
    except (ValueError, RecursionError):
        return "", f"the output in {VARIABLE} is dropped: it is no JSON text"


def _read(path: str) -> bytes | None:
    """What is in a file that the task may have put there; None for anything else, or too much."""
    opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            return None
        text = b""
        while len(text) <= BYTES_MAX and (more := os.read(opened, BYTES_MAX + 1 - len(text))):
            text += more
        return text if len(text) <= BYTES_MAX else None
    finally:
        os.close(opened)


def _parsed(text: str | bytes) -> object:
    def no(word: str) -> object:
        raise ValueError(word)  # NaN and Infinity, which JSON has not

    return json.loads(text, parse_constant=no)


def _bounded(result: str) -> tuple[str, str]:
    """Marks may be longer than what they stand for."""
    if len(result.encode("utf-8")) > BYTES_MAX:
        return "", f"the output in {VARIABLE} is dropped: more than {BYTES_MAX} bytes"
    return result, ""
