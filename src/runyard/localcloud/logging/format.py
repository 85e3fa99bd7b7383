"""How a log lies on disk: one JSON object a line, appended as output arrives.

Shared by writer and reader, and standard library only: the spawner has nothing else.

An entry is one line of UTF-8 JSON with these keys, in this order, without spaces:

    {"t":1767225600000000,"k":3,"n":0,"s":"o","v":"INFO","m":"hello","f":{"user":"ada"}}

    t   when it arrived, microseconds since 1970 UTC; never decreases within one stream of a task
    k   task index, from 0
    n   attempt of the task, from 0 (CLOUD_RUN_TASK_ATTEMPT)
    s   stream: "o" stdout, "e" stderr, "s" the machine's own word about the task (dropped lines)
    v   severity, one of SEVERITIES
    m   the text, without its newline
    f   only where the line was a JSON object: that object without its `message` and `severity`
        (an unknown severity stays in it). `m` is then its `message`, or the whole line if it has
        none. `time` and `timestamp` are kept in it as they were.

Several tasks may share a file: every write is whole lines, appended. A line that is no such object
was torn by a full disk or a power cut: a reader skips it (`decode` answers None) and goes on. The
last line may still be growing: read up to the last newline only, and split on b"\\n" alone (a text
may hold U+2028 and its like).

What a task prints becomes text like this: bytes that are not UTF-8 become `\\xNN`; a line longer
than LINE_BYTES_MAX is cut and ends in the words of `cut_mark`; secret values are already
`[redacted:NAME]`. A last line without newline counts as a line.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring as _quoted_by_c

# https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#logseverity
SEVERITIES = (
    "DEFAULT",
    "DEBUG",
    "INFO",
    "NOTICE",
    "WARNING",
    "ERROR",
    "CRITICAL",
    "ALERT",
    "EMERGENCY",
)
STDOUT, STDERR, SYSTEM = "o", "e", "s"
STREAMS = {STDOUT: "stdout", STDERR: "stderr", SYSTEM: "system"}

#: Cloud Logging's limit of one entry (https://cloud.google.com/logging/quotas: 256 KB)
LINE_BYTES_MAX = 256 * 1024

_KNOWN = frozenset(SEVERITIES)
_SAFE = bytes(c for c in range(32, 127) if c not in b'"\\') + b"\n"
_STAND_IN = "\ue0ff"  # a private-use character: stands for a newline while text is quoted


def decode(line: bytes) -> dict[str, object] | None:
    """The entry in one line (with or without its newline); None if the line is torn."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and entry.keys() >= _HEAD else None


_HEAD = frozenset(("t", "k", "n", "s", "v", "m"))


def cut_mark(dropped: int) -> str:
    """What stands at the end of a line that was cut."""
    return f" [cut: {dropped} more bytes in this line]"


def encode(at: int, task: int, attempt: int, stream: str, severity: str, text: str) -> bytes:
    """One plain entry."""
    return head(at, task, attempt, stream, severity) + _quoted(text) + b"}\n"


def as_written(text: str) -> bytes:
    """A text as it stands between the quotes of an entry: what a search looks for in the file."""
    return _quoted(text)[1:-1]


def head(at: int, task: int, attempt: int, stream: str, severity: str) -> bytes:
    """The entry up to and with `"m":`; a quoted text and a closing brace make it whole."""
    return f'{{"t":{at},"k":{task},"n":{attempt},"s":"{stream}","v":"{severity}","m":'.encode()


def encode_block(at: int, task: int, attempt: int, stream: str, block: bytes) -> bytes:
    """Entries of a block of whole lines, each ended by a newline. At C's speed for plain text."""
    opening = head(at, task, attempt, stream, "DEFAULT")
    if b"{" not in block:
        return _plain(opening, block)
    out: list[bytes] = []
    plain: list[bytes] = []
    for line in block.split(b"\n")[:-1]:
        made = _structured(at, task, attempt, stream, line) if line[:1] in b"{ \t" else None
        if made is None:
            plain.append(line)
            continue
        if plain:
            out.append(_plain(opening, b"\n".join(plain) + b"\n"))
            plain.clear()
        out.append(made)
    if plain:
        out.append(_plain(opening, b"\n".join(plain) + b"\n"))
    return b"".join(out)


def _plain(opening: bytes, block: bytes) -> bytes:
    if block.isascii() and not block.translate(None, _SAFE):
        body = block[:-1]
    else:
        text = block[:-1].decode("utf-8", "backslashreplace")
        if _STAND_IN in text:
            return b"".join(opening + _quoted(line) + b"}\n" for line in text.split("\n"))
        quoted = _quoted_by_c(text.replace("\n", _STAND_IN))
        body = quoted[1:-1].replace(_STAND_IN, "\n").encode()
    return b'%b"%b"}\n' % (opening, body.replace(b"\n", b'"}\n%b"' % opening))


def _structured(at: int, task: int, attempt: int, stream: str, line: bytes) -> bytes | None:
    """The entry of a line that is a JSON object; None if it is not one."""
    fields = _object(line)
    if fields is None:
        return None
    severity = fields.get("severity")
    name = severity.upper() if isinstance(severity, str) else ""
    if name in _KNOWN:
        del fields["severity"]
    else:
        name = "DEFAULT"
    message = fields.get("message")
    if isinstance(message, str):
        del fields["message"]
    text = message if isinstance(message, str) else line.decode()
    rest = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    opening = head(at, task, attempt, stream, name)
    return b'%b%b,"f":%b}\n' % (opening, _quoted(text), rest.encode("utf-8", "replace"))


def _object(line: bytes) -> dict[str, object] | None:
    stripped = line.strip()
    if not (stripped.startswith(b"{") and stripped.endswith(b"}")):
        return None
    try:
        found = json.loads(stripped.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return None
    return found if isinstance(found, dict) else None


def _refuse(constant: str) -> object:
    raise ValueError(constant)  # NaN and Infinity are no JSON


def _quoted(text: str) -> bytes:
    """A JSON string. A lone surrogate, which UTF-8 cannot carry, becomes a question mark."""
    return _quoted_by_c(text).encode("utf-8", "replace")
