"""Tells engines at once of what is published in a process that has none.

Topics are in a file of the cloud here, beside the database: a commit there wakes nobody elsewhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from runyard.database.port import Database, Tx
from runyard.database.signals import Listener
from runyard.gate.news import News
from runyard.model.errors import StoreError
from runyard.process import beside


@asynccontextmanager
async def telling_of_events(
    database: Database, listen: Callable[[Callable[[], None]], None], by: str
) -> AsyncIterator[None]:
    """Whatever `listen` says of is told to who follows `database`, by `by`, for as long as the
    block lasts. One word is for all that came while the last one was told; one that is lost costs
    a wait for the engine's own look."""
    published = Listener()
    listen(published.wake)
    text = News(by, (), due=True, effects=False).text()

    async def tell(tx: Tx) -> None:
        await tx.notify(text)

    async def run() -> None:
        while True:
            await published.wait()
            with suppress(StoreError):
                await database.write(tell)

    async with beside(run(), "event news"):
        yield
