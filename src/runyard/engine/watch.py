"""WATCH: carries the provider's reports to the gate as soon as something changes."""

from __future__ import annotations

import asyncio
from datetime import datetime

from runyard.engine.reports import absorb
from runyard.gate.door import Gate
from runyard.provider.port import Phase, Provider, Report


class WatchLoop:
    """One tick: every report there is. A report that could not be told is kept for the next."""

    def __init__(self, gate: Gate, provider: Provider) -> None:
        self._gate = gate
        self._provider = provider
        self._kept: list[Report] = []

    async def tick(self, now: datetime) -> datetime | None:
        """Tell what has ended. Launches tell their own beginning; the rest is for people."""
        reports = [*self._kept, *await self._provider.changed()]
        ended = [report for report in reports if report.phase is Phase.ENDED]
        self._kept = ended
        await asyncio.gather(*(absorb(self._gate, report, now) for report in ended))
        self._kept = []
        return None
