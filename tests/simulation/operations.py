"""Simulated worlds of operations: people who change jobs at the same time, engines that die between
any two steps, a provider that did the work and did not answer, or will not, and time.

The promises: every operation ends complete or undone (or is stuck, and ends once it is resumed);
then what is in force and what stands at the provider are the same; a job is never in the hands of
two operations, nor of one that has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from runyard.database.port import Database, Tx
from runyard.engine.doing import Doing
from runyard.engine.expire import ExpireLoop
from runyard.engine.outbox import OutboxLoop
from runyard.engine.steps import Steps
from runyard.flow.deployment import unlike
from runyard.flow.undertaking import Wish
from runyard.gate.door import Committed, Gate, GateSettings
from runyard.gate.operating import TellOperation
from runyard.gate.reserving import Aim, Undertake
from runyard.model.deployed import DeployedJob, Place
from runyard.model.effect import Compensate, Pending, Perform
from runyard.model.errors import (
    CallerError,
    PlatformError,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
)
from runyard.model.ids import OperationId, stamped
from runyard.model.operation import (
    FINAL,
    Approved,
    CancelAsked,
    Operation,
    OperationEvent,
    OperationKind,
    OperationState,
    Resumed,
)
from runyard.provider.port_jobs import DeployOrder
from runyard.store.jobs import JobRow
from tests.simulation.chance import one_of
from tests.simulation.loop import run
from tests.simulation.process import PausingDatabase
from tests.simulation.world import World
from tests.support.fake_jobs import FakeAccess, FakeJobs, plain
from tests.support.runs import make_spec

NAMES = ("one", "two", "three")
REGIONS = ("us-central1", "europe-west1")
STEPS = 160
Pause = Callable[[str], Awaitable[None]]


class FlakyJobs:
    """One engine's hands: each call may fail before or after it has worked."""

    def __init__(self, shared: FakeJobs, random: Random, faults: list[bool], pause: Pause) -> None:
        self._shared = shared
        self._random = random
        self._faults = faults
        self._pause = pause

    async def deploy(self, order: DeployOrder) -> DeployedJob:
        """See `Deployer.deploy`."""
        await self._before(refuses=True)
        done = await self._shared.deploy(order)
        await self._after()
        return done

    async def deployed(self, places: Sequence[Place]) -> list[DeployedJob | None]:
        """See `Deployer.deployed`."""
        await self._before()
        return await self._shared.deployed(places)

    async def remove(self, place: Place, fence: int) -> bool:
        """See `Deployer.remove`."""
        await self._before(refuses=True)
        done = await self._shared.remove(place, fence)
        await self._after()
        return done

    async def network(self, place: Place, template: Mapping[str, Any]) -> str:
        """See `Deployer.network`."""
        await self._before()
        return await self._shared.network(place, template)

    async def _before(self, *, refuses: bool = False) -> None:
        await self._pause("provider begins")
        if self._faults[0] and self._random.random() < 0.05:
            raise ProviderUnavailable("503")
        if refuses and self._faults[0] and self._random.random() < 0.04:
            raise ProviderRefused("no")

    async def _after(self) -> None:
        if self._faults[0] and self._random.random() < 0.1:
            raise ProviderTimeout("no answer, though the work was done")
        await self._pause("provider done")


@dataclass(slots=True)
class Hands:
    """What an outbox carries out here: steps."""

    steps: Steps

    async def carry(self, pending: Pending) -> None:
        """See `Carries.carry`."""
        assert isinstance(pending.effect, Perform | Compensate)
        await self.steps.carry(pending, pending.effect)


@dataclass(slots=True)
class Engine:
    """One simulated engine: real gate, real outbox, real steps; it dies with its tasks."""

    name: str
    gate: Gate
    database: PausingDatabase
    outbox: OutboxLoop
    expire: ExpireLoop
    clock: Callable[[], datetime]
    jobs: FlakyJobs
    faults: list[str] = field(default_factory=list)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Something it does."""
        if name in ("outbox", "expire") and any(t.get_name() == name for t in self.tasks):
            work.close()
            return
        task = asyncio.create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def tick(self, loop: str) -> None:
        """Begin one tick of a loop."""
        ticks = {"outbox": self.outbox.tick, "expire": self.expire.tick}
        self.spawn(self._tick(ticks[loop]), loop)

    def kill(self) -> None:
        """SIGKILL."""
        for task in [*self.tasks, *self.outbox.tasks(), *self.gate.tasks()]:
            task.cancel()

    async def _tick(self, tick: Callable[[datetime], Awaitable[Any]]) -> None:
        try:
            await tick(self.clock())
        except PlatformError:
            return  # the loop would log it and come back

    def _done(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.faults.append(f"{self.name}: {task.get_name()}: {task.exception()!r}")


class OperationsWorld(World):
    """A world of its own, made whole from `seed`."""

    def __init__(self, seed: int, database: Database | None = None) -> None:
        super().__init__(seed, database)
        self.shared = FakeJobs()
        self.engines: list[Engine] = []
        self.flaky = [True]

    async def live(self) -> None:
        """The whole life of the world. Raises AssertionError when a promise is broken."""
        asyncio.get_running_loop().set_exception_handler(self._unhandled)
        await self._migrate()
        self._boot()
        self._boot()
        for _ in range(STEPS):
            await self._step()
        await self._come_to_rest()
        await self._check_rest()
        await self.database.close()

    def _boot(self) -> None:
        self._numbers += 1
        name = f"engine-{self._numbers}"
        skew = timedelta(seconds=self.random.uniform(-30, 30))

        def clock() -> datetime:
            return self.now + skew

        async def pause(where: str) -> None:
            await self.pause(f"{name}: {where}")

        mine = PausingDatabase(self.database, pause)
        outboxes: list[OutboxLoop] = []

        def committed(done: Committed) -> None:
            outboxes[0].hand_over(done.effects)

        gate = Gate(mine, self.store, GateSettings(name, 9), committed)
        jobs = FlakyJobs(self.shared, self.random, self.flaky, pause)
        doing = Doing(gate, mine, self.store, jobs, FakeAccess(), clock)
        steps = Steps(gate, mine, self.store, doing, clock, tries_max=6)
        outboxes.append(OutboxLoop(mine, self.store, Hands(steps), name, lambda: None))
        expire = ExpireLoop(gate, mine, self.store)
        self.engines.append(Engine(name, gate, mine, outboxes[0], expire, clock, jobs))

    async def _step(self) -> None:
        what = [
            (self._advance, 6), (self._begin, 8), (self._say, 3), (self._tick, 14), (self._kill, 2),
        ]  # fmt: skip
        one_of(self.random, what)()
        await self._settle(self.random.randrange(1, 14))
        await self._check()

    def _tick(self) -> None:
        engine = self.random.choice(self.engines)
        engine.tick(self.random.choice(["outbox", "outbox", "outbox", "expire"]))

    def _kill(self) -> None:
        engine = self.random.choice(self.engines)
        engine.kill()
        self.engines.remove(engine)
        self._boot()

    # -- people ----------------------------------------------------------------------------------
    def _begin(self) -> None:
        engine = self.random.choice(self.engines)
        names = self.random.sample(NAMES, self.random.choice([1, 1, 2]))
        deletes = self.random.random() < 0.35
        needed = self.random.choice([0, 0, 0, 1])
        engine.spawn(self._wish(engine, names, deletes, needed), "ask")

    async def _wish(self, engine: Engine, names: Sequence[str], deletes: bool, needed: int) -> None:
        documents = {name: None if deletes else self._document(name) for name in names}
        rows = {name: await self._row(engine.database, name) for name in names}
        try:
            aims = [await self._aim(engine, rows[name], name, documents[name]) for name in names]
            kind = OperationKind.DELETE if deletes else OperationKind.APPLY
            now = engine.clock()
            wish = Wish(
                self._new_operation(now), kind, "local", "ann", now, approvals_needed=needed,
                grace_seconds=60,
            )  # fmt: skip
            await engine.gate.ask(Undertake(wish, aims, timedelta(seconds=50), now))
        except (CallerError, ProviderUnavailable):
            return  # somebody else is changing it, or it is not there

    async def _aim(
        self, engine: Engine, row: JobRow | None, name: str, document: Mapping[str, Any] | None
    ) -> Aim:
        regions = dict.fromkeys(
            region for one in (document, row.document if row else None) if one
            for region in one["regions"]
        )  # fmt: skip
        places = [Place("shop", "local", region, name) for region in regions]
        found = await engine.jobs.deployed(places)
        live = dict(zip(regions, found, strict=True))
        return Aim(("shop", name), row.revision if row else 0, live, document)

    def _document(self, name: str) -> Mapping[str, Any]:
        regions = self.random.sample(REGIONS, self.random.choice([1, 2]))
        container = {"image": "busybox", "command": [str(self.random.randrange(5))]}
        template = {"template": {"containers": [container]}}
        document: Mapping[str, Any] = plain(
            make_spec(name, regions=regions, template=template).document()
        )
        return document

    def _say(self) -> None:
        engine = self.random.choice(self.engines)
        engine.spawn(self._say_one(engine), "say")

    async def _say_one(self, engine: Engine) -> None:
        live = [one for one in await self._operations(self.database) if not one.is_final]
        if not live:
            return
        one, now = self.random.choice(live), engine.clock()
        says: dict[OperationState, OperationEvent] = {
            OperationState.WAITING: Approved("bob"),
            OperationState.STUCK: Resumed("bob"),
        }
        event = says.get(one.state, CancelAsked("bob"))
        try:
            await engine.gate.ask(TellOperation(one.id, event, now))
        except CallerError:
            return  # it went on meanwhile

    def _new_operation(self, now: datetime) -> OperationId:
        self._numbers += 1
        return OperationId(stamped("op", now, (self._numbers << 20) | self.random.getrandbits(20)))

    # -- looking ---------------------------------------------------------------------------------
    async def _row(self, database: Database | PausingDatabase, name: str) -> JobRow | None:
        async def work(tx: Tx) -> list[JobRow]:
            return await self.store.jobs.named(tx, "local", name)

        found = await database.read(work)
        return found[0] if found else None

    async def _operations(self, database: Database) -> list[Operation]:
        async def work(tx: Tx) -> list[Operation]:
            return await self.store.operations.page(tx, "local", None, 1000)

        return await database.read(work)

    # -- promises --------------------------------------------------------------------------------
    async def _check(self) -> None:
        faults = [fault for engine in self.engines for fault in engine.faults]
        assert not faults + self._faults, faults + self._faults
        operations = {one.id: one for one in await self._operations(self.database)}
        held: dict[str, str] = {}
        for name in NAMES:
            row = await self._row(self.database, name)
            if row is not None and row.operation:
                held[name] = row.operation
                assert not operations[OperationId(row.operation)].is_final, f"{name} is held on"
        for one in operations.values():
            if not one.is_final:
                for job in one.jobs:
                    assert held.get(job.name) == one.id, f"{job.name} is not held by {one.id}"

    async def _come_to_rest(self) -> None:
        """No more faults, no more wishes: everything must come to its end."""
        self.flaky[0] = False
        for _ in range(60):
            self.calm = not self._paused
            self.now += timedelta(seconds=31)
            for engine in self.engines:
                engine.tick("expire")
                engine.tick("outbox")
            if all(one.is_final for one in await self._operations(self.database)):
                break
            for one in await self._operations(self.database):
                if one.state is OperationState.STUCK:
                    self.engines[0].spawn(self._say_one(self.engines[0]), "say")
            await self._settle(10_000)
            await self._check()

    async def _check_rest(self) -> None:
        for one in await self._operations(self.database):
            assert one.state in FINAL, f"{one.id} is {one.state}: {one.trouble}"
        wanted: set[Place] = set()
        for name in NAMES:
            row = await self._row(self.database, name)
            if row is None:
                continue
            assert (row.operation, row.blocked) == ("", ""), f"{name} is {row.blocked}"
            for region in row.document["regions"]:
                place = Place("shop", "local", region, name)
                wanted.add(place)
                apart = unlike(self.shared.jobs.get(place), row.document)
                assert not apart, f"{name} in {region}: {'; '.join(apart)}"
        left = set(self.shared.jobs) - wanted
        assert not left, f"left behind: {left}"
        assert await self.database.read(self.store.outbox.count) == 0


def live(seed: int, database: Database | None = None) -> None:
    """Live through the world of operations of `seed`."""
    world = OperationsWorld(seed, database)
    with world.heard():
        run(world.live())
