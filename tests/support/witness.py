"""A cloud that several engine processes share, and that writes down what really ran and when.

It says that it is a fake: its executions are rows of a database of their own, on the same server,
that begin and end by that server's clock. What it saw is judged afterwards, by itself, without
asking Runyard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random

import asyncpg

from runyard.flow.costing import billed_milliseconds
from runyard.model.errors import ProviderTimeout, ProviderUnavailable
from runyard.model.ids import AttemptKey, split_attempt_key
from runyard.model.outcome import Ending, Outcome, Usage
from runyard.provider.port import LaunchOrder, Phase, Released, Report
from runyard.provider.port_access import Access
from runyard.provider.port_jobs import Deployer
from tests.support.fake_jobs import FakeAccess, FakeJobs

TABLE = """CREATE TABLE executions (
    key TEXT PRIMARY KEY, run TEXT NOT NULL, job TEXT NOT NULL, ending TEXT NOT NULL,
    starts INTEGER NOT NULL, started_at TIMESTAMPTZ, ends_at TIMESTAMPTZ NOT NULL,
    reported INTEGER NOT NULL DEFAULT 0, released INTEGER NOT NULL DEFAULT 0)"""
LAUNCH = """INSERT INTO executions VALUES
    ($1, $2, $3, $4, 1, clock_timestamp(), clock_timestamp() + $5 * interval '1 ms')
    ON CONFLICT (key) DO NOTHING"""
STOP = """INSERT INTO executions VALUES
    ($1, $2, '', 'cancelled', 0, NULL, clock_timestamp())
    ON CONFLICT (key) DO UPDATE SET ending = 'cancelled', ends_at = clock_timestamp()
    WHERE executions.ends_at > clock_timestamp()"""
LOOK = """SELECT key, ending, starts, ends_at <= clock_timestamp(),
    extract(epoch FROM ends_at - coalesce(started_at, ends_at))::float
    FROM executions WHERE key = ANY ($1)"""
NEWS = """UPDATE executions SET reported = reported + 1
    WHERE ends_at <= clock_timestamp() AND reported < 3 RETURNING key"""


@dataclass(frozen=True, slots=True)
class Seen:
    """One execution as it was. `started` and `ended` are seconds of the server's clock."""

    key: str
    run: str
    job: str
    started: float
    ended: float
    released: bool


class WitnessedCloud:
    """One engine's hands in the shared cloud; answers get lost, and reports come up to thrice."""

    name = "witnessed"

    def __init__(self, url: str, random: Random, wake: Callable[[], None]) -> None:
        self.jobs: Deployer = FakeJobs()
        self.access: Access = FakeAccess()
        self._url = url
        self._random = random
        self._wake = wake
        self._pool: asyncpg.Pool | None = None

    async def start(self) -> None:
        """See `Provider.start`."""
        self._pool = await asyncpg.create_pool(self._url, min_size=1, max_size=4)

    async def close(self) -> None:
        """See `Provider.close`."""
        await self._connections.close()

    @property
    def _connections(self) -> asyncpg.Pool:
        assert self._pool is not None, "not started"
        return self._pool

    async def launch(self, order: LaunchOrder) -> Report:
        """See `Provider.launch`."""
        self._fail(0.02, ProviderUnavailable("503"))
        run, _ = split_attempt_key(order.key)
        ending = self._random.choices(["succeeded", "failed", "timed_out"], [8, 3, 1])[0]
        lasts_milliseconds = self._random.choice([1, 5, 20, 60])
        parameters = (order.key, run, order.job, ending, lasts_milliseconds)
        await self._connections.execute(LAUNCH, *parameters)
        asyncio.get_running_loop().call_later(lasts_milliseconds / 1000 + 0.002, self._wake)
        self._fail(0.03, ProviderTimeout("no answer, though the work was done"))
        return (await self.look([order.key]))[0]

    async def stop(self, key: AttemptKey) -> None:
        """See `Provider.stop`."""
        await self._connections.execute(STOP, key, split_attempt_key(key)[0])
        self._wake()

    async def look(self, keys: Sequence[AttemptKey]) -> list[Report]:
        """See `Provider.look`."""
        rows = await self._connections.fetch(LOOK, keys)
        known = {row[0]: _report(*row) for row in rows}
        return [known.get(key, Report(key, Phase.UNKNOWN)) for key in keys]

    async def changed(self) -> list[Report]:
        """See `Provider.changed`. Each end is reported to three who ask, whoever they are."""
        keys = [AttemptKey(row[0]) for row in await self._connections.fetch(NEWS)]
        return await self.look(keys)

    async def release(self, key: AttemptKey) -> Released:
        """See `Provider.release`."""
        sql = "UPDATE executions SET released = released + 1 WHERE key = $1"
        await self._connections.execute(sql, key)
        return Released()

    async def log_bytes(self) -> int:
        """See `Provider.log_bytes`."""
        return 0

    async def forget(self, key: AttemptKey) -> None:
        """See `Provider.forget`."""

    def _fail(self, chance: float, error: Exception) -> None:
        if self._random.random() < chance:
            raise error


def _report(key: str, ending: str, starts: int, is_over: bool, lasted_seconds: float) -> Report:
    if not is_over:
        return Report(AttemptKey(key), Phase.RUNNING, f"exec-{key}")
    wall = max(0, int(lasted_seconds * 1000))
    usage = Usage(1, wall, billed_milliseconds(wall)) if starts else Usage()
    outcome = Outcome(Ending(ending), f"it {ending}", usage=usage)
    return Report(AttemptKey(key), Phase.ENDED, f"exec-{key}", outcome=outcome)


async def furnish(url: str) -> None:
    """Make the witness's table."""
    connection = await asyncpg.connect(url)
    await connection.execute(TABLE)
    await connection.close()


async def what_ran(url: str) -> list[Seen]:
    """Everything that ran, in the order of starting."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        """SELECT key, run, job, extract(epoch FROM started_at)::float,
        extract(epoch FROM ends_at)::float, released > 0
        FROM executions WHERE starts > 0 ORDER BY started_at"""
    )
    await connection.close()
    return [Seen(*row) for row in rows]


def most_at_once(seen: Iterable[Seen]) -> int:
    """The most of them that ran at the same moment. What ends as another starts does not count."""
    changes = sorted(
        change for one in seen for change in ((one.started, 1), (max(one.started, one.ended), 0))
    )
    most = now = 0
    for _, begins in changes:
        now += 1 if begins else -1
        most = max(most, now)
    return most
