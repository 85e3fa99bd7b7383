"""RESCUE: looks at how things are, whatever was said or lost: the safety net under `watch`.

An attempt that the provider does not know is lost, unless its launch is still in the outbox. One
that is to stop and goes on is told again: its launch may have come after its stop, at a provider
that does not remember one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from runyard.database.port import Database, Tx
from runyard.engine.reports import absorb
from runyard.gate.door import Gate
from runyard.model.ids import RunId
from runyard.model.run import Run, State
from runyard.provider.port import Phase, Provider, Report
from runyard.store.memory import Store

PAGE = 500  #: runs looked at together
EVERY = timedelta(seconds=10)


class RescueLoop:
    """One tick: every run with an attempt out is compared with the provider."""

    def __init__(
        self,
        gate: Gate,
        database: Database,
        store: Store,
        provider: Provider,
        *,
        page: int = PAGE,
    ) -> None:
        self._gate = gate
        self._database = database
        self._store = store
        self._provider = provider
        self._page_size = page

    async def tick(self, now: datetime) -> datetime | None:
        """Look at everything that is out."""
        after = RunId("")
        while page := await self._page(after):
            after = page[-1].id
            await self._compare(page, now)
        return now + EVERY

    async def _page(self, after: RunId) -> list[Run]:
        """Runs out after one of them, those on their way to the provider left out."""

        async def work(tx: Tx) -> list[Run]:
            ids: list[RunId] = []
            last = after
            while not ids:
                found = await self._store.runs.out(tx, last, self._page_size)
                if not found:
                    return []
                last = found[-1]
                pending = await self._store.outbox.launches_pending(tx, found)
                ids = [each for each in found if each not in pending]
            return sorted(await self._store.runs.get(tx, ids), key=lambda run: run.id)

        return await self._database.read(work)

    async def _compare(self, runs: Sequence[Run], now: datetime) -> None:
        reports = await self._provider.look([run.attempt_key for run in runs])
        news = [report for run, report in zip(runs, reports, strict=True) if _is_news(run, report)]
        await asyncio.gather(*(absorb(self._gate, report, now) for report in news))
        for run, report in zip(runs, reports, strict=True):
            if run.state is State.STOPPING and report.phase in _GOING_ON:
                await self._provider.stop(report.key)


_GOING_ON = frozenset({Phase.PENDING, Phase.RUNNING})


def _is_news(run: Run, report: Report) -> bool:
    if report.phase in (Phase.ENDED, Phase.UNKNOWN):
        return True
    return run.state is State.LAUNCHING and report.phase is not Phase.UNSEEN
