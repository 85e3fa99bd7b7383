"""One simulated engine of a world of events: real gate, real loops, a real broker, on two shared
databases. It can be killed at any pause, with everything that it has under way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from runyard.database.port import Database
from runyard.engine.events import Ears, EventLoop
from runyard.engine.prune import PruneLoop, Retention
from runyard.engine.schedule import ScheduleLoop
from runyard.gate.door import Gate, GateSettings
from runyard.localcloud.pubsub.push_requests import PushRequest
from runyard.localcloud.pubsub.service import PubSub
from runyard.model.errors import PlatformError, ProviderTimeout, ProviderUnavailable
from runyard.model.ids import DeliveryId, RunId
from runyard.model.pubsub.message import Delivery, Draft
from runyard.model.pubsub.topic import Subscription, Topic
from runyard.provider.local.pubsub import LocalBroker
from runyard.store.memory import Store
from tests.simulation.process import Pause, PausingDatabase
from tests.simulation.silence_promises import Place
from tests.support.fake_provider import ScriptedProvider

T = TypeVar("T")
REGION_RUNS_MAX = 10_000  #: nothing carries out what runs want here: none is in the way
HOURS = timedelta(hours=2)
RETENTION = Retention(deliveries=HOURS, filtered=HOURS)


class FlakyBroker(LocalBroker):
    """One engine's hands at the broker: each call may fail before or after it has worked. `acking`
    hears what is about to be acknowledged."""

    def __init__(
        self,
        cloud: PubSub,
        clock: Callable[[], datetime],
        random: Random,
        faults: list[bool],
        acking: Callable[[str, Sequence[str]], None],
    ) -> None:
        super().__init__(cloud, clock)
        self._random = random
        self._faults = faults
        self._acking = acking

    async def create_topic(self, environment: str, name: str, retention_seconds: int = 0) -> Topic:
        """See `Broker.create_topic`."""
        self._before()
        return self._after(await super().create_topic(environment, name, retention_seconds))

    async def create_subscription(self, asked: Subscription) -> Subscription:
        """See `Broker.create_subscription`."""
        self._before()
        return self._after(await super().create_subscription(asked))

    async def delete_subscription(
        self, environment: str, name: str, made_at: datetime | None = None
    ) -> Subscription:
        """See `Broker.delete_subscription`."""
        self._before()
        return self._after(await super().delete_subscription(environment, name, made_at))

    async def publish(self, environment: str, topic: str, drafts: Sequence[Draft]) -> Sequence[int]:
        """See `Broker.publish`."""
        self._before()
        return self._after(await super().publish(environment, topic, drafts))

    async def pull(
        self, environment: str, name: str, limit: int, wait: timedelta = timedelta(0)
    ) -> Sequence[Delivery]:
        """See `Broker.pull`."""
        self._before()
        return self._after(await super().pull(environment, name, limit, wait))

    async def ack(self, environment: str, name: str, ack_ids: Sequence[str]) -> int:
        """See `Broker.ack`."""
        self._before()
        self._acking(name, ack_ids)
        return self._after(await super().ack(environment, name, ack_ids))

    async def modify(
        self, environment: str, name: str, ack_ids: Sequence[str], seconds: int
    ) -> int:
        """See `Broker.modify`."""
        self._before()
        return self._after(await super().modify(environment, name, ack_ids, seconds))

    def _before(self) -> None:
        if self._faults[0] and self._random.random() < 0.03:
            raise ProviderUnavailable("503")

    def _after(self, done: T) -> T:
        if self._faults[0] and self._random.random() < 0.04:
            raise ProviderTimeout("no answer, though the work was done")
        return done


@dataclass(slots=True)
class Surroundings:
    """What all engines of a world share. `look` says what had happened when somebody begins to
    look; `answers` is what the endpoint of pushes says."""

    rows: Database
    cloud: Database
    store: Store
    random: Random
    faults: list[bool]
    now: Callable[[], datetime]
    new: Callable[[str], str]
    pause: Pause
    look: Callable[[], Place]
    acking: Callable[[str, Sequence[str]], None]
    answers: Callable[[PushRequest, Pause], Awaitable[int]]


class EventEngine:
    """An engine with a name, a clock that is a little wrong, and tasks that die with it."""

    def __init__(self, name: str, skew: timedelta, around: Surroundings) -> None:
        self.name = name
        self.skew = skew
        self.faults: list[str] = []
        self.ticking: dict[str, Place] = {}  #: loops that go round, and since when
        self._around = around
        self._tasks: set[asyncio.Task[Any]] = set()
        rows = PausingDatabase(around.rows, self.pause)
        cloud = PausingDatabase(around.cloud, self.pause)
        self.gate = Gate(rows, around.store, GateSettings(name, REGION_RUNS_MAX))
        self.pubsub = PubSub.over(cloud, self.clock, lambda sent: around.answers(sent, self.pause))
        self.broker = FlakyBroker(
            self.pubsub, self.clock, around.random, around.faults, around.acking
        )
        ears = Ears(self.broker, lambda: DeliveryId(around.new("dlv")))
        mine = (self.gate, rows, around.store)
        prune = PruneLoop(*mine, ScriptedProvider(), RETENTION)
        self._ticks: dict[str, Callable[[datetime], Awaitable[Any]]] = {
            "events": EventLoop(*mine, self.new_run_id, ears).tick,
            "schedule": ScheduleLoop(*mine, self.new_run_id, ZoneInfo).tick,
            "prune": prune.tick,
            "forget": lambda _: self.pubsub.administration.forget_old(),
        }

    def clock(self) -> datetime:
        """This machine's idea of the time."""
        return self._around.now() + self.skew

    def new_run_id(self) -> RunId:
        """See `Gate`."""
        return RunId(self._around.new("run"))

    async def pause(self, where: str) -> None:
        """A place to be overtaken, or killed."""
        await self._around.pause(f"{self.name}: {where}")

    def push(self) -> None:
        """Push messages from now on, until it dies."""
        self.spawn(self.pubsub.pushing.run(), "push")

    def tick(self, loop: str) -> None:
        """Begin one tick of a loop, unless one is under way, as in life."""
        if loop not in self.ticking:
            self.ticking[loop] = self._around.look()
            self.spawn(self._tick(loop), loop)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Something it does."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def kill(self) -> None:
        """SIGKILL."""
        for task in [*self._tasks, *self.gate.tasks()]:
            task.cancel()

    async def _tick(self, loop: str) -> None:
        try:
            await self._ticks[loop](self.clock())
        except PlatformError:
            return  # the loop would log it and come back
        finally:
            self.ticking.pop(loop)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.faults.append(f"{self.name}: {task.get_name()}: {task.exception()!r}")
