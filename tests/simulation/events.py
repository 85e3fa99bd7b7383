"""Simulated worlds of events: publishers and senders who are not answered, subscribers who give
back or stay away, endpoints that fail, triggers that are paused, engines that race and die between
any two steps, and time.

The promises are checked by `message_promises`, `event_promises` and `silence_promises`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from runyard.database.port import Database, Tx
from runyard.database.sqlite import InlineSqlite
from runyard.engine.silence import PREFIX
from runyard.gate.asking import Apply
from runyard.model.ids import stamped
from runyard.model.instants import to_micros
from runyard.model.job import JobSpec
from runyard.model.trigger.row import Trigger, TriggerState
from tests.simulation.chance import one_of
from tests.simulation.event_engine import EventEngine, Surroundings
from tests.simulation.event_people import PULLED, TOPIC, People, moving
from tests.simulation.event_promises import MOVING, STEADY, EventPromises
from tests.simulation.loop import move_time, run
from tests.simulation.message_log import LoggedDatabase, cloud_image
from tests.simulation.message_promises import Item, MessagePromises
from tests.simulation.silence_promises import WITHIN, Place, SilencePromises
from tests.simulation.world import START, Complaints, World
from tests.support.runs import make_spec

STEPS = 110
SKEW_SECONDS, SET_SECONDS = 3, 120  #: how wrong a clock is, and one that somebody has set
PRICE = {"map": {"env": {"PRICE": {"from": "body.price", "type": "number"}}}}

JOBS: dict[str, list[dict[str, Any]]] = {
    "sold": [{"event": {"topic": TOPIC, "type": "sold"}, "filter": "body.paid = true"} | PRICE],
    "keyed": [
        {"event": {"topic": TOPIC, "filter": 'attributes.kind = "a"'}, "key": "body.order"},
    ],
    "batch": [
        {
            "event": {"topic": TOPIC, "filter": 'attributes.kind = "b"'},
            "batch": {"max": 3, "within": "40s"},
        }
        | PRICE
    ],
    "silent": [
        {
            "name": "told",
            "absence": {
                "of": {"event": {"topic": TOPIC, "filter": 'attributes.kind = "a"'}},
                "within": "75s",
            },
            "do": "alert",
        },
        {
            "name": "asked",
            "absence": {"of": {"event": {"topic": TOPIC, "type": "sold"}}, "within": "3m"},
        },
    ],
    "hooked": [{"webhook": {"kind": "github", "secret": "s"}} | PRICE],
}


def subscription_of(path: str) -> str:
    """The subscription of a trigger."""
    project, _, job, name = path.split("/")
    return f"{PREFIX}{project}.{job}.{name}"


STEADY_SUBSCRIPTIONS = {subscription_of(path) for path in (*STEADY, *WITHIN)}


class EventsWorld(World):
    """A world of its own, made whole from `seed`."""

    def __init__(self, seed: int, database: Database | None = None) -> None:
        super().__init__(seed, database)
        self.engines: list[EventEngine] = []
        self.flaky = [True]
        self.sets_clocks = self.random.random() < 0.5
        wrong = SET_SECONDS if self.sets_clocks else SKEW_SECONDS
        self.skew_max = timedelta(seconds=wrong)
        self.messages = MessagePromises(lambda: to_micros(self.now + self.skew_max))
        self.events = EventPromises()
        self.silences = SilencePromises(self._came_to, 2 * self.skew_max)
        self.topics = LoggedDatabase(InlineSqlite.copy_of(cloud_image()), self.messages.told)
        self._looks = 0
        self.people = People(
            self.random,
            self.flaky,
            self._new,
            self._look,
            self.messages,
            self.events,
            self.silences,
        )
        self.around = Surroundings(
            self.database,
            self.topics,
            self.store,
            self.random,
            self.flaky,
            lambda: self.now,
            self._new,
            self.pause,
            self._look,
            self.messages.acking,
            self.people.answer,
        )

    def _came_to(self, path: str) -> list[Item]:
        return self.messages.of(subscription_of(path))

    def _look(self) -> Place:
        self._looks += 1
        return self.messages.logged, self._looks

    def _new(self, kind: str) -> str:
        self._numbers += 1
        return stamped(kind, self.now, (self._numbers << 20) | self.random.getrandbits(20))

    async def live(self) -> None:
        """The whole life of the world. Raises AssertionError when a promise is broken."""
        asyncio.get_running_loop().set_exception_handler(self._unhandled)
        await self._migrate()
        await self._begin()
        for _ in range(STEPS):
            await self._step()
        await self._come_to_rest()
        await self._check_rest()
        await self._outlast()
        await self.database.close()
        await self.topics.close()

    async def _begin(self) -> None:
        self.calm, self.flaky[0] = True, False
        self._boot()
        self._boot()
        first = self.engines[0]
        await self.people.subscribe(first)
        specs = [*(_spec(name) for name in JOBS), moving("a")]
        now = first.clock()
        await first.gate.ask(Apply(specs, "local", "world", now))
        for path in WITHIN:
            self.silences.arming(path)
            self.silences.armed(path, self._look(), now)
        for loop in ("schedule", "events"):
            first.tick(loop)
            await self._settle(100)
        self.calm, self.flaky[0] = False, True

    def _boot(self) -> None:
        self._numbers += 1
        skew = timedelta(seconds=self.random.uniform(-SKEW_SECONDS, SKEW_SECONDS))
        engine = EventEngine(f"engine-{self._numbers}", skew, self.around)
        self.engines.append(engine)
        engine.push()

    @contextmanager
    def heard(self) -> Iterator[None]:
        """See `World.heard`; endpoints that fail are no faults."""
        complaints, logger = Complaints(self._faults), logging.getLogger("runyard.pubsub")
        logger.addHandler(complaints)
        try:
            with super().heard():
                yield
        finally:
            logger.removeHandler(complaints)

    # -- what happens -----------------------------------------------------------------------------
    async def _step(self) -> None:
        what: list[tuple[Callable[[], None], int]] = [
            (self._advance, 8), (self._say, 11), (self._pull, 6), (self._change, 2),
            (self._tick, 14), (self._kill, 1), (self._jump, 1),
        ]  # fmt: skip
        one_of(self.random, what)()
        before = self._since_when()
        await self._settle(self.random.randrange(1, 12))
        await self._check_step(min(before, self._since_when()))

    def _since_when(self) -> Place:
        """Since when those look at events who do so now."""
        now = (self.messages.logged, self._looks)
        return min([now, *(one.ticking.get("events", now) for one in self.engines)])

    def _engine(self) -> EventEngine:
        return self.random.choice(self.engines)

    def _say(self) -> None:
        self.people.say(self._engine())

    def _pull(self) -> None:
        self.people.pull(self._engine())

    def _change(self) -> None:
        self.people.change(self._engine())

    def _tick(self) -> None:
        loops, weights = ("events", "schedule", "forget", "prune"), (20, 6, 3, 1)
        self._engine().tick(self.random.choices(loops, weights)[0])

    def _advance(self) -> None:
        self._pass(self.random.choice([0.1, 1, 5, 20, 31, 60]))

    def _pass(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        move_time((self.now - START).total_seconds())

    def _kill(self) -> None:
        engine = self._engine()
        engine.kill()
        self.engines.remove(engine)
        self._boot()

    def _jump(self) -> None:
        if self.sets_clocks:
            self._engine().skew = timedelta(seconds=self.random.uniform(-SET_SECONDS, SET_SECONDS))
        else:
            self._pass(7 * 60)

    # -- promises ---------------------------------------------------------------------------------
    async def _check_step(self, looked: Place) -> None:
        faults = [fault for engine in self.engines for fault in engine.faults]
        assert not faults + self._faults, faults + self._faults
        self.messages.check()
        for one in self.messages.removals:
            if one.sub.name in STEADY_SUBSCRIPTIONS:
                assert not one.had_topic, f"{one} ought not to be"
                assert not one.lost, f"{one} ought not to be yet"
        await self.events.check(self.database, self.store)
        for row, kept in await self.triggers.look(self.database, self.store):
            if row.path in WITHIN:
                self.silences.check(row, kept, looked)

    async def _come_to_rest(self) -> None:
        """No more faults, nothing new: everything must come to its end."""
        self.flaky[0] = False
        for number in range(60):
            self.calm = not self._paused
            self._pass(31)
            before = self._since_when()
            await self._work()
            await self._check_step(min(before, self._since_when()))
            if number > 6 and await self._is_over():
                break

    async def _work(self) -> None:
        engine = self._engine()
        for row in await self._rows():
            if row.state is TriggerState.PAUSED:
                engine.spawn(self.people.resume_paused(engine, row.path), "resume")
        for _ in self.people.letters:
            self.people.say(engine)
        for name in dict.fromkeys(PULLED):
            engine.spawn(self.people.pull_from(engine, name, 100), "pull")
        for one in self.engines:
            one.tick("schedule")
            one.tick("events")
        await self._settle(10_000)

    async def _is_over(self) -> bool:
        followed = [name for name in self.messages.subs if name != "lazy"]
        rows = [row for row in await self._rows() if row.path in WITHIN]
        ours = [sub for name, sub in self.messages.subs.items() if name.startswith(PREFIX)]
        return (
            all(letter.is_answered for letter in self.people.letters)
            and not any(self.messages.open(name) for name in followed)
            and all(self.messages.has_topic(sub) for sub in ours)
            and not await self.database.read(self.store.deliveries.waiting)
            and all(row.next_instant is None and row.next_at is None for row in rows)
        )

    async def _rows(self) -> list[Trigger]:
        return [row for row, _ in await self.triggers.look(self.database, self.store)]

    async def _check_rest(self) -> None:
        self.events.forget()
        self.triggers.forget()
        await self._check_step(self._look())
        for name, sub in self.messages.subs.items():
            is_ours = name.startswith(PREFIX)
            assert not is_ours or self.messages.has_topic(sub), f"{name} gets nothing any more"
            left = [one.message for one in self.messages.open(name)]
            assert name == "lazy" or not left, f"{name} has {left} left"
        left_over = [each for each in self.people.letters if not each.is_answered]
        assert not left_over, f"never answered: {left_over}"
        self.events.check_rest({path: self._taken(path) for path in (*STEADY, MOVING)})
        announced = await self.database.read(
            lambda tx: _count(tx, "outbox WHERE kind = 'announce'")
        )
        for row in await self._rows():
            if row.path in WITHIN:
                self.silences.check_rest(row, self.events.runs.values(), announced)

    def _taken(self, path: str) -> dict[int, int]:
        name = subscription_of(path)
        lost = {each for one in self.messages.removals if one.sub.name == name for each in one.lost}
        items = [one for one in self.messages.of(name) if one.message not in lost]
        return {one.message: int(self.messages.attributes[one.message]["n"]) for one in items}

    async def _outlast(self) -> None:
        """After what is kept for so long, nothing is left of what came."""
        self._pass(8 * 24 * 3600)
        for loop in ("prune", "forget"):
            self.engines[0].tick(loop)
            await self._settle(10_000)
        await self._check_faults_and_rows()

    async def _check_faults_and_rows(self) -> None:
        self.messages.check()
        counts = [
            await self.database.read(lambda tx: _count(tx, "deliveries")),
            await self.topics.read(lambda tx: _count(tx, "pubsub_delivery")),
            await self.topics.read(lambda tx: _count(tx, "pubsub_message")),
        ]
        assert counts == [0, 0, 0], f"deliveries, plans, messages: {counts} were not forgotten"


def _spec(name: str) -> JobSpec:
    return make_spec(name, project="sim", triggers=JOBS[name])


async def _count(tx: Tx, rows: str) -> int:
    return int((await tx.fetch(f"SELECT count(*) FROM {rows}"))[0][0])


def live(seed: int, database: Database | None = None) -> None:
    """Live through the world of events of `seed`."""
    world = EventsWorld(seed, database)
    with world.heard():
        run(world.live())
