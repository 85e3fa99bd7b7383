"""One run of 10,000 short tasks, each a real process: how fast, with how much memory, and how quick
lists stay meanwhile.

    python -m benchmarks.tasks [--json PATH] [--tasks N]

Everything is as in `runyard up`. Four times a second it looks at the memory of this process and
of the spawner, and asks for a page of runs and a page of the run's tasks, as people would.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import uvloop

from benchmarks.parts.answering import clock
from benchmarks.parts.processes import resident_mib
from runyard.cloud_wiring import Ids
from runyard.config import Config
from runyard.database.port import Tx
from runyard.gate.asking import Apply, Request
from runyard.gate.door import Committed
from runyard.model.event import Released
from runyard.model.ids import AttemptKey, RunId, attempt_key
from runyard.model.job import JobSpec
from runyard.model.plan import RunRequest
from runyard.model.run import Run, State
from runyard.store.run_list import RunQuestion, page
from runyard.wiring import House, open_house, open_rows

NAME = "tasks of one run, real processes"
UNIT = "a second"
TASKS = 10_000
LOOK_SECONDS = 0.25
PAGE = 51


@dataclass(slots=True)
class Looks:
    """What was seen while it ran."""

    memory_mib: list[float] = field(default_factory=list)
    spawner_mib: list[float] = field(default_factory=list)
    runs_page_ms: list[float] = field(default_factory=list)
    tasks_page_ms: list[float] = field(default_factory=list)

    async def look(self, house: House, key: AttemptKey) -> None:
        """Look once."""

        async def work(tx: Tx) -> list[Run]:
            return await page(tx, house.store.runs, RunQuestion(), None, PAGE)

        began = perf_counter()
        await house.database.read(work)
        self.runs_page_ms.append(1000 * (perf_counter() - began))
        began = perf_counter()
        await house.cloud.sights.viewer.tasks(key, 0, PAGE)
        self.tasks_page_ms.append(1000 * (perf_counter() - began))
        self.memory_mib.append(resident_mib(os.getpid()))
        self.spawner_mib.append(resident_mib(house.cloud.spawner.pid))


def played(folder: Path, tasks: int) -> dict[str, float]:
    """The figures of one run of so many tasks."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_play(folder, tasks))


async def _play(folder: Path, tasks: int) -> dict[str, float]:
    over, looks = asyncio.Event(), Looks()

    def observe(done: Committed) -> None:
        if any(isinstance(fact, Released) for _, fact, _ in done.facts):
            over.set()

    config = Config.load({"RUNYARD_STATE_FOLDER": str(folder)})
    async with (
        open_rows(config, "bench") as rows,
        open_house(config, rows, "bench", observe) as house,
    ):
        await house.engine.gate.ask(Apply([_spec(tasks)], "local", "bench", clock()))
        ids, began = Ids("run"), perf_counter()
        asked = Request(RunRequest("local", "many", "bench"), clock(), lambda: RunId(ids()))
        (run,) = (await house.engine.gate.ask(asked)).runs
        while not over.is_set():
            await looks.look(house, attempt_key(run, 1))
            await asyncio.wait((asyncio.ensure_future(over.wait()),), timeout=LOOK_SECONDS)
        seconds = perf_counter() - began
        (found,) = await house.database.read(lambda tx: house.store.runs.get(tx, [run]))
        assert found.state is State.SUCCEEDED, found.reason
        assert found.outcome is not None
        assert found.outcome.succeeded_count == tasks
    return _figures(tasks / seconds, looks)


def _spec(tasks: int) -> JobSpec:
    task = {"containers": [{"image": "busybox", "command": ["/bin/true"]}], "maxRetries": 0}
    template = {"taskCount": tasks, "template": task}
    return JobSpec.from_document({"project": "bench", "name": "many", "template": template})


def _figures(per_second: float, looks: Looks) -> dict[str, float]:
    fifth = max(1, len(looks.memory_mib) // 5)
    figures = {
        "tasks_per_second": per_second,
        "memory_early_mib": statistics.median(looks.memory_mib[:fifth]),
        "memory_late_mib": statistics.median(looks.memory_mib[-fifth:]),
        "memory_most_mib": max(looks.memory_mib),
        "spawner_most_mib": max(looks.spawner_mib),
        "runs_page_ms": max(looks.runs_page_ms),
        "tasks_page_ms": max(looks.tasks_page_ms),
    }
    return {key: round(value, 2) for key, value in figures.items()}


def measure() -> float:
    """Tasks a second, of a smaller run."""
    with tempfile.TemporaryDirectory(prefix="runyard-bench-") as folder:
        Path(folder).chmod(0o755)
        return played(Path(folder), 500)["tasks_per_second"]


def main(words: list[str] | None = None) -> int:
    """Print the figures, and write them where asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tasks")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--tasks", type=int, default=TASKS)
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="runyard-bench-") as folder:
        Path(folder).chmod(0o755)
        figures = played(Path(folder), asked.tasks)
    for key, value in figures.items():
        print(f"{key:20} {value:10,.1f}")
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
