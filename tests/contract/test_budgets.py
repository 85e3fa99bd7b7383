"""Budgets of retries on a real database: of all runs of a job, over batches and engines."""

from __future__ import annotations

from datetime import timedelta

from runyard.database.port import Tx
from runyard.gate.telling import BUDGETS_KEPT, Forget, Tell
from runyard.model.event import Ended
from runyard.model.outcome import Ending
from runyard.model.run import Spent, State
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_outcome, make_spec

KEY = ("shop", "local", "report")
SPEC = make_spec(retry={"attempts": 5, "budget": {"retries": 2, "within": "10m"}})
FAILED = Ended(1, make_outcome(Ending.FAILED))


async def spent(yard: Yard) -> Spent | None:
    async def work(tx: Tx) -> Spent | None:
        return await yard.store.budgets.get(tx, KEY)

    return await yard.database.read(work)


def test_runs_of_a_job_share_its_retries(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(SPEC, make_spec("other", retry={"attempts": 2}))
        runs = [await yard.request() for _ in range(4)]
        states = [(await yard.tell(run, FAILED)).state for run in runs[:3]]
        assert states == [State.BACKING_OFF, State.BACKING_OFF, State.DEAD]
        assert await spent(yard) == Spent(KEY, yard.now, 2)
        other = await yard.request("other")
        assert (await yard.tell(other, FAILED)).state is State.BACKING_OFF
        yard.later(600)
        assert (await yard.tell(runs[3], FAILED)).state is State.BACKING_OFF
        assert await spent(yard) == Spent(KEY, yard.now, 1)

    in_yard(scene, grounds)


def test_what_one_batch_spends_is_spent_for_all_of_it(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(SPEC)
        runs = [await yard.request() for _ in range(4)]
        commands = [Tell(run.id, FAILED, yard.now) for run in runs]
        await yard.gate.decide_now(commands)
        states = [(await yard.run(run.id)).state for run in runs]
        assert sorted(states) == [State.BACKING_OFF] * 2 + [State.DEAD] * 2
        assert await spent(yard) == Spent(KEY, yard.now, 2)

    in_yard(scene, grounds)


def test_runs_that_may_cancel_each_other_share_them_too(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        concurrency = {"limit": 2, "on_conflict": "cancel_older"}
        retry = {"attempts": 5, "budget": {"retries": 1, "within": "10m"}}
        await yard.apply(make_spec(concurrency=concurrency, retry=retry))
        assert (await yard.tell(await yard.request(), FAILED)).state is State.BACKING_OFF
        assert (await yard.tell(await yard.request(), FAILED)).state is State.DEAD

    in_yard(scene, grounds)


def test_what_was_spent_long_ago_is_forgotten(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(SPEC)
        await yard.tell(await yard.request(), FAILED)
        yard.later((BUDGETS_KEPT + timedelta(seconds=1)).total_seconds())
        await yard.gate.ask(Forget((), yard.now, yard.now))
        assert await spent(yard) is None

    in_yard(scene, grounds)
