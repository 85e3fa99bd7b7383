"""Coverage by room against its floor. Floors may only rise; a room above its floor raises it.

`python -m tools.floors` reads the data of the last test run and `coverage-floors.toml`, prints a
table, and exits 1 when a room is below its floor. `--raise` writes higher floors where the last
run earned them. Lines and branches count alike.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import coverage

FLOORS = Path("coverage-floors.toml")
SOURCE = "src/runyard/"
GUEST = "runner/src/"
HEAD = """\
# Coverage (lines and branches, in percent) that each room has reached. A floor may only rise:
# `python -m tools.floors --raise` after a test run. A room without a line here has floor 0.
"""


def room_of(path: str) -> str:
    """The room a source file stands in: `flow` for src/runyard/flow/x.py, `gate` for gate.py.

    The runner, a distribution of its own, is one room.
    """
    if GUEST in path:
        return "runner"
    inside = path.split(SOURCE)[-1]
    return inside.split("/")[0].removesuffix(".py")


def covered(report: Mapping[str, Any]) -> dict[str, float]:
    """Percent covered by room, of a coverage.py JSON report."""
    counts: dict[str, tuple[int, int]] = {}
    for path, file in report["files"].items():
        summary = file["summary"]
        hit, every = counts.get(room_of(path), (0, 0))
        counts[room_of(path)] = (
            hit + summary["covered_lines"] + summary["covered_branches"],
            every + summary["num_statements"] + summary["num_branches"],
        )
    return {room: 100 * hit / every if every else 100.0 for room, (hit, every) in counts.items()}


def read_floors(text: str) -> dict[str, int]:
    """The floors in the text of a floors file."""
    return {room: int(floor) for room, floor in tomllib.loads(text)["floors"].items()}


def faults(reached: Mapping[str, float], floors: Mapping[str, int]) -> list[str]:
    """One sentence for each room below its floor; a room that is gone has nothing to hold."""
    return [
        f"{room} is covered to {percent:.1f} %, and its floor is {floors[room]} %"
        for room, percent in sorted(reached.items())
        if room in floors and percent < floors[room]
    ]


def raised(reached: Mapping[str, float], floors: Mapping[str, int]) -> dict[str, int]:
    """The floors after a run: as high as what was reached, never lower than before."""
    return {room: max(int(reached.get(room, 0)), floors.get(room, 0)) for room in sorted(reached)}


def _last_report() -> Mapping[str, Any]:
    data = coverage.Coverage()
    data.load()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "coverage.json"
        data.json_report(outfile=str(target))
        report: Mapping[str, Any] = json.loads(target.read_text())
    return report


def main() -> int:
    """Compare, print, and say by the exit status whether every floor held."""
    parser = argparse.ArgumentParser(description="Coverage by room against its floor.")
    parser.add_argument("--raise", action="store_true", dest="raise_", help="write higher floors")
    wants_raise = parser.parse_args().raise_
    reached, floors = covered(_last_report()), read_floors(FLOORS.read_text())
    for room, percent in sorted(reached.items()):
        print(f"  {room:12} {percent:5.1f} %   floor {floors.get(room, 0):3} %")
    if wants_raise:
        lines = [f"{room} = {floor}" for room, floor in raised(reached, floors).items()]
        FLOORS.write_text(HEAD + "[floors]\n" + "\n".join(lines) + "\n")
    fallen = faults(reached, floors)
    for fault in fallen:
        print(fault, file=sys.stderr)
    return 1 if fallen else 0


if __name__ == "__main__":
    sys.exit(main())
