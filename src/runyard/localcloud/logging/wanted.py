"""Which entries of logs are wanted, and how a line is told that it is one of them.

First come needles: bytes that a wanted line must contain, as it lies in the file. They are found at
the speed of memory, and most lines are never looked at. Then what the line says is held against
all that was asked for. Standard library only.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass

from runyard.flow.line_fields import scalar
from runyard.flow.literals import folded, telling
from runyard.flow.wanted_lines import fits
from runyard.localcloud.logging.format import as_written, decode
from runyard.localcloud.logging.literal import opening_of

_AT = re.compile(rb'\{"t":(\d{1,18}),')
Alternatives = tuple[bytes, ...]  #: one of them must be in the line
#: What `re.IGNORECASE` takes for i, k or s besides these, as it lies in a file
#: (https://docs.python.org/3/library/re.html#re.IGNORECASE).
FOLDED_ELSEWHERE = tuple(letter.encode() for letter in "\u0130\u0131\u017f\u212a")
Data = bytes | bytearray


@dataclass(frozen=True, slots=True)
class Wanted:
    """All of it must hold; what is empty or None holds always.

    `text`: the entry's text contains it. `pattern`: this regular expression of Python's `re` is
    found in the text. `severities`: it has one of them. `fields`: a structured line has this value
    (as JSON, or as a text) at this path (`user.name`). `has`: it has this field.
    `since`, `before`: microseconds since 1970.
    """

    text: str = ""
    pattern: str = ""
    severities: tuple[str, ...] = ()
    task: int | None = None
    fields: tuple[tuple[str, str], ...] = ()
    since: int | None = None
    before: int | None = None
    has: str = ""

    def as_json(self) -> str:
        """As another process gets it."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Wanted:
        """What `as_json` wrote."""
        found = json.loads(text)
        fields = tuple((path, value) for path, value in found.pop("fields"))
        return Wanted(**found | {"severities": tuple(found["severities"]), "fields": fields})


class Matcher:
    """Tells lines. `driver`: what every wanted line has one of, the rarest that is known; empty:
    every line must be looked at, or with an `opening_pattern` those that have it (and those that
    `literal.opening_of` names). `folded`: a line has it once ASCII is in lower case, or one of
    FOLDED_ELSEWHERE. Raises re.error for a pattern that is none."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self.pattern = re.compile(wanted.pattern) if wanted.pattern else None
        self.bytes_pattern = _of_bytes(wanted.pattern)
        self.opening_pattern = opening_of(wanted.pattern)
        needles = _needles(wanted)
        folded = [] if needles else _folded_needles(wanted.pattern)
        needles = folded + needles + _severity_needles(wanted)
        task: list[Alternatives] = []
        if wanted.task is not None:
            task.append((b'"k":%d,' % wanted.task,))
        if not wanted.pattern:  # all lines may be of this task: an expression tells more of them
            needles, task = needles + task, []
        self.driver: Alternatives = needles[0] if needles else ()
        self.folded = bool(folded)
        self._rest = needles[1:] + task

    def wants(self, line: bytes) -> bool:
        """True for a line that is wanted, whatever it is."""
        data, needles = self.looked_for(line)
        if needles and not any(needle in data for needle in needles):
            return False
        return self.matches(line)

    def looked_for(self, data: Data) -> tuple[Data, Alternatives]:
        """The driver and what to look for it in: the data, or the same in lower case."""
        if not self.folded:
            return data, self.driver
        return data.lower(), self.driver + (() if data.isascii() else FOLDED_ELSEWHERE)

    def matches(self, line: bytes) -> bool:
        """True for a line that is wanted, of those that have what all of these have."""
        for alternatives in self._rest:
            if not any(needle in line for needle in alternatives):
                return False
        return self._in_time(line) and self._says_so(line)

    def _in_time(self, line: bytes) -> bool:
        wanted = self._wanted
        if wanted.since is None and wanted.before is None:
            return True
        at = instant_of(line)
        if at is None:
            return False
        return (wanted.since is None or at >= wanted.since) and (
            wanted.before is None or at < wanted.before
        )

    def _says_so(self, line: bytes) -> bool:
        wanted, entry = self._wanted, decode(line)
        if entry is None:
            return False
        text = str(entry["m"])
        return fits(wanted, text, entry["v"], entry["k"], entry.get("f")) and (
            self.pattern is None or self.pattern.search(text) is not None
        )


def instant_of(line: bytes) -> int | None:
    """When a line arrived, in microseconds since 1970; None for one that does not say."""
    found = _AT.match(line)
    return int(found[1]) if found else None


def _needles(wanted: Wanted) -> list[Alternatives]:
    needles: list[Alternatives] = []
    if wanted.text:
        needles.append((as_written(wanted.text),))
    needles += [_field_needles(path, value) for path, value in wanted.fields]
    if wanted.has:
        needles.append((b'"%b":' % as_written(wanted.has),))
    if literals := telling(wanted.pattern):
        needles.append(tuple(as_written(literal) for literal in literals))
    return needles


def _severity_needles(wanted: Wanted) -> list[Alternatives]:
    severities = tuple(b'"v":"%b"' % one.encode() for one in wanted.severities)
    return [severities] if severities else []


def _folded_needles(pattern: str) -> list[Alternatives]:
    """The literals of an expression that takes capitals for small letters, where they are ASCII."""
    literals = folded(pattern)
    return [tuple(as_written(literal).lower() for literal in literals)] if literals else []


def _field_needles(path: str, value: str) -> Alternatives:
    """The end of the key beside the value, as a text and as the JSON that it may be: the last key
    of the path ends like the path, which may be a key with dots in it."""
    key = as_written(path.rpartition(".")[2])
    plain = scalar(value)
    values = [b'"%b"' % as_written(value)] + ([] if plain is None else [plain.encode()])
    return tuple(b'%b":%b' % (key, one) for one in values)


def _of_bytes(pattern: str) -> re.Pattern[bytes] | None:
    """The same for text that is ASCII and lies in the file as it is; None where there is none."""
    if not (pattern and pattern.isascii()):
        return None
    try:
        return re.compile(pattern.encode())
    except re.error:  # \N{…}, which bytes do not have
        return None
