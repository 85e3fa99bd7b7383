"""`python -m tests.simulation --seeds 200` or `--seed 344`."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from concurrent.futures import ProcessPoolExecutor
from time import perf_counter

from tests.simulation.events import live as live_events
from tests.simulation.logs import live as live_logs
from tests.simulation.operations import live as live_operations
from tests.simulation.world import live


def attempt(seed: int) -> str:
    """Live one world of runs, of operations, of logs and of events; what went wrong, or nothing."""
    try:
        live(seed)
        live_operations(seed)
        live_logs(seed)
        live_events(seed)
    except BaseException as error:
        return f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
    return ""


def main() -> int:
    """Live through worlds and say which broke a promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=200, help="how many worlds, from --first on")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seed", type=int, help="one world only, with its traceback")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    seeds = [asked.seed] if asked.seed else list(range(asked.first, asked.first + asked.seeds))
    began = perf_counter()
    failed = 0
    with ProcessPoolExecutor(asked.workers) as pool:
        for seed, words in zip(seeds, pool.map(attempt, seeds, chunksize=8), strict=True):
            if words:
                failed += 1
                shown = words if asked.seed else words.splitlines()[0]
                print(f"seed {seed} broke a promise: {shown}")
                print(f"  again: make sim SEED={seed}")
    seconds = perf_counter() - began
    print(f"{len(seeds)} worlds, {failed} broken, {seconds:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
