"""What a gate tells other processes of its batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from runyard.database.port import Database, Row, Tx, Value, Work
from runyard.gate.asking import Request
from runyard.gate.door import Gate, GateSettings
from runyard.gate.news import News
from runyard.gate.telling import Delay, Settle
from runyard.model.effect import Launch, Pending
from runyard.model.event import Ended, Launched
from runyard.model.outcome import Ending
from runyard.model.plan import RunRequest
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_outcome, make_spec

T = TypeVar("T")


class Overheard:
    """A transaction whose notices are kept here."""

    def __init__(self, inner: Tx, told: list[News]) -> None:
        self._inner = inner
        self._told = told
        self.lock = inner.lock

    async def fetch(self, sql: str, params: Sequence[Value] = ()) -> list[Row]:
        return await self._inner.fetch(sql, params)

    async def execute(self, sql: str, params: Sequence[Value] = ()) -> int:
        return await self._inner.execute(sql, params)

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        await self._inner.execute_many(sql, rows)

    async def notify(self, text: str) -> None:
        self._told.append(News.read(text))


class Wire:
    """A database whose notices are kept."""

    def __init__(self, inner: Database) -> None:
        self.dialect = inner.dialect
        self.told: list[News] = []
        self._inner = inner
        self.read, self.close, self.listen = inner.read, inner.close, inner.listen

    async def write(self, work: Work[T]) -> T:
        return await self._inner.write(lambda tx: work(Overheard(tx, self.told)))


def wired(yard: Yard, engine: str = "", *, tells: bool = True) -> list[News]:
    """What the yard's gate tells from now on; `engine` says that it carries effects out."""
    wire = Wire(yard.database)
    settings = GateSettings(engine, region_runs_max=1000, by="me", tells=tells)
    yard.gate = Gate(wire, yard.store, settings, yard.committed.append)
    return wire.told


def test_who_carries_nothing_out_tells_of_effects_and_of_the_run() -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        told = wired(yard)
        run = await yard.request()
        assert told == [News("me", ("runs", f"run/{run.id}"), due=False, effects=True)]

    in_yard(scene)


def test_who_carries_its_effects_out_itself_tells_of_the_run_alone() -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        told = wired(yard, "me")
        run = await yard.request()
        assert told == [News("me", ("runs", f"run/{run.id}"), due=False, effects=False)]

    in_yard(scene)


def test_a_run_that_waits_for_an_instant_and_an_effect_that_was_put_off_are_told() -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(retry={"attempts": 2, "backoff": {"initial": "5s"}}))
        run = await yard.request()
        launch = Pending(yard.committed[-1].effects[0].id, run.id, Launch(1), yard.now)
        told = wired(yard, "me")
        await yard.gate.ask(Delay(launch, yard.now + timedelta(seconds=1), yard.now))
        assert told.pop() == News("me", (), due=False, effects=True)
        assert yard.committed[-1].delayed
        await yard.tell(run, Launched(1, "handle"))
        assert told.pop() == News("me", ("runs", f"run/{run.id}"), due=False, effects=False)
        await yard.tell(run, Ended(1, make_outcome(Ending.FAILED)))
        assert told.pop() == News("me", ("runs", f"run/{run.id}"), due=True, effects=False)
        assert not yard.committed[-1].delayed

    in_yard(scene)


def test_a_batch_that_concerns_nobody_is_not_told_and_neither_is_anything_without_others() -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        await yard.request()
        (launch,) = yard.committed[-1].effects
        told = wired(yard)
        await yard.gate.ask(Settle(launch.id, yard.now))
        assert told == []
        told = wired(yard, tells=False)
        await yard.request()
        assert told == []

    in_yard(scene)


def test_of_many_runs_none_is_named() -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        told = wired(yard)

        def asking() -> Request:
            return Request(RunRequest("local", "report", "ann"), yard.now, yard.new_id)

        for count in (150, 300):
            await yard.gate.decide_now([asking() for _ in range(count)])
        assert [one.topics and len(one.topics) for one in told] == [151, None]

    in_yard(scene, region_runs_max=1000)


_CHECKED: tuple[Callable[[Tx, list[News]], Tx], Callable[[Database], Database]] = (Overheard, Wire)
