"""The engine: the loops together, from coming up to letting go.

    due      starts what is due, ends what passed its deadline
    schedule has triggers do what they are due for
    recheck  proves that every enabled schedule is looked at in time
    events   has messages do what triggers make of them
    outbox   carries effects out
    watch    tells what the provider reports
    rescue   compares what is out with what the provider knows
    prune    forgets what is old
    waits    looks whether what runs wait for is there
    alerts   judges jobs by their rules; alerts and incidents go on by themselves
    expire   ends the waiting of operations that nobody said yes to
    replays  has dead letters replayed, each replay at its own pace

Order of coming up: the provider finds again what it left running; claims of dead engines are
freed; `rescue` looks at everything once; then all loops run. Letting go stops nothing that runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from runyard.channel.port import Channel, Voices
from runyard.database.port import Database, Tx
from runyard.database.signals import Signals
from runyard.engine import prune, recheck, rescue
from runyard.engine.alerts import AlertsLoop
from runyard.engine.carrier import LAUNCH_TRIES_MAX, Carrier
from runyard.engine.doing import Doing
from runyard.engine.due import DueLoop
from runyard.engine.events import Ears, EventLoop
from runyard.engine.expire import ExpireLoop
from runyard.engine.launching import Orders
from runyard.engine.loop import Loop, LoopHealth, Tick
from runyard.engine.notifying import Notifier
from runyard.engine.outbox import OutboxLoop
from runyard.engine.prune import PruneLoop, Retention
from runyard.engine.recheck import RecheckLoop
from runyard.engine.replays import ReplayLoop
from runyard.engine.rescue import RescueLoop
from runyard.engine.schedule import ScheduleLoop
from runyard.engine.steps import Hands, Steps
from runyard.engine.subjects import Measures
from runyard.engine.waits import WaitsLoop
from runyard.engine.watch import WatchLoop
from runyard.flow.freezing import Zones
from runyard.gate.door import LEASE, Committed, Gate, GateSettings
from runyard.gate.news import News
from runyard.model.ids import RunId
from runyard.provider.port import Provider
from runyard.store.memory import Store

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """`name` is unique among engines. `alone`: no other engine works on this database, so claims
    of other names are those of dead ones. `poll` bounds every loop's wait. `lease`: how long
    another engine leaves alone what this one claimed last. `tells`: see `GateSettings`."""

    name: str
    region_runs_max: int
    retention: Retention = Retention()
    poll: timedelta = timedelta(seconds=5)
    alone: bool = True
    launch_tries_max: int = LAUNCH_TRIES_MAX
    lease: timedelta = LEASE
    tells: bool = False


class Engine:
    """Made with its gate, because a gate that hands effects over belongs to an engine."""

    def __init__(
        self,
        database: Database,
        store: Store,
        provider: Provider,
        channel: Channel,
        voices: Voices,
        signals: Signals,
        clock: Clock,
        settings: EngineSettings,
        new_run_id: Callable[[], RunId],
        zones: Zones,
        observe: Callable[[Committed], None] = lambda _: None,
        ears: Ears | None = None,
        measures: Measures | None = None,
    ) -> None:
        self._database = database
        self._store = store
        self._provider = provider
        self._signals = signals
        self._clock = clock
        self._settings = settings
        self._observe = observe
        self._tasks: list[asyncio.Task[None]] = []
        self.gate = Gate(database, store, _gate_settings(settings), self._committed)
        self._orders = Orders(database, store)
        parts = (self.gate, self._orders, provider, channel, clock, new_run_id)
        carrier = Carrier(*parts, launch_tries_max=settings.launch_tries_max)
        rows = (self.gate, database, store)
        doing = Doing(*rows, provider.jobs, provider.access, clock)
        notifier = Notifier(*rows, self._orders, channel, voices, clock, zones)
        hands = Hands(carrier, Steps(*rows, doing, clock), notifier)
        self._outbox = OutboxLoop(
            database, store, hands, settings.name, self._wake_outbox, lease=settings.lease
        )
        self._alerts = AlertsLoop(*rows, zones, measures)
        self._rescue = RescueLoop(*rows, provider)
        events = EventLoop(*rows, new_run_id, ears)
        ticks = {
            "due": DueLoop(*rows).tick,
            **self._clocked(new_run_id, zones),
            "events": events.tick,
            "outbox": self._outbox.tick,
            "watch": WatchLoop(self.gate, provider).tick,
            "rescue": self._rescue.tick,
            "prune": PruneLoop(*rows, provider, settings.retention).tick,
            "alerts": self._alerts.tick,
        }
        self._loops = self._made(ticks)
        events.listen(self._loops["events"].wake)

    def _clocked(self, new_run_id: Callable[[], RunId], zones: Zones) -> dict[str, Tick]:
        """What has schedules fire, what proves that it does, and what else goes by the clock."""
        rows = (self.gate, self._database, self._store)
        schedule = ScheduleLoop(*rows, new_run_id, zones)
        return {
            "schedule": schedule.tick,
            "recheck": RecheckLoop(*rows, zones, lambda: schedule.looked_at).tick,
            "replays": ReplayLoop(*rows, new_run_id).tick,
            "expire": ExpireLoop(*rows).tick,
            "waits": WaitsLoop(*rows, self._provider.access).tick,
        }

    def _made(self, ticks: Mapping[str, Tick]) -> dict[str, Loop]:
        return {
            name: Loop(name, tick, self._clock, poll_seconds=self._poll(name).total_seconds())
            for name, tick in ticks.items()
        }

    async def start(self) -> None:
        """Come up. Raises StoreError or ProviderError when that cannot be."""
        await self._provider.start()
        if self._settings.alone:

            async def free(tx: Tx) -> int:
                return await self._store.outbox.unclaim_others(tx, self._settings.name)

            await self._database.write(free)
        await self._rescue.tick(self._clock())
        self._tasks = [
            asyncio.create_task(loop.run(), name=f"loop-{name}")
            for name, loop in self._loops.items()
        ]
        listening = self._database.listen(self._heard, self._missed)
        self._tasks.append(asyncio.create_task(listening, name="listen"))

    async def stop(self) -> None:
        """Let go: effects under way end, loops stop, what runs at the provider goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._outbox.finish()
        await self._provider.close()

    def wake_watch(self) -> None:
        """The provider has something new: the `wake` a provider is made with."""
        self._loops["watch"].wake()

    def health(self) -> list[LoopHealth]:
        """What each loop did last."""
        return [loop.health for loop in self._loops.values()]

    def _poll(self, loop: str) -> timedelta:
        """The safety poll of a loop; three loops have a rhythm of their own."""
        own = {"rescue": rescue.EVERY, "prune": prune.EVERY, "recheck": recheck.EVERY}
        return own.get(loop, self._settings.poll)

    def _wake_outbox(self) -> None:
        self._loops["outbox"].wake()

    def _committed(self, done: Committed) -> None:
        self._orders.committed(done.runs, self._clock())
        self._alerts.changed(done.triggers)
        if done.effects:
            self._outbox.hand_over(done.effects)
        woken = {
            "outbox": done.delayed,
            "due": done.runs_may_be_due,
            "waits": done.runs_await,
            "expire": done.operations_may_be_due,
            "replays": done.replays_may_be_due,
            "schedule": done.triggers_may_be_due,
            "events": bool(done.triggers),
            "alerts": self._alerts.ended(done.runs) or done.alerts,
        }
        for name, is_due in woken.items():
            if is_due:
                self._loops[name].wake()
        self._signals.send(done.topics())
        self._observe(done)

    def _heard(self, text: str) -> None:
        """Another process, or this one, has committed a batch."""
        news = News.read(text)
        if news.by == self._settings.name:
            return
        if news.effects:
            self._wake_outbox()
        if news.due:
            for loop in ("due", "schedule", "events", "alerts", "expire", "replays", "waits"):
                self._loops[loop].wake()
        self._signals.pass_on(news.topics)

    def _missed(self) -> None:
        """Batches of others may have gone by unheard: everybody looks."""
        for loop in self._loops.values():
            loop.wake()
        self._signals.pass_on(None)


def _gate_settings(settings: EngineSettings) -> GateSettings:
    return GateSettings(
        engine=settings.name,
        region_runs_max=settings.region_runs_max,
        lease=settings.lease,
        by=settings.name,
        tells=settings.tells,
    )
