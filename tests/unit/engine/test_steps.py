"""Steps as an engine carries them out: what is old news, what waits too long, what expires."""

from __future__ import annotations

from datetime import timedelta

from runyard.engine.expire import ExpireLoop
from runyard.engine.steps import Hands
from runyard.model.effect import Perform
from runyard.model.errors import InvalidSpec, ProviderRefused, ProviderUnavailable
from runyard.model.operation import CancelAsked, OperationState
from runyard.model.run import State
from tests.support.gates import Yard, in_yard
from tests.support.notifying import make_notifier
from tests.support.operations import Site
from tests.support.runs import make_spec
from tests.unit.engine.test_carrier import Hands as RunHands


def test_an_outbox_holds_what_runs_want_and_what_operations_want() -> None:
    async def scene(yard: Yard) -> None:
        site, runs = Site(yard), RunHands(yard)
        begun = await site.apply(make_spec())
        notifier = make_notifier(yard.gate, yard.database, yard.store, lambda: yard.now)
        both = Hands(runs.carrier, site.steps, notifier)
        done = 0
        while done < len(yard.committed):
            for pending in yard.committed[done].effects:
                await both.carry(pending)
            done += 1
        assert begun.operation is not None
        assert (await site.operation(begun.operation.id)).state is OperationState.COMPLETE
        run = await yard.request()
        await both.carry(runs.last())
        assert (await yard.run(run.id)).state is State.RUNNING

    in_yard(scene)


def test_a_step_that_is_not_out_any_more_is_settled() -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        begun = await site.apply(make_spec())
        (network,) = site.handed()
        await site.carry(network)
        calls = len(site.jobs.calls)
        await site.carry(network)
        assert len(site.jobs.calls) == calls
        assert (await site.done(begun)).state is OperationState.COMPLETE
        assert await yard.outbox() == 0

    in_yard(scene)


def test_the_end_of_an_operation_may_overtake_a_step_that_is_under_way() -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        begun = await site.apply(make_spec())
        operation = begun.operation
        assert operation is not None
        (network,) = site.handed()
        slow = site.steps

        async def overtaken(*_: object) -> str:
            await site.tell(operation, CancelAsked("bob"))
            for other in (network, *site.handed()):
                assert isinstance(other.effect, Perform)
                await site.steps.carry(other, other.effect)
            return "late"

        class Late:
            network = staticmethod(overtaken)

        slow.doing.deployer = Late()  # type: ignore[assignment]
        assert isinstance(network.effect, Perform)
        await slow.carry(network, network.effect)
        assert (await site.done(begun)).state is OperationState.UNDONE
        assert await yard.outbox() == 0

    in_yard(scene)


def test_what_is_refused_or_wrong_fails_and_what_is_away_is_tried_again() -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        for error in (ProviderRefused("no"), InvalidSpec("wrong")):
            site.access.fails = [error]
            after = await site.done(await site.apply(make_spec()))
            assert (after.state, after.error) == (OperationState.UNDONE, error.message)
        site.access.fails = [ProviderUnavailable("away")]
        begun = await site.apply(make_spec())
        await site.rest()
        assert begun.operation is not None
        row = await site.operation(begun.operation.id)
        assert (row.state, row.trouble) == (OperationState.RUNNING, "away")

    in_yard(scene)


def test_waiting_ends_by_itself() -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        begun = await site.apply(make_spec(), approvals_needed=1)
        loop = ExpireLoop(yard.gate, yard.database, yard.store)
        assert await loop.tick(yard.now) == yard.now + timedelta(minutes=10)
        yard.later(601)
        assert await loop.tick(yard.now) is None
        assert begun.operation is not None
        assert (await site.operation(begun.operation.id)).error == "nobody said yes in time"

    in_yard(scene)
