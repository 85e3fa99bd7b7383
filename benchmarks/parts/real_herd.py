"""A herd of schedules whose runs are real processes: how many of them start in a second.

Everything is as in `runyard up`: engine, the cloud on this machine with its book, the spawner. What
counts is from the one instant of all until the last run's process has ended and is settled.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from math import ceil
from pathlib import Path

import uvloop

from benchmarks.parts.answering import clock
from benchmarks.parts.clockwork import A_JOB, job
from runyard.config import Config
from runyard.gate.asking import Apply
from runyard.gate.door import Committed
from runyard.model.event import Released
from runyard.wiring import open_house, open_rows


def starts_per_second(folder: Path, schedules: int) -> float:
    """Processes a second of so many schedules that are due at once."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_play(folder, schedules))


async def _play(folder: Path, schedules: int) -> float:
    over, left = asyncio.Event(), schedules

    def observe(done: Committed) -> None:
        nonlocal left
        left -= sum(isinstance(fact, Released) for _, fact, _ in done.facts)
        if left <= 0:
            over.set()

    config = Config.load({"RUNYARD_STATE_FOLDER": str(folder)})
    async with (
        open_rows(config, "bench") as rows,
        open_house(config, rows, "bench", observe) as house,
    ):
        at = (clock() + timedelta(seconds=ceil(2 + schedules / 1_500))).replace(microsecond=0)
        hourly = {"schedule": "every 1h", "startAt": at.isoformat()}
        specs = [
            job(number, [hourly] * min(A_JOB, schedules - first))
            for number, first in enumerate(range(0, schedules, A_JOB))
        ]
        await house.engine.gate.ask(Apply(specs, "local", "bench", clock()))
        await over.wait()
    return schedules / (clock() - at).total_seconds()
