"""The texts that make a manifest, and how large they may be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from runyard.model.errors import Fault, InvalidSpec
from runyard.model.validation import ROOT, shown

#: All files together, in characters. A job takes about 2 KB, so this is two thousand jobs; Google
#: allows 1,000 jobs in a project and region. A larger text is refused before it is looked at.
CHARACTERS_MAX = 4 * 1024 * 1024
FILES_MAX = 1000  #: one a job at most (Google's 1,000 jobs in a project and region)

# C0 and C1 controls but tab and line ends, lone surrogates, and the two non-characters: YAML 1.2
# chapter 5.1 forbids them in a text, and nobody can see them in one. And the three line breaks
# (NEL, LS, PS) that YAML 1.1 has and YAML 1.2 and editors have not: lines would be counted wrong.
# A byte order mark is one only at the beginning.
_UNPRINTABLE = re.compile(
    "(?!\\A)\ufeff|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]"
)

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Source:
    """One file: `name` is what faults call it."""

    name: str
    text: str


def decoded(name: str, content: bytes) -> Source:
    """The file `name` of UTF-8 `content`, a byte order mark dropped.

    Raises InvalidSpec with the line and column of the first byte that is not UTF-8.
    """
    size = len(content)
    if size > 4 * CHARACTERS_MAX:  # a character of UTF-8 has at most four bytes
        raise _too_large(name, f"{size} bytes")
    try:
        return Source(name, content.decode("utf-8-sig"))
    except UnicodeDecodeError as fault:
        line, column = _place(content[: fault.start].decode("utf-8", "replace"))
        found = f"the byte 0x{content[fault.start]:02x}"
        expected, hint = "text in UTF-8", "save the file as UTF-8"
        one = Fault(ROOT, found, expected, hint, name, line, column)
        raise InvalidSpec(f"{name} is not UTF-8", hint=hint, faults=(one,)) from None


def check_size(sources: Sequence[Source]) -> None:
    """Raise InvalidSpec when there are too many files or too much text. Looks at no character."""
    if len(sources) > FILES_MAX:
        raise _too_large(sources[FILES_MAX].name, f"{len(sources)} files")
    total = 0
    for source in sources:
        total += len(source.text)
        if total > CHARACTERS_MAX:
            raise _too_large(source.name, f"{total} characters and more")


def unprintable(source: Source) -> Fault | None:
    """The fault of the first character that may not be in a text, if there is one."""
    found = _UNPRINTABLE.search(source.text)
    if found is None:
        return None
    line, column = _place(source.text[: found.start()])
    expected = "a text without control characters"
    hint = 'write it as an escape in double quotes if it is meant, such as "\\t"'
    return Fault(ROOT, shown(found.group()), expected, hint, source.name, line, column)


def _place(before: str) -> tuple[int, int]:
    lines = _LINE_END.split(before)
    return len(lines), len(lines[-1]) + 1


def _too_large(name: str, found: str) -> InvalidSpec:
    expected = f"a manifest of at most {CHARACTERS_MAX} characters in at most {FILES_MAX} files"
    hint = "split it, and apply the parts one after another"
    fault = Fault(ROOT, found, expected, hint, name, 1, 1)
    return InvalidSpec("the manifest is too large", hint=hint, faults=(fault,))
