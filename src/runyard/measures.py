"""What is measured here: the time series that this process writes, and that the API reads.

They stand in a file of their own beside the runs', or in the PostgreSQL database that several
processes share (decision 31). Measuring must never keep work from being done: a file that is
damaged is put aside, and a new one begun.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

from runyard.cloud_wiring import clock
from runyard.config import Config
from runyard.database.port import Database
from runyard.database.sqlite import SqliteDatabase
from runyard.engine.loop import Loop
from runyard.model.errors import (
    PlatformError,
    SchemaMismatch,
    StoreError,
    StoreFull,
    StoreUnavailable,
)
from runyard.process import beside
from runyard.telemetry.recorder import FLUSH_SECONDS, Recorder
from runyard.telemetry.series import TimeSeries
from runyard.wiring import Rows

LOGGER = logging.getLogger("runyard")
FILE = "telemetry.db"


@asynccontextmanager
async def measuring(config: Config, rows: Rows, name: str) -> AsyncIterator[Recorder]:
    """A recorder that writes for as long as the block lasts; `name` is this process's alone.

    Raises SchemaMismatch, StoreError.
    """
    own = None if config.database_url else await open_series(config.state_folder / FILE)
    database = own or rows.database
    try:
        if own is None:
            await TimeSeries.migrate(database, clock())
        retention = timedelta(seconds=config.metrics_retention_seconds)
        recorder = Recorder(database, name, retention)
        loop = Loop("telemetry", recorder.tick, clock, poll_seconds=FLUSH_SECONDS)
        try:
            async with beside(loop.run(), "telemetry"):
                yield recorder
        finally:
            with suppress(PlatformError):  # what is measured is worth no failed ending
                await recorder.flush(clock())
    finally:
        if own is not None:
            await own.close()


async def open_series(path: Path) -> Database:
    """The database file at `path` with today's schema; begun anew when it is damaged.

    Raises SchemaMismatch, StoreError.
    """
    try:
        return await _opened(path)
    except (SchemaMismatch, StoreUnavailable, StoreFull):
        raise
    except StoreError as error:
        aside = path.with_name(f"{path.name}.damaged-{clock():%Y%m%dT%H%M%S}")
        LOGGER.warning("%s; it is put aside as %s", error.message, aside.name)
        await asyncio.to_thread(_put_aside, path, aside)
        return await _opened(path)


def _put_aside(path: Path, aside: Path) -> None:
    path.rename(aside)
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


async def _opened(path: Path) -> Database:
    # not synced with each commit: a power cut may cost the last seconds, never the file
    database = SqliteDatabase(path, synchronous="NORMAL", readers=1)
    try:
        await TimeSeries.migrate(database, clock())
    except BaseException:
        await database.close()
        raise
    return database
