"""Processes that make runs of events are killed: no event is lost, none runs twice."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

from runyard.database.port import Tx
from runyard.model.ids import RunId
from runyard.store.deliveries import DeliveryQuestion
from tests.support.cloud import real_clock
from tests.support.event_worker import works_in
from tests.support.tree import ROOT

LINES = (1, 12, 5, 20)  #: requests after which each process is killed


def test_no_event_is_lost_and_none_runs_twice(tmp_path: Path) -> None:
    published = {number for lines in LINES for number in _killed_after(lines, tmp_path)}
    assert len(published) >= 7 * sum(LINES)
    asyncio.run(_drained(tmp_path, published))


def _killed_after(lines: int, folder: Path) -> list[int]:
    """The ids that a process told of before it was killed."""
    words = [sys.executable, "-m", "tests.support.event_worker", str(folder)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        told += process.stdout.readlines()
    whole = [line for line in told if line.endswith("\n")]
    return [int(word) for line in whole for word in line.split()]


async def _drained(folder: Path, published: set[int]) -> None:
    """All that was left over is done by who comes next, once leases of the dead are over."""

    def later() -> datetime:
        return real_clock() + timedelta(minutes=5)

    async with works_in(folder, later) as works:
        await works.loop.tick(later())
        store = works.yard.store

        async def look(tx: Tx) -> tuple[list[str], list[RunId], int]:
            found = await store.deliveries.page(tx, DeliveryQuestion(fate="accepted"), "", 10**6)
            runs = [run for one in found for run in one.runs]
            ((count,),) = await tx.fetch("SELECT count(*) FROM runs")
            return [one.address for one in found], runs, count

        taken, runs, count = await works.yard.database.read(look)
        assert len(taken) == len(set(taken)) == len(set(runs)) == count
        assert {f"message {number}" for number in published} <= set(taken)
        backlog = (await works.broker.subscription("local", "runyard.trigger.shop.report.event"))[1]
        assert backlog.unacked == 0
