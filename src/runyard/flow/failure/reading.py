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
from runyard.flow.failure.prefixes import bare
from runyard.flow.failure.saying import Reader, Rule, Said, Whole

#: Characters of a statement that are read: its first and its last ones. A stranger's program
#: writes them, and an expression may take a time that grows faster than they do.
HEAD_MAX, TAIL_MAX = 1_200, 600

#: A line of a stack, or of the source beside it: of Python, Java, .NET, Node, PHP, Ruby, Go, Rust,
#: C++ and Terraform.
FRAME = re.compile(
    r"^\s*(?:at (?:async )?[\w$./<]|File \"|from /|\d+: from |\d+: (?:0x|[\w<]+::)"
    r"|#\d+ +(?:0x|/|\[|\{)|\.\.\. \d+ more|const |let |var |return |import "
    r"|raise [\w.]+(?:\(|$| from )|throw "
    r"|\d+[▕|│]|[│|] +❱? *\d+ |goroutine \d+ \[|/\S+\.go:\d+ \+0x|created by [\w./]+"
    r"|on \S+\.tf line \d+|with [\w.\[\]\"-]+,$)"
)
_FILE = re.compile(r"^\s*File \"")  #: Python shows the source below it, further in
_SOURCE = re.compile(r"^\s{4,}\S")
#: A line by which what ran the program tells that it ended, and no more.
_END = re.compile(
    r"(?:process completed|command failed|exiting|exited|job failed|did not complete successfully)"
    r"\b.{0,40}?(?:code|status|ret)\W{1,4}[12]\b|^make(?:\[\d+\])?: \*\*\* "
    r"|^\W{0,4}exit status [12]\W*$"
    r"|A complete log of this run|^info Visit https|\breaped\b",
    re.IGNORECASE,
)
_BODY = re.compile(
    r"^\s*(?:[\]\[{}>]|\"[^\"]{1,60}\"\s?[:=]|</?\w+>|(?:Errors?|Message) ?\[)"
    r"|^\s+'?[a-z_]\w{0,40}'?\s?: |^[a-z]\w{0,40}: .{0,400},$|^\s*(?:--->|Caused by:?)(?:\s|$)"
)
_OBJECT = re.compile(r"^\s*\{.*\}\s*$")  #: an object on a line of its own: a record of a log
#: A statement that counts only where no other says anything: a program tells that it goes on, or
#: what saw the failure tells what it did then.
_PASSING = re.compile(
    r"(?<![Pp]lease )(?<!then )(?<!can )(?<!may )\b[Rr]etry\b"
    r"(?!-?[Aa]fter| (?:your|the|later|in)\b)"
    r"|\b(?:[Rr]etries|[Tt]rying again in|[Rr]etrying(?! (?:may|the)\b)|INFO|DEBUG|WARN(?:ING)?)\b"
    r"|\blevel\"?[:=]>?\s?\"?:?(?:trace|debug|info|warn)"
    r"|^rsync(?: error)?: .{0,40}(?:unexpectedly closed|error in rsync protocol|unexplained error)"
    r"|^fatal: (?:the remote end hung up|[Cc]ould not read from remote|early EOF)"
    r"|\*\*\* STEP \S+ ON \S+ CANCELLED AT [^D]*\*\*\*"
    r"|returned (?:a )?non-zero (?:exit )?(?:code|status)"
    r"|^(?:[Cc]onnection closed|lost connection)\W*$|\bAbort(?:ed)?(?: +\(core dumped\)| trap)",
)
#: That it does not go on any more.
_LAST_TRY = re.compile(
    r"after \d{1,4} (?:retries|attempts|tries)|(?:max|maximum|all|too many|out of) retries"
    r"|retries (?:exceeded|exhausted|failed)|gave up|giving up|final (?:exception|error)",
    re.IGNORECASE,
)
#: What a text speaks of by its name: a word in quotes, an option, a path, a pinned package.
_NAMED = re.compile(
    r"['\"`][\w-]{1,60}(?:\.[\w-]{1,60})+['\"`]"
    r"|(?<!: )(?<![\w:])['\"`][\w.:/=\[\]-]{1,60}['\"`]|(?<![\w-])--?[a-z][\w-]{1,60}"
    r"|(?<!\S)[\w.-]{1,60}==|(?:[\w.~-]{1,60})?(?:/[\w.~-]{1,60})+"
    r"|(?<![\w.])[\w-]{1,60}\.[a-z]{1,4}\b(?!\.)"
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
    final = [each for each in statements if not each.is_passing]
    found = _telling(final, ladder, weak)
    if found is None and not any(_UNCAUGHT.search(each.text) for each in final):
        found = _telling(statements, ladder, weak)
    return found


def _readers(rules: Sequence[Rule], whole: Whole) -> list[Reader]:
    return [reader for rule in rules if (reader := rule.reader(whole)) is not None]


@dataclass(frozen=True, slots=True)
class _Statement:
    text: str  #: without what stands before the words of its lines
    lines: tuple[str, ...]

    @property
    def whole(self) -> str:
        return _bounded("\n".join(self.lines))

    @property
    def is_passing(self) -> bool:
        texts = {self.whole, self.text}
        return any(_PASSING.search(each) and not _LAST_TRY.search(each) for each in texts)


def _statements(lines: Sequence[str]) -> list[_Statement]:
    """The statements of `lines`, the last one first."""
    found: list[list[tuple[str, str]]] = []
    for line, words in _told(lines):
        if found and _BODY.search(words) and not _OBJECT.search(words):
            found[-1].append((line, words))
        else:
            found.append([(line, words)])
    return [
        _Statement(_bounded("\n".join(words for _, words in each)), tuple(line for line, _ in each))
        for each in reversed(found)
    ]


def _told(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each of `lines` that tells something, and its words."""
    below_file = False
    for line in lines:
        words = bare(line)
        is_source = below_file and _SOURCE.search(words) is not None
        below_file = _FILE.search(words) is not None
        if words.strip() and not (is_source or FRAME.search(words) or _END.search(words)):
            yield line, words


def _bounded(text: str) -> str:
    if len(text) <= HEAD_MAX + TAIL_MAX:
        return text
    return f"{text[:HEAD_MAX]}\n{text[-TAIL_MAX:]}"


def _telling(
    statements: Sequence[_Statement], ladder: Sequence[Reader], weak: Sequence[Reader]
) -> Read | None:
    return next(_reads(statements, ladder), None) or next(_guesses(statements, weak), None)


def _reads(statements: Iterable[_Statement], ladder: Sequence[Reader]) -> Iterator[Read]:
    for statement in statements:
        said = _first(ladder, statement.text)
        if said is not None:
            yield Read(said, _line(statement, ladder, said))


def _guesses(statements: Sequence[_Statement], weak: Sequence[Reader]) -> Iterator[Read]:
    for number, statement in enumerate(statements):
        above = statements[number + 1 : number + 2] if statement.text.startswith(" ") else ()
        if any(ERROR.search(each.whole) for each in (statement, *above)):
            said = _first(weak, _NAMED.sub(" ", statement.text))
            if said is not None:
                yield Read(said, statement.lines[0])


def _first(ladder: Sequence[Reader], text: str) -> Said | None:
    return next((said for reader in ladder if (said := reader(text)) is not None), None)


def _line(statement: _Statement, ladder: Sequence[Reader], said: Said) -> str:
    """The line of `statement` that says it by itself, else its first one."""
    lines = statement.lines
    if len(lines) == 1:
        return lines[0]
    return next((each for each in lines if _first(ladder, _bounded(bare(each))) == said), lines[0])
