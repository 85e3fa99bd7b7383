"""How long an idle engine takes from a request to the start of the task's process.

Everything is real: gate, engine, the cloud on this machine with its own book, the spawner, a
process of `/bin/true` with all of its contract. The next request comes when the last run is over.
The end of the wait is the instant that the spawner noted when it had started the process.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import uvloop

from benchmarks.parts.answering import JOB, SPEC, clock
from runyard.cloud_wiring import Ids
from runyard.config import Config
from runyard.gate.asking import Apply, Request
from runyard.gate.door import Committed
from runyard.model.event import Released
from runyard.model.ids import RunId, attempt_key
from runyard.model.plan import RunRequest
from runyard.wiring import House, open_house, open_rows

WARMED = 20  #: runs before the first that counts: caches are filled by then, as they are in life


def milliseconds(folder: Path, runs: int) -> list[float]:
    """From request to start, for each of `runs`."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_play(folder, runs))


async def _play(folder: Path, runs: int) -> list[float]:
    over = asyncio.Event()

    def observe(done: Committed) -> None:
        if any(isinstance(fact, Released) for _, fact, _ in done.facts):
            over.set()

    config = Config.load({"RUNYARD_STATE_FOLDER": str(folder)})
    async with (
        open_rows(config, "bench") as rows,
        open_house(config, rows, "bench", observe) as house,
    ):
        await house.engine.gate.ask(Apply([SPEC], "local", "bench", clock()))
        ids = Ids("run")
        took = [await _one(house, ids, over) for _ in range(WARMED + runs)]
    return took[WARMED:]


async def _one(house: House, ids: Ids, over: asyncio.Event) -> float:
    over.clear()
    asked_at = clock()
    request = Request(RunRequest("local", JOB, "bench"), asked_at, lambda: RunId(ids()))
    (run,) = (await house.engine.gate.ask(request)).runs
    await over.wait()
    (task,) = await house.cloud.sights.viewer.tasks(attempt_key(run, 1))
    assert task.started_at is not None
    await asyncio.sleep(0.002)  # what the end of the last one left to do is done
    return (task.started_at - asked_at).total_seconds() * 1000
