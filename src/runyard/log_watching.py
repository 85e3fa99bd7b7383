"""Reads what tasks print for as long as an engine works, for what jobs measure of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from runyard.cloud_wiring import clock
from runyard.engine.log_reading import EVERY, LogReading, Seen, nobody
from runyard.engine.loop import Loop
from runyard.model.errors import PlatformError
from runyard.process import beside
from runyard.provider.port import Viewer
from runyard.telemetry.recorder import Recorder
from runyard.wiring import Rows


@asynccontextmanager
async def reading_logs(
    rows: Rows, measures: Recorder, viewer: Viewer, seen: Seen = nobody
) -> AsyncIterator[None]:
    """Logs are read for as long as the block lasts; `seen` hears of what jobs measure."""
    reading = LogReading(rows.database, rows.store, viewer, measures, seen)
    loop = Loop("logs", reading.tick, clock, poll_seconds=EVERY.total_seconds())
    reading.wake = loop.wake
    measures.followers.append(reading.observe)
    try:
        async with beside(loop.run(), "logs"):
            yield
    finally:
        with suppress(PlatformError):  # what it missed is read by who comes next
            await reading.tick(clock())
