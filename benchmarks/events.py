"""How fast events are: published until durable, pulled and acknowledged, made into runs.

`python -m benchmarks.events [--json PATH] [--messages N]`. Everything is as in a server: SQLite in
WAL mode with synchronous=FULL, so that whatever was answered outlasts a loss of power. Publishers
work at once, as requests do; a message has 200 bytes of data and two attributes. `runs_per_s` is
from messages that wait to runs that are admitted, each by the gate, before any is launched.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import quantiles
from time import perf_counter

from runyard.database.migrations import migrate as migrate_rows
from runyard.database.sqlite import SqliteDatabase
from runyard.engine.events import Ears, EventLoop
from runyard.localcloud.pubsub.service import PubSub
from runyard.localcloud.schema import migrate
from runyard.model.ids import DeliveryId, stamped
from runyard.model.pubsub.message import Draft
from runyard.model.pubsub.topic import Subscription, Topic
from runyard.provider.local.pubsub import LocalBroker
from runyard.store.deliveries import DeliveryQuestion
from runyard.store.memory import MIGRATIONS
from tests.support.gates import yard_on
from tests.support.runs import make_spec

NAME = "messages published one by one, durable"
UNIT = "a second"
MESSAGES = 20_000
PUBLISHERS = 256  #: that wait for their message at once
BATCH = 100
START = datetime(2026, 1, 1, tzinfo=UTC)
DRAFT = Draft(b"x" * 200, {"kind": "order", "region": "europe-west1"})


class _Clock:
    """Moves on by a microsecond with every look."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now


async def _published(
    cloud: PubSub, messages: int, batch: int, publishers: int
) -> tuple[float, float]:
    """Messages a second, and the milliseconds below which 99 of 100 publishers waited."""
    rounds = max(1, messages // batch // publishers)
    waits: list[float] = []

    async def publisher() -> None:
        for _ in range(rounds):
            began = perf_counter()
            await cloud.publishing.publish("bench", "events", [DRAFT] * batch)
            waits.append(perf_counter() - began)

    began = perf_counter()
    await asyncio.gather(*(publisher() for _ in range(publishers)))
    rate = rounds * publishers * batch / (perf_counter() - began)
    return rate, quantiles(waits, n=100)[98] * 1000


async def _consumed(cloud: PubSub) -> float:
    """Messages a second that are pulled and acknowledged, by 1,000."""
    count, began = 0, perf_counter()
    while found := await cloud.handing.pull("bench", "worker", 1000):
        await cloud.handing.ack("bench", "worker", [one.ack_id for one in found])
        count += len(found)
    return count / (perf_counter() - began)


async def _on_disk(measure: Callable[[PubSub], Awaitable[dict[str, float]]]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        database, clock = SqliteDatabase(Path(folder) / "cloud.db"), _Clock()
        await migrate(database, START)
        cloud = PubSub.over(database, clock)
        await cloud.administration.create_topic(Topic("bench", "events", START))
        asked = Subscription("bench", "worker", "events", START)
        await cloud.administration.create_subscription(asked)
        try:
            return await measure(cloud)
        finally:
            await database.close()


async def _all(cloud: PubSub, messages: int) -> dict[str, float]:
    single, single_p99 = await _published(cloud, messages, 1, PUBLISHERS)
    batch, batch_p99 = await _published(cloud, messages, BATCH, 4)
    return {
        "publish_single_per_s": single,
        "publish_single_p99_ms": single_p99,
        "publish_batch_per_s": batch,
        "publish_batch_p99_ms": batch_p99,
        "pull_ack_per_s": await _consumed(cloud),
    }


async def _admitted(messages: int) -> float:
    """Messages a second that a trigger makes runs of."""
    with tempfile.TemporaryDirectory() as folder:
        rows, cloud_rows = (SqliteDatabase(Path(folder) / name) for name in ("runs.db", "cloud.db"))
        await migrate_rows(rows, MIGRATIONS, START)
        await migrate(cloud_rows, START)
        yard, numbers = yard_on(rows, region_runs_max=1000), count(1)
        broker = LocalBroker(PubSub.over(cloud_rows, lambda: yard.now), lambda: yard.now)
        ears = Ears(broker, lambda: DeliveryId(stamped("dlv", yard.now, next(numbers))))
        loop = EventLoop(yard.gate, rows, yard.store, yard.new_id, ears)
        await yard.apply(make_spec(triggers=[{"event": {"topic": "events"}}]))
        await loop.tick(yard.now)
        for _ in range(messages // 1000):
            await broker.publish("local", "events", [DRAFT] * 1000)
        began = perf_counter()
        await loop.tick(yard.now)
        took = perf_counter() - began
        page = yard.store.deliveries.page
        found = await rows.read(lambda tx: page(tx, DeliveryQuestion(fate="accepted"), "", 10**6))
        assert len(found) == messages // 1000 * 1000
        await rows.close()
        await cloud_rows.close()
        return len(found) / took


def figures(messages: int) -> dict[str, float]:
    """Every figure, over so many messages each; runs over a quarter of them."""
    found = asyncio.run(_on_disk(lambda cloud: _all(cloud, messages)))
    return found | {"runs_per_s": asyncio.run(_admitted(max(1000, messages // 4)))}


def measure() -> float:
    """Messages a second."""
    return figures(MESSAGES)["publish_single_per_s"]


def main(argv: list[str]) -> int:
    """Print the figures, or write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="PATH")
    parser.add_argument("--messages", type=int, default=MESSAGES)
    asked = parser.parse_args(argv)
    found = figures(asked.messages)
    for name, value in found.items():
        print(f"{name:28} {value:12,.1f}")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
