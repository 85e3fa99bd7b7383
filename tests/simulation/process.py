"""One simulated engine process: real gate, real loops, on a shared database and a shared cloud.

It can be killed at any pause: everything it has under way is dropped where it stands, and nothing
it tries afterwards reaches the database or the cloud.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from runyard.database.port import Database, Work
from runyard.engine.alerts import AlertsLoop
from runyard.engine.carrier import Carrier
from runyard.engine.due import DueLoop
from runyard.engine.launching import Orders
from runyard.engine.outbox import OutboxLoop
from runyard.engine.prune import PruneLoop, Retention
from runyard.engine.recheck import RecheckLoop
from runyard.engine.replays import ReplayLoop
from runyard.engine.rescue import RescueLoop
from runyard.engine.schedule import ScheduleLoop
from runyard.engine.waits import WaitsLoop
from runyard.engine.watch import WatchLoop
from runyard.flow.incident import LOG
from runyard.gate.door import Committed, Gate, GateSettings
from runyard.model.errors import PlatformError
from runyard.model.ids import RunId
from runyard.model.notice import Notice
from runyard.store.memory import Store
from tests.simulation.alerts import Ears, FlakyVoices
from tests.simulation.cloud import Cloud, FlakyProvider
from tests.support.notifying import RunHands, make_notifier

T = TypeVar("T")
Pause = Callable[[str], Awaitable[None]]


class PausingDatabase:
    """A database whose transactions have a pause before and after them, to be killed at."""

    def __init__(
        self, inner: Database, pause: Pause, looked: Callable[[], None] = lambda: None
    ) -> None:
        """`looked` is called when a read has seen the rows, before anything else happens."""
        self.dialect = inner.dialect
        self._inner = inner
        self._pause = pause
        self._looked = looked

    async def write(self, work: Work[T]) -> T:
        """See `Database.write`."""
        await self._pause("write begins")
        result = await self._inner.write(work)
        await self._pause("write is durable")
        return result

    async def read(self, work: Work[T]) -> T:
        """See `Database.read`."""
        result = await self._inner.read(work)
        self._looked()
        await self._pause("read")
        return result

    async def listen(self, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        """See `Database.listen`."""
        await self._inner.listen(hear, missed)

    async def close(self) -> None:
        """See `Database.close`."""


class Process:
    """An engine with a name, a clock that is a little wrong, and tasks that die with it."""

    def __init__(
        self,
        name: str,
        database: Database,
        store: Store,
        cloud: Cloud,
        pause: Pause,
        skew: timedelta,
        ears: Ears,
        region_runs_max: int,
        committed: Callable[[Committed], None],
        new_id: Callable[[], RunId],
    ) -> None:
        self.name = name
        self.alive = True
        self.faults: list[str] = []
        self.skew = skew
        self._cloud = cloud
        self._ears = ears
        self._world_pause = pause
        self._tasks: set[asyncio.Task[Any]] = set()
        self._committed = committed
        mine = PausingDatabase(database, self.pause, ears.look)
        provider = FlakyProvider(cloud, self.pause)
        self.gate = Gate(mine, store, GateSettings(name, region_runs_max), self._on_committed)
        self._orders = Orders(mine, store)
        carrier = Carrier(self.gate, self._orders, provider, self, self.clock, new_id)
        voices = FlakyVoices(cloud.random, ears, self.pause, lambda: not cloud.faults)
        notifier = make_notifier(self.gate, mine, store, self.clock, self, voices)
        hands = RunHands(carrier, notifier)
        self._outbox = OutboxLoop(mine, store, hands, name, lambda: None)
        self._alerts = AlertsLoop(self.gate, mine, store, ZoneInfo)
        hour = timedelta(hours=1)
        retention = Retention(2 * hour, hour, 3 * hour, incidents=2 * hour, letters=3 * hour)
        schedule = ScheduleLoop(self.gate, mine, store, new_id, ZoneInfo)
        recheck = RecheckLoop(self.gate, mine, store, ZoneInfo, lambda: schedule.looked_at)
        self.ticks: dict[str, Callable[[datetime], Awaitable[datetime | None]]] = {
            "due": DueLoop(self.gate, mine, store).tick,
            "schedule": schedule.tick,
            "recheck": recheck.tick,
            "outbox": self._outbox.tick,
            "alerts": self._alerts.tick,
            "replays": ReplayLoop(self.gate, mine, store, new_id).tick,
            "watch": WatchLoop(self.gate, provider).tick,
            "waits": WaitsLoop(self.gate, mine, store, provider.access, self._reach).tick,
            "rescue": RescueLoop(self.gate, mine, store, provider).tick,
            "prune": PruneLoop(self.gate, mine, store, provider, retention).tick,
        }

    async def _reach(self, host: str, port: int) -> str:
        """A network that is away now and then, while there are faults."""
        await self.pause("reach")
        away = self._cloud.faults and self._cloud.random.random() < 0.5
        return f"{host}:{port} is away" if away else ""

    def clock(self) -> datetime:
        """This machine's idea of the time."""
        return self._cloud.now() + self.skew

    async def pause(self, where: str) -> None:
        """A place to be overtaken, or killed."""
        await self._world_pause(f"{self.name}: {where}")

    async def send(self, notice: Notice) -> None:
        """The channel: keeps what it was told."""
        await self.pause("log")
        self._ears.hear(LOG, notice)

    def tick(self, loop: str) -> None:
        """Begin one tick of a loop, unless one is under way, as in life."""
        if not any(task.get_name() == loop for task in self._tasks):
            self.spawn(self._tick(loop), loop)

    def spawn(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Something this process does."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.faults.append(f"{self.name}: {task.get_name()}: {task.exception()!r}")

    def kill(self) -> None:
        """SIGKILL."""
        self.alive = False
        for task in [*self._tasks, *self._outbox.tasks(), *self.gate.tasks()]:
            task.cancel()

    async def _tick(self, loop: str) -> None:
        try:
            await self.ticks[loop](self.clock())
        except PlatformError:
            return  # the loop would log it and come back

    def _on_committed(self, done: Committed) -> None:
        self._committed(done)
        self._orders.committed(done.runs, self.clock())
        self._outbox.hand_over(done.effects)
        self._alerts.ended(done.runs)
