"""An engine whose provider answers at once, so that what is left to measure is Runyard itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from runyard.cloud_wiring import run_ids
from runyard.database.migrations import migrate
from runyard.database.port import Database
from runyard.database.signals import Signals
from runyard.engine.engine import Engine, EngineSettings
from runyard.gate.asking import Apply
from runyard.gate.door import Committed
from runyard.model.channels import ChannelSpec
from runyard.model.event import Released as ReleasedFact
from runyard.model.ids import AttemptKey
from runyard.model.job import JobSpec
from runyard.model.notice import Notice
from runyard.model.outcome import Ending, Outcome, Usage
from runyard.provider.port import LaunchOrder, Phase, Released, Report
from runyard.provider.port_access import Access
from runyard.provider.port_jobs import Deployer
from runyard.store.memory import MIGRATIONS, Store
from tests.support.fake_jobs import FakeAccess, FakeJobs

JOB = "nothing"
TASK = {"containers": [{"image": "busybox", "command": ["/bin/true"]}], "maxRetries": 0}
SPEC = JobSpec.from_document({"project": "bench", "name": JOB, "template": {"template": TASK}})


def clock() -> datetime:
    """The clock that everybody here is handed."""
    return datetime.now(UTC)  # noqa: TID251


class Answering:
    """A provider whose attempts have ended when it answers, and a channel that says nothing."""

    name = "answering"

    def __init__(self) -> None:
        self.jobs: Deployer = FakeJobs()
        self.access: Access = FakeAccess()

    async def start(self) -> None:
        """Nothing to come up."""

    async def close(self) -> None:
        """Nothing to let go of."""

    async def launch(self, order: LaunchOrder) -> Report:
        """The attempt, begun and ended."""
        return _ended(order.key)

    async def stop(self, key: AttemptKey) -> None:
        """Nothing runs."""

    async def look(self, keys: Sequence[AttemptKey]) -> list[Report]:
        """They have ended."""
        return [_ended(key) for key in keys]

    async def changed(self) -> list[Report]:
        """Everything was said when it was launched."""
        return []

    async def release(self, key: AttemptKey) -> Released:
        """Nothing was held."""
        return Released()

    async def log_bytes(self) -> int:
        """See `Provider.log_bytes`."""
        return 0

    async def forget(self, key: AttemptKey) -> None:
        """Nothing is kept."""

    async def send(self, notice: Notice) -> None:
        """Nobody is told."""


def _ended(key: AttemptKey) -> Report:
    now = clock()
    usage = Usage(task_attempts=1, wall_milliseconds=5, billed_milliseconds=60_000)
    outcome = Outcome(Ending.SUCCEEDED, "it ended", started_at=now, ended_at=now, usage=usage)
    return Report(key, Phase.ENDED, "exec-1", outcome=outcome)


class Finished:
    """Counts the runs of which nothing is left to do: final, charged, released."""

    def __init__(self, wanted: int) -> None:
        self._left = wanted
        self.reached = asyncio.Event()

    def observe(self, done: Committed) -> None:
        """A batch became durable."""
        self._left -= sum(isinstance(fact, ReleasedFact) for _, fact, _ in done.facts)
        if self._left <= 0:
            self.reached.set()


class Mute:
    """Channels of an environment that has none."""

    async def send(self, environment: str, name: str, spec: ChannelSpec, notice: Notice) -> None:
        """See `Voices.send`."""


@asynccontextmanager
async def answering_engine(
    database: Database, signals: Signals, observe: Callable[[Committed], None]
) -> AsyncIterator[Engine]:
    """An engine at work on `database`, with one job in force."""
    await migrate(database, MIGRATIONS, clock())
    provider = Answering()
    engine = Engine(
        database,
        Store.of(database.dialect),
        provider,
        provider,
        Mute(),
        signals,
        clock,
        EngineSettings("bench", region_runs_max=100_000, poll=timedelta(seconds=60)),
        run_ids(),
        ZoneInfo,
        observe,
    )
    await engine.gate.ask(Apply([SPEC], "local", "bench", clock()))
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()
