"""One engine process among several, with clients of its own: `python -m ... DOCUMENT`.

The document says which databases, how wrong the clock is, and what to ask for. It prints a line
when it is up, one for each answer to a request, and goes on until SIGTERM.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from runyard.database.postgresql import PostgresDatabase
from runyard.database.signals import Signals
from runyard.engine.engine import Engine, EngineSettings
from runyard.gate.asking import Request
from runyard.model.errors import CallerError, PlatformError
from runyard.model.event import CancelRequested
from runyard.model.ids import RunId, stamped
from runyard.model.notice import Notice
from runyard.model.plan import RunRequest
from runyard.store.memory import Store
from tests.support.channels import KeptVoices
from tests.support.witness import WitnessedCloud


@dataclass(frozen=True, slots=True)
class Orders:
    """What a process is told: `requests` by each of `callers`, some with keys that other
    processes use too, and how soon the others take over what it leaves."""

    name: str
    url: str
    cloud_url: str
    seed: int
    skew_seconds: float
    requests: int
    callers: int
    jobs: list[str]
    keys: int
    region_runs_max: int
    lease_seconds: float
    hang_seconds: float
    poll_seconds: float = 0.25


class Silent:
    """A channel that tells nobody."""

    name = "silent"

    async def send(self, notice: Notice) -> None:
        """See `Channel.send`."""


def say(**words: Any) -> None:
    """One line of JSON to whoever started us."""
    sys.stdout.buffer.write(orjson.dumps(words) + b"\n")
    sys.stdout.buffer.flush()


async def work(orders: Orders) -> None:
    """Come up, ask, carry out, until told to stop."""
    random = Random(orders.seed)
    skew = timedelta(seconds=orders.skew_seconds)

    def clock() -> datetime:
        return datetime.now(UTC) + skew  # noqa: TID251 - this process's clock, wrong on purpose

    database = await PostgresDatabase.open(
        orders.url, hang_seconds=orders.hang_seconds, name=orders.name
    )
    wakes: list[Callable[[], None]] = []
    cloud = WitnessedCloud(orders.cloud_url, random, lambda: wakes[0]())
    settings = EngineSettings(
        orders.name,
        orders.region_runs_max,
        poll=timedelta(seconds=orders.poll_seconds),
        alone=False,
        tells=True,
        lease=timedelta(seconds=orders.lease_seconds),
    )
    store = Store.of(database.dialect)
    engine = Engine(
        database,
        store,
        cloud,
        Silent(),
        KeptVoices(),
        Signals(),
        clock,
        settings,
        lambda: _new_id(clock(), random),
        ZoneInfo,
    )
    wakes.append(engine.wake_watch)
    await engine.start()
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    say(up=orders.name)
    clients = [
        asyncio.create_task(_ask(engine, orders, random, clock)) for _ in range(orders.callers)
    ]
    await asyncio.gather(*clients)
    say(asked=orders.name)
    await stopping.wait()
    await engine.stop()
    await database.close()


async def _ask(
    engine: Engine, orders: Orders, random: Random, clock: Callable[[], datetime]
) -> None:
    for _ in range(orders.requests):
        key = f"key-{random.randrange(orders.keys)}" if random.random() < 0.3 else ""
        number = int(key.removeprefix("key-")) if key else random.randrange(len(orders.jobs))
        job = orders.jobs[number % len(orders.jobs)]
        asked = RunRequest("local", job, orders.name, key=key)
        try:
            accepted = await engine.gate.ask(
                Request(asked, clock(), lambda: _new_id(clock(), random))
            )
        except PlatformError as error:
            say(failed=str(error))
            continue
        say(key=key, runs=accepted.runs)
        if random.random() < 0.1:
            await _cancel(engine, accepted.runs[0], clock())


async def _cancel(engine: Engine, run: RunId, now: datetime) -> None:
    try:
        await engine.gate.tell(run, CancelRequested("client"), now)
    except CallerError:
        return  # it was over already
    say(cancelled=run)


def _new_id(now: datetime, random: Random) -> RunId:
    return RunId(stamped("run", now, random.getrandbits(79)))


if __name__ == "__main__":
    asyncio.run(work(Orders(**orjson.loads(sys.argv[1]))))
