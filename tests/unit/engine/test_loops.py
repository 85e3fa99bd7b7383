"""Each loop's tick, on a real database with a scripted provider; and the life of a loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from runyard.database.port import Database
from runyard.database.signals import Signals
from runyard.engine.carrier import Carrier
from runyard.engine.due import DueLoop
from runyard.engine.engine import Engine, EngineSettings
from runyard.engine.launching import Orders
from runyard.engine.loop import PAUSE_SECONDS, PAUSE_SECONDS_MAX, Loop
from runyard.engine.outbox import AT_ONCE_MAX, OutboxLoop
from runyard.engine.rescue import RescueLoop
from runyard.engine.watch import WatchLoop
from runyard.gate.door import LEASE
from runyard.gate.news import News
from runyard.model.errors import ProviderUnavailable, StoreUnavailable
from runyard.model.event import CancelRequested, Ended, Launched
from runyard.model.ids import attempt_key
from runyard.model.outcome import Ending
from runyard.model.run import Run, State
from runyard.provider.port import LaunchOrder, Phase, Report
from tests.support.channels import KeptVoices
from tests.support.fake_provider import KeptNotices, ScriptedProvider
from tests.support.gates import Yard, in_yard
from tests.support.runs import NOW, make_outcome, make_spec

RETRYING = {"attempts": 2, "backoff": {"initial": "10s", "jitter": "none"}}


def outbox_of(yard: Yard, provider: ScriptedProvider, name: str = "other") -> OutboxLoop:
    orders = Orders(yard.database, yard.store)
    carrier = Carrier(yard.gate, orders, provider, KeptNotices(), lambda: yard.now, yard.new_id)
    return OutboxLoop(yard.database, yard.store, carrier, name, lambda: None)


def test_due_says_when_the_next_instant_is() -> None:
    async def scene(yard: Yard) -> None:
        due = DueLoop(yard.gate, yard.database, yard.store)
        assert await due.tick(yard.now) is None
        await yard.apply(make_spec(retry=RETRYING, deadline="60s"))
        run = await yard.request()
        assert await due.tick(yard.now) == yard.now + timedelta(seconds=60)
        await yard.tell(run, Ended(1, make_outcome(Ending.FAILED)))
        assert await due.tick(yard.now) == yard.now + timedelta(seconds=10)
        yard.later(10)
        await due.tick(yard.now)
        assert (await yard.run(run.id)).state is State.LAUNCHING

    in_yard(scene)


def test_watch_tells_ends_and_keeps_what_it_could_not_tell() -> None:
    async def scene(yard: Yard) -> None:
        provider = ScriptedProvider()
        watch = WatchLoop(yard.gate, provider)
        await yard.apply(make_spec())
        run = await yard.request()
        key = attempt_key(run.id, 1)
        provider.news = [
            Report(key, Phase.RUNNING, "x"),
            Report(key, Phase.ENDED, "x", outcome=make_outcome()),
            Report(attempt_key(run.id, 7), Phase.ENDED, "x", outcome=make_outcome()),
        ]
        await watch.tick(yard.now)
        assert (await yard.run(run.id)).state is State.SUCCEEDED
        provider.fails.append(ProviderUnavailable("503"))
        with pytest.raises(ProviderUnavailable):
            await watch.tick(yard.now)

    in_yard(scene)


def test_rescue_finds_lost_ended_and_unannounced_attempts() -> None:
    async def scene(yard: Yard) -> None:
        provider = ScriptedProvider()
        rescue = RescueLoop(yard.gate, yard.database, yard.store, provider)
        await yard.apply(make_spec())
        lost, over, fine, quiet = [await yard.request() for _ in range(4)]
        launches = {one.run: one.id for done in yard.committed for one in done.effects}
        for run in (lost, over, fine):
            await yard.gate.tell(run.id, Launched(1, "x"), yard.now, settles=launches[run.id])
        for run, phase in ((over, Phase.ENDED), (fine, Phase.RUNNING)):
            outcome = make_outcome() if phase is Phase.ENDED else None
            key = attempt_key(run.id, 1)
            provider.reports[key] = Report(key, phase, "x", outcome=outcome)
        await rescue.tick(yard.now)
        states = [(await yard.run(run.id)).state for run in (lost, over, fine, quiet)]
        assert states == [State.DEAD, State.SUCCEEDED, State.RUNNING, State.LAUNCHING]
        assert "does not know" in (await yard.run(lost.id)).reason

    in_yard(scene)


def test_rescue_tells_of_a_launch_whose_answer_was_lost() -> None:
    async def scene(yard: Yard) -> None:
        provider = ScriptedProvider()
        rescue = RescueLoop(yard.gate, yard.database, yard.store, provider)
        await yard.apply(make_spec())
        run = await yard.request()
        await yard.database.write(lambda tx: tx.execute("DELETE FROM outbox"))
        key = attempt_key(run.id, 1)
        provider.reports[key] = Report(key, Phase.RUNNING, "found-again")
        await rescue.tick(yard.now)
        assert (await yard.run(run.id)).handle == "found-again"

    in_yard(scene)


def test_rescue_stops_again_what_is_to_stop_and_goes_on() -> None:
    async def scene(yard: Yard) -> None:
        provider = ScriptedProvider()
        rescue = RescueLoop(yard.gate, yard.database, yard.store, provider)
        await yard.apply(make_spec())
        going, pending, over, unseen, fine, begun = [await yard.request() for _ in range(6)]
        phases = {
            going: Phase.RUNNING, pending: Phase.PENDING, over: Phase.ENDED,
            unseen: Phase.UNSEEN, fine: Phase.RUNNING, begun: Phase.UNSEEN,
        }  # fmt: skip
        for run, phase in phases.items():
            outcome = make_outcome() if phase is Phase.ENDED else None
            key = attempt_key(run.id, 1)
            provider.reports[key] = Report(key, phase, "x", outcome=outcome)
            if run is not begun:
                await yard.tell(run, Launched(1, "x"))
            if run not in (fine, begun):
                await yard.tell(run, CancelRequested("ann", "no need"))
        await yard.database.write(lambda tx: tx.execute("DELETE FROM outbox"))
        await rescue.tick(yard.now)
        stopped = [attempt_key(run.id, 1) for run in sorted((going, pending), key=_by_id)]
        assert provider.called("stop") == stopped
        states = [(await yard.run(run.id)).state for run in (unseen, begun)]
        assert states == [State.STOPPING, State.LAUNCHING]

    in_yard(scene)


def _by_id(run: Run) -> str:
    return run.id


def test_the_outbox_takes_over_what_a_dead_engine_claimed() -> None:
    async def scene(yard: Yard) -> None:
        provider = ScriptedProvider()
        outbox = outbox_of(yard, provider)
        await yard.apply(make_spec())
        run = await yard.request()  # claimed by the engine of the yard's gate, which is no more
        assert await outbox.tick(yard.now) == yard.now + LEASE
        assert outbox.tasks() == []
        yard.now += LEASE
        await outbox.tick(yard.now)
        await asyncio.gather(*outbox.tasks())
        assert (await yard.run(run.id)).state is State.RUNNING
        assert await outbox.tick(yard.now) is None

    in_yard(scene)


def test_the_outbox_does_what_it_is_handed_at_once_and_keeps_its_claim() -> None:
    async def scene(yard: Yard) -> None:
        provider = ScriptedProvider()
        outbox = outbox_of(yard, provider, name="me")
        await yard.apply(make_spec())
        run = await yard.request()
        (launch,) = yard.committed[-1].effects
        outbox.hand_over([launch, launch])
        assert len(outbox.tasks()) == 1
        await outbox.tick(yard.now)
        await asyncio.gather(*outbox.tasks())
        assert provider.called("launch") == [attempt_key(run.id, 1)]
        claimed = await yard.request()
        await outbox.finish()
        outbox.hand_over([launch])
        assert outbox.tasks() == []
        other = outbox_of(yard, provider)
        await other.tick(yard.now)  # what was claimed by who stopped is free at once
        assert [task.get_name()[: len(claimed.id)] for task in other.tasks()] == [claimed.id]
        await asyncio.gather(*other.tasks())

    in_yard(scene)


class Slow(ScriptedProvider):
    """Launches nothing before it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def launch(self, order: LaunchOrder) -> Report:
        await self.go.wait()
        return await super().launch(order)


def test_claims_are_kept_for_as_long_as_their_effects_are_under_way() -> None:
    async def scene(yard: Yard) -> None:
        provider = Slow()
        outbox = outbox_of(yard, provider, name="me")
        other = outbox_of(yard, ScriptedProvider())
        await yard.apply(make_spec())
        await yard.request()
        outbox.hand_over(yard.committed[-1].effects)
        for _ in range(10):
            await outbox.tick(yard.now)
            yard.now += LEASE / 3
            await other.tick(yard.now)
            assert other.tasks() == []
        yard.now += LEASE  # it hangs: the other may have it
        await other.tick(yard.now)
        assert len(other.tasks()) == 1
        provider.go.set()
        await asyncio.gather(*outbox.tasks(), *other.tasks())
        assert await yard.outbox() == 0

    in_yard(scene)


def test_with_no_room_for_more_it_is_woken_when_there_is_some() -> None:
    async def scene(yard: Yard) -> None:
        provider, woken = Slow(), asyncio.Event()
        orders = Orders(yard.database, yard.store)
        carrier = Carrier(yard.gate, orders, provider, KeptNotices(), lambda: yard.now, yard.new_id)
        outbox = OutboxLoop(yard.database, yard.store, carrier, "other", woken.set)
        await yard.apply(make_spec())
        for _ in range(AT_ONCE_MAX + 2):
            await yard.request()
        yard.now += LEASE
        assert await outbox.tick(yard.now) is not None
        assert len(outbox.tasks()) == AT_ONCE_MAX
        assert await outbox.tick(yard.now) is None
        assert not woken.is_set()
        provider.go.set()
        await asyncio.gather(*outbox.tasks())
        assert woken.is_set()
        await outbox.tick(yard.now)
        await asyncio.gather(*outbox.tasks())
        assert await yard.outbox() == 0

    in_yard(scene, region_runs_max=AT_ONCE_MAX + 2)


def test_a_fault_or_an_absent_database_ends_no_loop(caplog: pytest.LogCaptureFixture) -> None:
    async def scene(yard: Yard) -> None:
        class Broken(ScriptedProvider):
            async def launch(self, order: object) -> Report:
                raise ZeroDivisionError

        class Away(ScriptedProvider):
            async def launch(self, order: object) -> Report:
                raise StoreUnavailable("the disk is gone")

        await yard.apply(make_spec())
        for provider in (Broken(), Away()):
            outbox = outbox_of(yard, provider, name="me")
            await yard.request()
            outbox.hand_over(yard.committed[-1].effects)
            await asyncio.gather(*outbox.tasks())
            assert outbox.tasks() == []

    in_yard(scene)
    assert "a fault of the program" in caplog.text


def test_a_loop_pauses_longer_after_each_failure_and_recovers() -> None:
    failures = 10
    waits: list[float] = []

    async def tick(now: datetime) -> datetime | None:
        if loop.health.ticks <= failures:
            raise StoreUnavailable("away", hint="come back") if failures % 2 else ValueError("odd")
        return now + timedelta(seconds=2) if loop.health.ticks == failures + 1 else None

    async def scene() -> None:
        for _ in range(failures + 2):
            waits.append(await loop._once())

    loop = Loop("test", tick, lambda: NOW, poll_seconds=5)
    asyncio.run(scene())
    assert waits[0] == PAUSE_SECONDS
    assert waits[:failures] == sorted(waits[:failures])
    assert waits[failures - 1] == PAUSE_SECONDS_MAX
    assert waits[failures:] == [2, 5]
    assert loop.health.errors == failures


def test_an_engine_comes_up_runs_and_lets_go() -> None:
    async def scene(yard: Yard) -> None:
        provider = ScriptedProvider()
        signals = Signals()
        engine = Engine(
            yard.database,
            yard.store,
            provider,
            KeptNotices(),
            KeptVoices(),
            signals,
            lambda: yard.now,
            EngineSettings("me-again", 10),
            yard.new_id,
            ZoneInfo,
        )
        await yard.apply(make_spec(retry=RETRYING))
        left = await yard.request()  # claimed by an engine that is no more
        await engine.start()
        with signals.listening([f"run/{left.id}"]) as listener:
            assert await listener.wait(10)
        assert (await yard.run(left.id)).state is State.RUNNING
        key = attempt_key(left.id, 1)
        outcome = make_outcome(Ending.FAILED)
        provider.news = [Report(key, Phase.ENDED, "x", outcome=outcome)]
        with signals.listening(["runs"]) as listener:
            engine.wake_watch()
            while (await yard.run(left.id)).state is not State.BACKING_OFF:
                assert await listener.wait(10)
        assert {health.name for health in engine.health()} == {
            "due",
            "schedule",
            "recheck",
            "events",
            "outbox",
            "watch",
            "rescue",
            "prune",
            "alerts",
            "expire",
            "replays",
            "waits",
        }
        await engine.stop()
        assert provider.calls[-1] == ("close", "")

    in_yard(scene)


class Told:
    """A database whose notices a test brings."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.hear: Callable[[str], None] = lambda _: None
        self.missed: Callable[[], None] = lambda: None
        self.listens = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def listen(self, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        self.hear, self.missed = hear, missed
        self.listens.set()
        await asyncio.Event().wait()


def test_an_engine_looks_when_others_tell_of_their_batches() -> None:
    async def scene(yard: Yard) -> None:
        told, signals = Told(yard.database), Signals()
        engine = Engine(
            cast(Database, told),
            yard.store,
            ScriptedProvider(),
            KeptNotices(),
            KeptVoices(),
            signals,
            lambda: yard.now,
            EngineSettings("me", 10, poll=timedelta(hours=1)),
            yard.new_id,
            ZoneInfo,
        )
        await engine.start()
        await told.listens.wait()
        with signals.listening(["run/a"]) as listener:
            told.hear(News("me", ("run/a",), due=True, effects=True).text())
            assert not await listener.wait(0.01)  # it has heard that from itself
            told.hear(News("other", ("run/a",), due=True, effects=True).text())
            assert await listener.wait(10)
            told.hear(News("other", ("run/a",), due=False, effects=False).text())
            assert await listener.wait(10)
            told.missed()
            assert await listener.wait(10)
        await engine.stop()

    in_yard(scene)
