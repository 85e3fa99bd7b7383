"""The last lines of a task as statements, and what the last one that tells something says.

1. Lines of a stack, and of source beside it, name what was called, not what went wrong: left out.
2. A body of several lines (JSON, XML, an object that Node shows) is one statement, and so is an
   exception with its causes: what knows most of it decides, wherever it stands.
3. The last statement that says something decides. One in which a program tells that it goes on
   counts only where no other says anything, and no error that ended the program stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from runyard.flow.failure.log_rules import LADDER, WEAK
from runyard.flow.failure.saying import Reader, Rule, Said, Whole

#: Characters of a statement that are read: its first and its last ones. A stranger's program
#: writes them, and an expression may take a time that grows faster than they do.
HEAD_MAX, TAIL_MAX = 1_200, 600

#: A line of a stack, or of the source beside it.
FRAME = re.compile(
    r"^\s*(?:at [\w$.<]|File \"|from /|\d+: 0x|#\d+ +0x|#\d+ /|\.\.\. \d+ more|const |let |var "
    r"|return |import |raise [\w.]+(?:\(|$| from )|throw |\d+[▕|│]|[│|] +❱? *\d+ )"
)
#: A line by which what ran the program tells that it ended, and no more.
_END = re.compile(
    r"(?:process completed|command failed|exiting|exited|job failed|did not complete successfully)"
    r"\b.{0,40}?(?:code|status|ret)\W{1,4}[12]\b|^make: \*\*\* |^\W{0,4}exit status [12]\W*$"
    r"|A complete log of this run|^info Visit https|\breaped\b",
    re.IGNORECASE,
)
_BODY = re.compile(
    r"^\s*(?:[\]\[{}>]|\"[^\"]{1,60}\"\s?[:=]|</?\w+>|(?:Errors?|Message) ?\[)"
    r"|^\s+'?[a-z_]\w{0,40}'?\s?: |^[a-z]\w{0,40}: .{0,400},$|^\s*(?:--->|Caused by:?)(?:\s|$)"
)
_OPENS = re.compile(r"[{\[(]\s*$|^\s*<\w+[^>]*>\s*$")
_PASSING = re.compile(
    r"\b(?:[Rr]etry(?!-?[Aa]fter)|[Rr]etries|[Rr]etrying|INFO|DEBUG|WARN|WARNING)\b"
    r"|^rsync(?: error)?: .{0,40}(?:unexpectedly closed|error in rsync protocol|unexplained error)"
)
#: An error that ends a program and that no rule knows: better than a line that tells it went on.
_UNCAUGHT = re.compile(r"^\s{0,40}(?:\w{1,40}[.:]){0,12}\w{0,60}(?:Error|Exception)\b")
ERROR = re.compile(
    r"error|fail|fatal|exception|unable|could not|couldn't|cannot|can't|panic|abort|refus|critical",
    re.IGNORECASE,
)  #: a statement that tells of an error


@dataclass(frozen=True, slots=True)
class Read:
    """What the lines say, and the line that says it."""

    said: Said
    line: str


def read(lines: Sequence[str]) -> Read | None:
    """What the last telling statement of `lines` says; None where none says anything."""
    statements = _statements(lines)
    whole = Whole("\n".join(each.text for each in statements))
    ladder, weak = _readers(LADDER, whole), _readers(WEAK, whole)
    final = [each for each in statements if not _PASSING.search(each.text)]
    found = _telling(final, ladder, weak)
    if found is None and not any(_UNCAUGHT.search(each.text) for each in final):
        found = _telling(statements, ladder, weak)
    return found


def _readers(rules: Sequence[Rule], whole: Whole) -> list[Reader]:
    return [reader for rule in rules if (reader := rule.reader(whole)) is not None]


@dataclass(frozen=True, slots=True)
class _Statement:
    text: str
    lines: tuple[str, ...]


def _statements(lines: Sequence[str]) -> list[_Statement]:
    """The statements of `lines`, the last one first."""
    found: list[list[str]] = []
    joins = False
    for line in lines:
        if not line.strip() or FRAME.search(line) or _END.search(line):
            continue
        if found and (joins or _BODY.search(line)) and _BODY.search(line):
            found[-1].append(line)
        else:
            found.append([line])
        joins = bool(_OPENS.search(line))
    return [_Statement(_bounded("\n".join(each)), tuple(each)) for each in reversed(found)]


def _bounded(text: str) -> str:
    if len(text) <= HEAD_MAX + TAIL_MAX:
        return text
    return f"{text[:HEAD_MAX]}\n{text[-TAIL_MAX:]}"


def _telling(
    statements: Sequence[_Statement], ladder: Sequence[Reader], weak: Sequence[Reader]
) -> Read | None:
    guesses = (each for each in statements if ERROR.search(each.text))
    return next(_reads(statements, ladder), None) or next(_reads(guesses, weak), None)


def _reads(statements: Iterable[_Statement], ladder: Sequence[Reader]) -> Iterator[Read]:
    for statement in statements:
        said = _first(ladder, statement.text)
        if said is not None:
            yield Read(said, _line(statement, ladder, said))


def _first(ladder: Sequence[Reader], text: str) -> Said | None:
    return next((said for reader in ladder if (said := reader(text)) is not None), None)


def _line(statement: _Statement, ladder: Sequence[Reader], said: Said) -> str:
    """The line of `statement` that says it by itself, else its first one."""
    lines = statement.lines
    if len(lines) == 1:
        return lines[0]
    return next((each for each in lines if _first(ladder, _bounded(each)) == said), lines[0])
