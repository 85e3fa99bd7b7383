"""Real failure texts from public issue threads, with the class that a careful reader gives them.

A file in `failures/` is a list of cases: a line `=== SOURCE | CLASS | EVIDENCE`, then the text as
it was found, cut to the lines that matter and freed of what names a person or their things.
SOURCE is the repository and thread. EVIDENCE is what there is beside the text, as the thread says
or as that program ends: `exit N` or `signal N`, then `oom` (killed by the kernel for want of
memory) or `timed_out` (the time limit of the task was reached).

There are three sets. Every text is of one thread, and of one set:

- `developed`: texts that rules were written for or have learned from.
- `held_out`: the half of a gathering that `failure_split` set aside before a rule was written.
  Whoever wrote the rules had put down those texts too, though, so its figure flatters.
- `fresh`: from repositories that are in no other set, gathered by somebody who did not know the
  rules, opened when all rules were written, and judged once (2026-11-27). It stays as it is: a rule
  that is made for one of its texts takes its worth away, and that set is `developed` from then on.

The first figure of each gathering, with the rules there were then; all but the last are in
`developed` now:

| nobody had read it | right |
| --- | --- |
| 47 texts | 36 (77 %) |
| 51 texts, after rules had learned from those | 39 (76 %) |
| 22 texts, looked for where rules were thought to be weak | 16 (73 %) |
| 86 texts, after all rules were written anew | 66 (77 %) |
| 64 texts, after rules had learned from those | 55 (86 %) |
| 129 texts, by somebody who did not know the rules | 118 (91 %) |
| `fresh`: 117 texts, the other half of those, after rules had learned from the first | 106 (91 %) |

Of the 117, 108 (92 %) are right since of a line that is longer than 400 characters its end is kept
beside its begin; two of them had shown that. It is no first figure. Where two classes could be
defended the last gathering has no text, which flatters. The step from 86 % is its own: the rules of
the day before have 106 of the 117 right as well, one other of them wrong. What rules learned
meanwhile (prefixes of lines, consequences, tables of codes) shows in `developed` and in
`phrases.tsv`, not in the 117. 16 of the 64 had been on the screen, in the answer of a search, when
rules were mended before they were judged. Of texts that had been read: `held_out` of the first
gathering 81 of 81, of the second 112 of 112.

How a reader tells the classes apart: `docs/decisions/0038-classes-of-failures.md`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "failures"
_HEAD = re.compile(r"(?m)^=== (?=[\w.-]+/[\w.-]+#\d+ \|)")


@dataclass(frozen=True, slots=True)
class FailureText:
    """One case. At most one of `exit_code` and `signal` is set."""

    source: str
    failure_class: str
    text: str
    exit_code: int | None = None
    signal: int | None = None
    out_of_memory: bool = False
    timed_out: bool = False


def read(name: str) -> list[FailureText]:
    """The cases of the set `name`, in the order of its file."""
    parts = _HEAD.split((FOLDER / f"{name}.txt").read_text(encoding="utf-8"))
    return [_case(part) for part in parts[1:]]


def phrases() -> list[tuple[str, str]]:
    """Class and text of each line of `phrases.tsv`: what well-known programs print, in the words of
    whoever wrote the rules. They hold rules in place and measure nothing."""
    lines = (FOLDER / "phrases.tsv").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t", 1) for line in lines)
    return [(meant, text.replace("\\n", "\n").replace("\\t", "\t")) for meant, text in pairs]


def heads(text: str) -> list[tuple[str, str]]:
    """The source of each case of a file's text, and the case as it stands there."""
    cases = _HEAD.split(text)[1:]
    return [(case.partition(" |")[0], f"=== {case.rstrip()}\n") for case in cases]


def _case(part: str) -> FailureText:
    head, _, text = part.partition("\n")
    source, failure_class, evidence = (each.strip() for each in head.split("|"))
    how, number, *more = evidence.split()
    return FailureText(
        source=source,
        failure_class=failure_class,
        text=text.rstrip("\n"),
        exit_code=int(number) if how == "exit" else None,
        signal=int(number) if how == "signal" else None,
        out_of_memory="oom" in more,
        timed_out="timed_out" in more,
    )
