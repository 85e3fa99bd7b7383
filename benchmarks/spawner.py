"""Runs of /bin/true a second with the whole contract, beside a bare posix_spawn loop.

The whole contract: a process of its own that outlives us, a working folder, a control group with
a memory limit where the machine grants one, both streams through pipes into a log, a timeout, an
environment of its own, measured CPU and memory, everything removed, the end kept until it is
acknowledged. The two are measured by turns, so that what disturbs one disturbs the other.

`python -m benchmarks.spawner [--json PATH]`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from runyard.localcloud.logging.format import STDOUT, encode_block
from runyard.localcloud.spawner.client import SpawnerClient
from runyard.localcloud.spawner.port import TaskOrder

NAME = "runs with the whole contract"
UNIT = "% of a bare posix_spawn loop"
ROUNDS = 5
RUNS = 400
IN_FLIGHT = 16
OUTPUT_LINE = b"2026-01-01 00:00:00 INFO a usual line of output, number 12345, done in 3.4 ms\n"


def measure() -> float:
    """Our rate as a percentage of the bare loop's."""
    rounds = asyncio.run(_rounds(1, cgroup=True))
    return 100 * rounds["ratio"][0]


def bare(runs: int) -> float:
    """Runs a second of a loop that starts one process, awaits it, and does nothing else."""
    began = perf_counter()
    for _ in range(runs):
        os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
    return runs / (perf_counter() - began)


def output_milliseconds() -> float:
    """What a megabyte of plain output costs to make into entries (reading and writing apart)."""
    block = OUTPUT_LINE * (65536 // len(OUTPUT_LINE))
    began = perf_counter()
    for _ in range(100):
        encode_block(1, 0, 0, STDOUT, block)
    return (perf_counter() - began) * 1000 / (100 * len(block) / 1e6)


class _Yard:
    """A spawner with a fixed number of tasks in flight."""

    def __init__(self, folder: Path, *, cgroup: bool) -> None:
        self._log = str(folder / "log")
        self._started = 0
        self.client = SpawnerClient(
            folder / "spawner",
            task_user="nobody",
            clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
            wake=lambda: self._woken.set(),
            cgroup=cgroup,
        )
        self._woken = asyncio.Event()

    async def rate(self, runs: int) -> float:
        """Runs a second, each from order to acknowledged end."""
        over = 0
        began = perf_counter()
        starting: set[asyncio.Task[bool]] = set()
        flying = 0
        left = runs
        while over < runs:
            while left and flying < IN_FLIGHT:
                task = asyncio.ensure_future(self.client.spawn(self._order()))
                starting.add(task)
                task.add_done_callback(starting.discard)
                left, flying = left - 1, flying + 1
            await self._woken.wait()
            self._woken.clear()
            ends = [end.key for end in await self.client.ends()]
            await self.client.forget(ends)
            over, flying = over + len(ends), flying - len(ends)
        return runs / (perf_counter() - began)

    def _order(self) -> TaskOrder:
        self._started += 1
        return TaskOrder(
            key=f"run-{self._started}",
            argv=("/bin/true",),
            env={"CLOUD_RUN_TASK_INDEX": "0"},
            log_path=self._log,
            task=0,
            attempt=0,
            timeout_seconds=60.0,
            memory_bytes=512 << 20,
        )


async def _rounds(rounds: int, *, cgroup: bool) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"bare": [], "ours": [], "ratio": [], "cpu": []}
    with tempfile.TemporaryDirectory() as folder:
        yard = _Yard(Path(folder), cgroup=cgroup)
        await yard.client.start()
        try:
            await yard.rate(RUNS // 4)
            for _ in range(rounds):
                before = bare(RUNS)
                cpu = _cpu_milliseconds(yard.client.pid)
                ours = await yard.rate(RUNS)
                found["cpu"].append((_cpu_milliseconds(yard.client.pid) - cpu) * 1000 / RUNS)
                floor = (before + bare(RUNS)) / 2
                found["bare"].append(floor)
                found["ours"].append(ours)
                found["ratio"].append(ours / floor)
            found["rss"] = [_resident_mib(yard.client.pid)]
        finally:
            await yard.client.close(stop=True)
    return found


def _cpu_milliseconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def main() -> int:
    """Print medians of five; with `--json PATH` write them there too."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    asked = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    for name, cgroup in (("as the machine grants", True), ("without control groups", False)):
        found = asyncio.run(_rounds(ROUNDS, cgroup=cgroup))
        figures[name] = {key: statistics.median(values) for key, values in found.items()}
        line = figures[name]
        print(
            f"{name:24} {line['ours']:6.0f} runs/s, bare loop {line['bare']:6.0f}/s, ratio"
            f" {line['ratio']:.2f}; spawner {line['cpu']:.0f} us CPU a run, {line['rss']:.1f} MiB"
        )
    figures["output"] = {"milliseconds_a_megabyte": output_milliseconds()}
    print(f"{'plain output':24} {figures['output']['milliseconds_a_megabyte']:6.2f} ms a megabyte")
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
