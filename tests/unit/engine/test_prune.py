"""What is forgotten, and when."""

from __future__ import annotations

from datetime import timedelta

from runyard.engine.prune import PruneLoop, Retention
from runyard.model.dead_letter import LetterState
from runyard.model.event import Ended
from runyard.model.ids import RunId, attempt_key
from runyard.model.outcome import Ending
from runyard.provider.port import Phase, Report
from tests.support.fake_provider import ScriptedProvider
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_outcome, make_spec


def test_prune_forgets_logs_first_and_runs_later_but_never_charges() -> None:
    async def scene(yard: Yard) -> None:
        provider = ScriptedProvider()
        retention = Retention(timedelta(hours=2), timedelta(hours=1), timedelta(hours=3))
        prune = PruneLoop(yard.gate, yard.database, yard.store, provider, retention)
        await yard.apply(make_spec())
        run = await yard.request()
        await yard.tell(run, Ended(1, make_outcome()))
        await yard.database.write(lambda tx: tx.execute("DELETE FROM outbox"))
        await prune.tick(yard.now)
        assert provider.called("forget") == []
        yard.later(3601)
        await prune.tick(yard.now)
        assert provider.called("forget") == [attempt_key(run.id, 1)]
        assert (await yard.run(run.id)).is_final
        yard.later(3600)
        await prune.tick(yard.now)
        assert await yard.history(run) == []

    in_yard(scene)


def test_prune_cuts_the_oldest_logs_when_they_take_too_much_room() -> None:
    async def scene(yard: Yard) -> None:
        provider = ScriptedProvider(bytes_each=10)
        retention = Retention(logs_bytes_max=25)
        prune = PruneLoop(yard.gate, yard.database, yard.store, provider, retention)
        await yard.apply(make_spec())
        keys = []
        for _ in range(13):
            run = await yard.request()
            await yard.tell(run, Ended(1, make_outcome()))
            yard.later(1)
            keys.append(attempt_key(run.id, 1))
            provider.reports[keys[-1]] = Report(keys[-1], Phase.ENDED)
        await yard.database.write(lambda tx: tx.execute("DELETE FROM outbox"))
        await prune.tick(yard.now)
        assert provider.called("forget") == keys  # ten, and as that was not enough, the rest
        provider.reports |= {attempt_key(run.id, 2): Report(keys[0], Phase.ENDED)}
        provider.bytes_each = 100
        await prune.tick(yard.now)
        assert provider.called("forget") == keys

    in_yard(scene)


def test_prune_leaves_a_run_with_something_left_to_do() -> None:
    async def scene(yard: Yard) -> None:
        prune = PruneLoop(yard.gate, yard.database, yard.store, ScriptedProvider(), Retention())
        await yard.apply(make_spec())
        run = await yard.request()
        await yard.tell(run, Ended(1, make_outcome()))
        yard.later(31 * 86_400)
        await prune.tick(yard.now)
        assert (await yard.run(run.id)).is_final

    in_yard(scene)


async def state_of(yard: Yard, run: RunId) -> LetterState | None:
    found = await yard.database.read(lambda tx: yard.store.dead_letters.get(tx, [run]))
    return found[0].state if found else None


def test_a_dead_run_stays_while_its_letter_is_in_the_queue() -> None:
    async def scene(yard: Yard) -> None:
        retention = Retention(timedelta(hours=1), letters=timedelta(hours=36))
        prune = PruneLoop(yard.gate, yard.database, yard.store, ScriptedProvider(), retention)
        await yard.apply(make_spec())
        run = await yard.request()
        dead = await yard.tell(run, Ended(1, make_outcome(Ending.FAILED)))
        await yard.database.write(lambda tx: yard.store.dead_letters.delete(tx, [dead.id]))
        await yard.database.write(lambda tx: tx.execute("DELETE FROM outbox"))
        yard.later(35 * 3600)
        await prune.tick(yard.now)
        assert await state_of(yard, dead.id) is LetterState.OPEN, "older than letters: it has one"
        assert await yard.run(dead.id) == dead
        yard.later(3601)
        await prune.tick(yard.now)
        assert await state_of(yard, dead.id) is None, "it expired, and went with its run"
        assert await yard.history(dead) == []
        [entry] = await yard.entries("dead_letter.expire")
        assert entry.reason == (
            "nobody dealt with it for 1.5 days (setting dead_letter_retention_seconds)"
        )

    in_yard(scene)


def test_letters_without_a_retention_stay_for_ever() -> None:
    async def scene(yard: Yard) -> None:
        retention = Retention(timedelta(hours=1), letters=None)
        prune = PruneLoop(yard.gate, yard.database, yard.store, ScriptedProvider(), retention)
        await yard.apply(make_spec())
        run = await yard.request()
        await yard.tell(run, Ended(1, make_outcome(Ending.FAILED)))
        await yard.database.write(lambda tx: tx.execute("DELETE FROM outbox"))
        yard.later(10_000 * 86_400)
        await prune.tick(yard.now)
        assert await state_of(yard, run.id) is LetterState.OPEN

    in_yard(scene)
