"""Documents whose commands are run as printed, and whose printed output is held against the real.

In a document a fence `console` holds lines that begin with `$ ` (a command; `> ` continues it) and
below each what it prints. A line of only `...` stands for any lines, `...` inside a line for any
text. `console any-order`: the lines come in any order. What no two runs have alike (ids, times,
ports) is made alike on both sides. A comment `<!-- file: NAME -->` before a fence says that the
fence is a file, which is written. A command must succeed, unless the next one is `echo $?`.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_FENCE = re.compile(
    r"(?:^<!-- file: (?P<file>\S+) -->\n)?^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_MARK = "--- the command has ended:"
_SECONDS_MAX = 120
# What differs from run to run, and what stands for it. In this order.
_ALIKE = [
    (r"\x1b\[[0-9;?]*[A-Za-z]", ""),
    (r"run_[0-9a-z]{8,26}", "RUN"),
    (r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?=\d{4}-\d\d-\d\d[T ])", "DAY "),
    (r"\d{4}-\d\d-\d\d[T ]", ""),
    (r"\d\d:\d\d:\d\d(\.\d+)?Z?", "CLOCK"),
    (r"\((now|in [^()]*|[^()]* ago)\)", "(AGE)"),
    (r"(127\.0\.0\.1|localhost):\d+", "HOST:PORT"),
    (r"pid \d+", "pid PID"),
    (r"(less than )?\b\d+(\.\d+)? s\b", "SPAN"),
    (r"\b\d+m \d+s\b|\b\d+(\.\d+)?(ms|s)\b", "SPAN"),
    (r"-[a-z0-9]{5}(?=(-task\d+)?\b)", "-NAME"),
    (r"[ \t]+", " "),
]


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a document, and what is printed below it."""

    line: int
    text: str
    expected: str
    any_order: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """A file that a document has its reader write."""

    name: str
    content: str


def steps(document: str) -> Iterator[Command | File]:
    """What a reader does, in order."""
    for fence in _FENCE.finditer(document):
        if fence["file"]:
            yield File(fence["file"], fence["body"])
        elif fence["info"].split()[:1] == ["console"]:
            first = document.count("\n", 0, fence.start("body")) + 1
            yield from _commands(fence["body"], first, "any-order" in fence["info"])


def _commands(body: str, first: int, any_order: bool) -> Iterator[Command]:
    expected: list[str] = []
    text, line = "", first
    for number, each in enumerate(body.splitlines(), first):
        if each.startswith("$ "):
            if text:
                yield Command(line, text, "\n".join(expected), any_order)
            text, expected, line = each[2:], [], number
        elif each.startswith("> ") and text and not expected:
            text += "\n" + each[2:]
        else:
            expected.append(each)
    if text:
        yield Command(line, text, "\n".join(expected), any_order)


def alike(text: str) -> list[str]:
    """The lines of `text` without what differs from run to run."""
    for pattern, instead in _ALIKE:
        text = re.sub(pattern, instead, text)
    return [line.strip() for line in text.strip().splitlines()]


def fits(command: Command, printed: str) -> bool:
    """True when `printed` is what the document shows."""
    expected, actual = alike(command.expected), alike(printed)
    if command.any_order:
        expected.sort(key=lambda line: (line != "...", line))  # the wildcard first, as it is greedy
        return _fit_in_any_order(expected, actual)
    pattern = "".join(
        r"(?:[^\n]*\n)*?" if line == "..." else _line_pattern(line) + "\n" for line in expected
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in actual)) is not None


def _fit_in_any_order(expected: list[str], actual: list[str]) -> bool:
    rest = list(actual)
    for line in expected:
        if line == "...":
            continue
        found = next((each for each in rest if re.fullmatch(_line_pattern(line), each)), None)
        if found is None:
            return False
        rest.remove(found)
    return not rest or "..." in expected


def _line_pattern(line: str) -> str:
    return "[^\n]*".join(re.escape(part) for part in line.split("..."))


@dataclass(slots=True)
class Shell:
    """One bash, as a reader's: folder, variables and functions stay from command to command."""

    folder: Path
    environment: Mapping[str, str]
    _process: subprocess.Popen[str] = field(init=False, repr=False)

    def __enter__(self) -> Shell:
        self._process = subprocess.Popen(
            ["timeout", "--kill-after=5", str(10 * _SECONDS_MAX), "bash", "--norc", "--noprofile"],
            cwd=self.folder,
            env=dict(self.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.run("status=0")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def run(self, command: str) -> tuple[int, str]:
        """The exit status of `command` and all that it printed."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        # $? is the last command's, as it is for a person who types.
        stdin.write(f"(exit ${{status:-0}}); {{ {command}\n}} < /dev/null\nstatus=$?\n")
        stdin.write(f"printf '\\n%s %s\\n' '{_MARK}' \"$status\"\n")
        stdin.flush()
        lines: list[str] = []
        for line in stdout:
            if line.startswith(_MARK):
                break
            lines.append(line)
        else:
            raise AssertionError(f"the shell ended at {command!r}: {''.join(lines)}")
        return int(line.removeprefix(_MARK)), "".join(lines).rstrip("\n")


def write(folder: Path, file: File) -> None:
    """Writes a document's file below `folder`."""
    path = folder / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(file.content)
