"""Schedules beside APScheduler's and DBOS's: how late, a herd, and a hundred thousand at rest.

    python -m benchmarks.schedules --json PATH           all of it, about a quarter of an hour
    python -m benchmarks.schedules --parts late,herd     some of it (`--help` lists the parts)
    python -m benchmarks.schedules --quick               small, without peers: does it still work?

The parts take turns in each of three rounds. Lateness is from an instant to its durable run (of a
peer: until its function runs), over 120 instants. On a machine with other work, give it precedence
as root: `chrt --rr 5 python -m benchmarks.schedules ...`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if not __package__:  # `python benchmarks/schedules.py`
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.parts import clockwork, peers, real_herd
from benchmarks.parts.figures import Round

NAME = "durable runs of a herd of schedules"
UNIT = "a second"
ROUNDS = 3
INSTANTS = 40  #: of a round: 120 in three
PEER_HERD = 1_000
OURS = ("late", "loaded", "herd", "herd_large", "herd_real", "rest")
PEERS = ("apscheduler", "apscheduler_sqlite", "dbos_sqlite")
TARGETS = {
    "lateness_ms.max": "<= 10",
    "herd_1000_s": "<= 0.5",
    "herd_10000_s": "<= 3",
    "idle_cpu_percent_100k": "<= 2",
}


@dataclass(slots=True)
class Bench:
    """The settings of one benchmark, and what its rounds found."""

    folder: Path
    instants: int = INSTANTS
    scale: int = 1  #: everything this many times smaller
    samples: dict[str, list[float]] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)
    _places: int = 0

    def place(self) -> Path:
        """A new folder."""
        self._places += 1
        place = self.folder / str(self._places)
        place.mkdir()
        return place

    def late(self) -> Round:
        """How late, with nothing else to do."""
        return {"lateness_ms": clockwork.lateness(self.place(), self.instants, loaded=False)}

    def loaded(self) -> Round:
        """How late, while others ask for runs all the time."""
        return {"lateness_loaded_ms": clockwork.lateness(self.place(), self.instants, loaded=True)}

    def herd(self) -> Round:
        """A thousand at one instant."""
        return {"herd_1000_s": clockwork.herd(self.place(), 1_000 // self.scale)}

    def herd_large(self) -> Round:
        """Ten thousand at one instant."""
        return {"herd_10000_s": clockwork.herd(self.place(), 10_000 // self.scale)}

    def herd_real(self) -> Round:
        """A thousand whose runs are real processes."""
        place = self.place()
        place.chmod(0o755)
        rate = real_herd.starts_per_second(place, 1_000 // self.scale)
        return {"herd_processes_per_second": rate}

    def rest(self) -> Round:
        """A hundred thousand that are not due."""
        return clockwork.resting(self.place(), 100_000 // self.scale)

    def peer(self, name: str) -> Round:
        """One of the others: how late, and a herd where it can be had."""
        store = "memory" if name == "apscheduler" else f"sqlite:///{self.place() / 'peer'}.db"
        if name.startswith("dbos"):
            late = peers.ask("dbos_schedules.py", store, self.instants)
            found: Round = {}
        else:
            late = peers.ask("apscheduler_schedules.py", store, "late", self.instants)
            again = store if store == "memory" else f"sqlite:///{self.place() / 'peer'}.db"
            herd = peers.ask("apscheduler_schedules.py", again, "herd", PEER_HERD // self.scale)
            found = {f"peers.{name}.herd_1000_s": herd["herd_s"]}
        self.about[name] = late["version"]
        return found | {f"peers.{name}.lateness_ms": late["lateness_ms"]}

    def add(self, found: Round, told: str) -> None:
        """Take in what a part found, and tell it."""
        for key, value in found.items():
            numbers = value if isinstance(value, list) else [value]
            self.samples.setdefault(key, []).extend(numbers)
            shown = f"{statistics.median(numbers):,.3f} (at most {max(numbers):,.3f})"
            print(f"{told}: {key} {shown}", file=sys.stderr, flush=True)

    def figures(self) -> dict[str, float]:
        """One number for each key; of lateness the median and the worst."""
        found: dict[str, float] = {}
        for key, numbers in self.samples.items():
            if key.endswith("_ms") and "lateness" in key:
                found[f"{key}.p50"] = statistics.median(numbers)
                found[f"{key}.max"] = max(numbers)
            else:
                found[key] = statistics.median(numbers)
        return found

    def document(self) -> dict[str, Any]:
        """The figures as JSON, nested by the dots of their keys."""
        document: dict[str, Any] = {}
        for key, value in self.figures().items():
            *path, last = key.split(".")
            place = document
            for step in path:
                place = place.setdefault(step, {})
            place[last] = round(value, 3)
        return document | {"versions": self.about}


def measure() -> float:
    """Durable runs a second of a herd of a thousand."""
    with tempfile.TemporaryDirectory() as folder:
        return 1_000 / clockwork.herd(Path(folder), 1_000)


def _turns(bench: Bench, parts: Sequence[str]) -> dict[str, Callable[[], Round]]:
    return {
        part: (lambda name=part: bench.peer(name))  # type: ignore[misc]
        if part in PEERS
        else getattr(bench, part)
        for part in parts
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.schedules",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--parts", help=f"only these, by commas: {', '.join((*OURS, *PEERS))}")
    parser.add_argument("--quick", action="store_true", help="small, one round, no peers")
    parser.add_argument("--rounds", type=int, help=f"how many rounds (default {ROUNDS})")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Print the figures, and write them where asked to."""
    parser = _parser()
    asked = parser.parse_args(words)
    parts = asked.parts.split(",") if asked.parts else [*OURS, *(() if asked.quick else PEERS)]
    if unknown := [part for part in parts if part not in (*OURS, *PEERS)]:
        parser.error(f"there is no part {', '.join(unknown)}")
    if any(part in PEERS for part in parts):
        peers.prepare()
    rounds = asked.rounds or (1 if asked.quick else ROUNDS)
    machine = {"cpus": os.cpu_count(), "system": platform.platform(), "load": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory(prefix="runyard-bench-") as folder:
        Path(folder).chmod(0o755)  # a task's user has to get in
        bench = Bench(Path(folder), *((3, 100) if asked.quick else ()))
        for number in range(1, rounds + 1):
            for part, turn in _turns(bench, parts).items():
                if part != "rest" or number == 1:
                    bench.add(turn(), f"round {number} of {rounds}: {part}")
    for key, value in bench.figures().items():
        print(f"{key:44} {value:>10,.3f} {TARGETS.get(key, ''):>8}")
    if asked.json:
        document = bench.document() | {"machine": machine, "rounds": rounds}
        asked.json.write_text(json.dumps(document, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
