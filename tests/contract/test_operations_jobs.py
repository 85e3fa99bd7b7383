"""What the jobs of an operation are like while it is under way and when it has ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runyard.flow.undertaking import FENCE_STEP
from runyard.gate.asking import UNLIMITED
from runyard.gate.reserving import Undertake
from runyard.model.errors import ProviderRefused, Refused, StalePlan
from runyard.model.operation import OperationKind
from runyard.model.run import State
from tests.support.databases import Grounds
from tests.support.fake_jobs import plain
from tests.support.gates import Yard, in_yard
from tests.support.operations import WAITS, Site, wish
from tests.support.runs import NOW, make_spec

SLOT = "job/shop/local/report"


async def applied(site: Site) -> tuple[str, float]:
    """Who put the job in force, and how many seconds after the beginning."""
    row = await site.job()
    assert row is not None
    return row.applied_by, (row.applied_at - NOW).total_seconds()


def test_a_job_says_who_put_in_force_what_is_in_force(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec(), by="ann")
        yard.later(10)
        begun = await site.apply(make_spec(priority=1), by="bob")
        assert await applied(site) == ("ann", 0)
        yard.later(10)
        await site.done(begun)
        assert await applied(site) == ("bob", 20)
        site.jobs.fails = [None, ProviderRefused("no")]
        yard.later(10)
        assert (await site.put(make_spec(priority=2), by="eve")).state == "undone"
        assert await applied(site) == ("bob", 20)
        site.jobs.fails = []
        site.jobs.jobs.clear()
        assert (await site.put(make_spec(priority=1), by="eve")).state == "complete"
        assert await applied(site) == ("bob", 20)  # what is in force is as bob wanted it
        await site.done(await site.delete("report", by="ann"))
        yard.later(10)
        begun = await site.undelete("report", by="carl")
        assert await applied(site) == ("carl", 40)
        yard.later(10)
        await site.done(begun)
        assert await applied(site) == ("carl", 50)

    in_yard(scene, grounds)


def test_a_limit_is_raised_and_lifted_with_the_job(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec(concurrency={"limit": 1}))
        assert (await yard.slots())[SLOT] == (0, 1)
        runs = [await yard.request() for _ in range(4)]

        async def out() -> int:
            return sum([(await yard.run(run.id)).state is State.LAUNCHING for run in runs])

        assert await out() == 1
        await site.put(make_spec(concurrency={"limit": 3}))
        assert (await out(), (await yard.slots())[SLOT]) == (3, (3, 3))
        await site.put(make_spec())
        assert (await out(), (await yard.slots())[SLOT]) == (4, (4, UNLIMITED))

    in_yard(scene, grounds)


def test_a_job_without_a_limit_has_no_slot(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec())
        assert SLOT not in await yard.slots()

    in_yard(scene, grounds)


def test_operations_that_begin_together_have_fences_of_their_own(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        asked = [
            Undertake(
                wish(OperationKind.APPLY, yard.now, number),
                [await site.aim(name, plain(make_spec(name).document()))],
                WAITS,
                yard.now,
            )
            for number, name in enumerate(("one", "two"), 1)
        ]
        done = await yard.gate.decide_now(asked)
        first, second = [answer.operation.fence for answer in done.answers]
        assert second - first >= FENCE_STEP

    in_yard(scene, grounds)


def test_what_somebody_else_changed_can_be_left_as_it_is(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        aim = await site.aim("report", plain(make_spec().document()))
        theirs = {"labels": {"a": "b"}}
        begun = await site.undertake(
            OperationKind.APPLY, [replace(aim, targets=(("us-central1", theirs),))]
        )
        assert begun.operation is not None
        kept = await site.operation(begun.operation.id)
        assert kept.jobs[0].target("us-central1") == theirs

    in_yard(scene, grounds)


def test_who_comes_second_is_told_what_to_do(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec())
        aim = await site.aim("report", plain(make_spec(priority=1).document()))
        begun = await site.apply(make_spec(priority=2))
        with pytest.raises(Refused) as refused:
            await site.undertake(OperationKind.APPLY, [aim])
        assert refused.value.faults[0].hint == "wait for it, or cancel it"
        await site.done(begun)
        with pytest.raises(StalePlan) as stale:
            await site.undertake(OperationKind.APPLY, [aim])
        assert "look at it again" in stale.value.hint

    in_yard(scene, grounds)


def test_waiting_ends_when_it_was_said_to_end(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        begun = await site.apply(make_spec(), approvals_needed=1)
        assert begun.operation is not None
        assert begun.operation.due_at == yard.now + WAITS

    in_yard(scene, grounds)
