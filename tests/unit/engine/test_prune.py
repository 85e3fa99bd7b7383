"""What is forgotten, and when."""

from __future__ import annotations

from datetime import timedelta

from runyard.engine.prune import PruneLoop, Retention
from runyard.model.event import Ended
from runyard.model.ids import attempt_key
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
