"""A process that publishes events and makes runs of them, until it is killed.

`python -m tests.support.event_worker FOLDER`: ids of messages are printed once they are
published, a line for each request.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from runyard.database.migrations import migrate
from runyard.database.sqlite import SqliteDatabase
from runyard.engine.events import Ears, EventLoop
from runyard.gate.asking import Apply
from runyard.localcloud.pubsub.service import PubSub
from runyard.localcloud.schema import migrate as migrate_cloud
from runyard.model.ids import RANDOM_BITS, DeliveryId, RunId, stamped
from runyard.model.pubsub.message import Draft
from runyard.provider.local.pubsub import LocalBroker
from runyard.store.memory import MIGRATIONS
from tests.support.cloud import real_clock
from tests.support.gates import Yard, yard_on
from tests.support.runs import make_spec

TOPIC = "orders"
BATCH = 7  #: messages of a request


@dataclass(frozen=True)
class Works:
    """What publishes, and what makes runs."""

    yard: Yard
    broker: LocalBroker
    loop: EventLoop
    clock: Callable[[], datetime]


@asynccontextmanager
async def works_in(
    folder: Path, clock: Callable[[], datetime] = real_clock
) -> AsyncIterator[Works]:
    """Both over files in `folder`, as durable as a server's."""
    rows, cloud = SqliteDatabase(folder / "runyard.db"), SqliteDatabase(folder / "cloud.db")
    await migrate(rows, MIGRATIONS, clock())
    await migrate_cloud(cloud, clock())
    yard = yard_on(rows)
    broker = LocalBroker(PubSub.over(cloud, clock), clock)

    def new(kind: str) -> str:
        return stamped(kind, clock(), secrets.randbits(RANDOM_BITS))

    ears = Ears(broker, lambda: DeliveryId(new("dlv")))
    loop = EventLoop(yard.gate, rows, yard.store, lambda: RunId(new("run")), ears)
    spec = make_spec(triggers=[{"event": {"topic": TOPIC}}])
    await yard.gate.ask(Apply((spec,), "local", "ann", clock()))
    await loop.tick(clock())
    yield Works(yard, broker, loop, clock)
    await rows.close()
    await cloud.close()


async def _work(folder: Path) -> None:
    async with works_in(folder) as works:
        while True:
            ids, _ = await asyncio.gather(
                works.broker.publish("local", TOPIC, [Draft(b"x")] * BATCH),
                works.loop.tick(works.clock()),
            )
            print(*ids, flush=True)


if __name__ == "__main__":
    asyncio.run(_work(Path(sys.argv[1])))
