"""Runs every benchmark, or those named, and prints what they measured.

`python -m benchmarks [NAME ...]`: NAME is a file of this folder without its suffix.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

ROUNDS = 5  #: the best of them counts: the others were disturbed by something else


def names() -> list[str]:
    """The benchmarks there are."""
    folder = Path(__file__).parent
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def main(asked: list[str]) -> int:
    """Measure `asked`, or everything; 64 when one of them does not exist."""
    there = names()
    if unknown := [name for name in asked if name not in there]:
        print(f"No benchmark {', '.join(unknown)}. There are: {', '.join(there)}", file=sys.stderr)
        return 64
    for name in asked or there:
        benchmark = import_module(f"benchmarks.{name}")
        best = max(benchmark.measure() for _ in range(ROUNDS))
        print(f"{benchmark.NAME:40} {best:14,.0f} {benchmark.UNIT}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
