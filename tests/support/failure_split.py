"""Split texts that were just gathered in two, before anybody writes a rule for them.

`python -m tests.support.failure_split GATHERED SEEN HELD_OUT` adds each case of the file GATHERED
to one of two sets of `failures/`: by the last bit of the SHA-256 of its source, so that nobody
chooses, and a case falls on the same side whenever and wherever it is split. A source that a set
has already is left out.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from tests.support.failure_texts import FOLDER, heads


def is_held_out(source: str) -> bool:
    """Whether the case of `source` (repository and thread) is set aside."""
    return hashlib.sha256(source.encode()).digest()[-1] & 1 == 1


def split(gathered: str, known: set[str]) -> tuple[str, str]:
    """The cases of `gathered` to be seen, and those to be set aside, as they stand in a file."""
    seen: list[str] = []
    held_out: list[str] = []
    for source, case in heads(gathered):
        if source not in known:
            known.add(source)
            (held_out if is_held_out(source) else seen).append(case)
    return "".join(seen), "".join(held_out)


def main() -> None:
    gathered = Path(sys.argv[1]).read_text(encoding="utf-8")
    texts = (path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt"))
    known = {source for text in texts for source, _ in heads(text)}
    for name, cases in zip(sys.argv[2:4], split(gathered, known), strict=True):
        with (FOLDER / f"{name}.txt").open("a", encoding="utf-8") as file:
            file.write(cases)


if __name__ == "__main__":
    main()
