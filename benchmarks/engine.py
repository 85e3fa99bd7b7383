"""Runyard's speed beside its peers': everything by turns in the same run, medians of five rounds.

    python -m benchmarks.engine --json PATH           all of it, about a quarter of an hour
    python -m benchmarks.engine --parts sqlite,http   some of it (`--help` lists the parts)
    python -m benchmarks.engine --quick               all but the peers, small: does it still work?

In each round every part has its turn, so that what disturbs one disturbs the others. On a machine
with other work, give it precedence as root: `chrt --rr 5 python -m benchmarks.engine ...`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if not __package__:  # `python benchmarks/engine.py`
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import list_page, spawner
from benchmarks.parts import http, peers, profiling, runs, server, starts
from benchmarks.parts.figures import Figures, Round
from tests.support.postgresql import Server, running

NAME = "durable runs, submitted to final, SQLite"
UNIT = "a second"
ROUNDS = 5
RUNS = 4_000
SERVED = ("fsync=on", "synchronous_commit=on")
OURS = ("sqlite", "postgresql", "http", "start", "spawn", "server")
ONCE = ("list_page", "profile")


@dataclass(slots=True)
class Bench:
    """The settings of one benchmark, and where its rounds find what they need."""

    runs: int
    list_runs: int
    folder: Path
    postgresql: Server
    rounds: int = field(default=0)

    def place(self) -> Path:
        """A new folder, reachable for a task's user."""
        self.rounds += 1
        place = self.folder / str(self.rounds)
        place.mkdir(mode=0o755)
        return place

    def sqlite(self) -> Round:
        """Durable runs on SQLite."""
        return _rate("sqlite", *runs.rate(runs.on_sqlite(self.place()), self.runs))

    def postgres(self) -> Round:
        """Durable runs on PostgreSQL."""
        url = self.postgresql.database()
        return _rate("postgresql", *runs.rate(runs.on_postgresql(url), self.runs))

    def http(self) -> Round:
        """Durable runs through REST."""
        return _rate("http", *http.rate(self.place(), self.runs // 2))

    def start(self) -> Round:
        """A hundred starts of a process, with 4,000 runs asked for."""
        return {"trigger_to_start_ms": starts.milliseconds(self.place(), self.runs // 40)}

    def spawn(self) -> Round:
        """The spawner beside a bare loop."""
        return {"spawn_ratio": spawner.measure() / 100}

    def server(self) -> Round:
        """A whole server, from cold to rest."""
        found = server.measured(self.place())
        return {"cold_start_s": found.cold_start_seconds, "idle_rss_mib": found.idle_rss_mib}

    def peer(self, name: str) -> Round:
        """One of the others."""
        found = peers.rate(name, self.place(), self.postgresql.database, self.runs)
        return {"peer": {name: found}} | _rate(
            name, found["runs_per_second"], found["cpu_ms_per_run"]
        )

    def list_page(self) -> Round:
        """Pages of a million runs."""
        pages = 100 if self.list_runs >= 1_000_000 else 5
        return {"list_page_ms": list_page.worst(self.list_runs, pages)}

    def profile(self) -> Round:
        """Where our time goes."""
        place, count = self.place(), self.runs
        return {"profile": profiling.shares(lambda: runs.rate(runs.on_sqlite(place), count))}


def _rate(name: str, per_second: float, cpu_milliseconds: float) -> Round:
    return {
        "durable_runs_per_second": {name: per_second},
        "cpu_ms_per_run": {name: cpu_milliseconds},
    }


def measure() -> float:
    """Durable runs a second on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        return runs.rate(runs.on_sqlite(Path(folder)), RUNS)[0]


def _turns(bench: Bench, parts: Sequence[str]) -> dict[str, Callable[[], Round]]:
    """What each part does in its turn, in the order of the turns."""
    own = {"postgresql": bench.postgres}
    return {
        part: (lambda name=part: bench.peer(name))  # type: ignore[misc]
        if part in peers.PEERS
        else own.get(part, getattr(bench, part, bench.sqlite))
        for part in parts
    }


def _play(bench: Bench, parts: Sequence[str], rounds: int) -> Figures:
    figures = Figures()
    turns = _turns(bench, parts)
    for number in range(1, rounds + 1):
        for part, turn in turns.items():
            if part not in ONCE:
                figures.add(turn(), f"round {number} of {rounds}: {part}")
    for part in ONCE:
        if part in turns:
            figures.add(turns[part](), part)
    return figures


def _parser() -> argparse.ArgumentParser:
    every = ", ".join((*OURS, *ONCE, *peers.PEERS))
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.engine",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--parts", help=f"only these, by commas: {every}")
    parser.add_argument("--no-peers", action="store_true", help="install and run no peers")
    parser.add_argument("--quick", action="store_true", help="small, one round, no peers")
    parser.add_argument("--runs", type=int, help=f"runs of a part in a round (default {RUNS:,})")
    parser.add_argument("--rounds", type=int, help=f"how many rounds (default {ROUNDS})")
    parser.add_argument("--list-runs", type=int, help="runs in the list (default 1,000,000)")
    return parser


def _parts(asked: argparse.Namespace, parser: argparse.ArgumentParser) -> list[str]:
    without_peers = asked.quick or asked.no_peers
    every = [*OURS, *ONCE, *(() if without_peers else peers.PEERS)]
    chosen = asked.parts.split(",") if asked.parts else every
    if unknown := [part for part in chosen if part not in (*OURS, *ONCE, *peers.PEERS)]:
        parser.error(f"there is no part {', '.join(unknown)}")
    return chosen


def _machine() -> dict[str, Any]:
    return {
        "cpus": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_average": os.getloadavg()[0],
    }


def main(words: Sequence[str] | None = None) -> int:
    """Print the medians, and write them where asked to."""
    parser = _parser()
    asked = parser.parse_args(words)
    parts = _parts(asked, parser)
    rounds = asked.rounds or (1 if asked.quick else ROUNDS)
    machine = _machine()
    if any(part in peers.PEERS for part in parts):
        peers.prepare()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="runyard-bench-"))
        Path(folder).chmod(0o755)
        bench = Bench(
            runs=asked.runs or (200 if asked.quick else RUNS),
            list_runs=asked.list_runs or (20_000 if asked.quick else 1_000_000),
            folder=Path(folder),
            postgresql=stack.enter_context(running(SERVED)),
        )
        figures = _play(bench, parts, rounds)
    document = figures.document() | {"machine": machine, "rounds": rounds, "runs": bench.runs}
    print(figures.table())
    if asked.json:
        asked.json.write_text(json.dumps(document, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
