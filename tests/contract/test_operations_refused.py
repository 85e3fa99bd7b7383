"""What stands in the way of an operation: said with every fault, and nothing was begun; and what
happens to an operation in one batch with other things."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runyard.gate.asking import Request
from runyard.gate.operating import ExpireOperations, Purge, TellOperation
from runyard.gate.reserving import Undertake, Undertaken
from runyard.gate.telling import Tell
from runyard.model.errors import Fault, IllegalTransition, NotFound, Refused
from runyard.model.event import Ended
from runyard.model.job import JobSpec
from runyard.model.operation import Approved, OperationKind, StepDelayed
from runyard.model.plan import RunRequest
from runyard.store.revisions import NEWEST
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.operations import WAITS, Site, wish
from tests.support.runs import make_outcome, make_spec

WAIT = "wait for them, cancel them, or use --force --reason"


def asking(yard: Yard, job: str = "report") -> Request:
    """A request, not asked yet."""
    return Request(RunRequest("local", job, "ann"), yard.now, yard.new_id)


@pytest.mark.parametrize(
    ("runs", "more", "verb"),
    [(1, "", "has"), (2, "", "have"), (5, "", "have"), (7, " and more", "have")],
)
def test_a_refusal_names_the_runs_that_have_not_ended(
    grounds: Grounds, runs: int, more: str, verb: str
) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec())
        asked = [(await yard.request()).id for _ in range(runs)]
        named = ", ".join(asked[:5]) + more
        with pytest.raises(Refused) as refused:
            await site.delete("report")
        words = f"nothing was changed: job report: {named} {verb} not ended"
        assert refused.value.message == words
        fault = Fault("jobs.report", named, "no run that has not ended", WAIT)
        assert refused.value.faults == (fault,)

    in_yard(scene, grounds)


def test_everything_that_stands_in_the_way_is_said_at_once(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec("one"))
        begun = await site.apply(make_spec("two"))
        assert begun.operation is not None
        run = await yard.request("one")
        with pytest.raises(Refused) as refused:
            await site.delete("one", "two")
        held = begun.operation.id
        assert refused.value.faults == (
            Fault("jobs.one", run.id, "no run that has not ended", WAIT),
            Fault(
                "jobs.two", held, "a job that nobody else is changing", "wait for it, or cancel it"
            ),
        )
        with pytest.raises(Refused) as refused:
            await site.undelete("one")
        assert refused.value.faults == (Fault("jobs.one", "revision 1", "no job in force"),)
        with pytest.raises(NotFound) as missing:
            await site.undelete("three")
        assert missing.value.hint == "apply a manifest that has it"
        with pytest.raises(NotFound) as missing:
            await site.delete("three")
        assert missing.value.hint == "list jobs with `runyard jobs`"

    in_yard(scene, grounds)


def test_runs_count_as_the_batch_has_them(grounds: Grounds) -> None:
    """A run that begins with the deletion is in its way; one that ends with it is not, and neither
    is one of another job."""

    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec(), make_spec("other"))
        run = await yard.request()
        first = Undertake(
            wish(OperationKind.DELETE, yard.now, 1), [await site.aim("report")], WAITS, yard.now
        )
        done = await yard.gate.decide_now(
            [Tell(run.id, Ended(1, make_outcome()), yard.now), asking(yard), first]
        )
        new = done.answers[1].runs[0]
        assert isinstance(done.answers[2], Refused)
        assert done.answers[2].faults[0].value == new
        both = Undertake(
            wish(OperationKind.DELETE, yard.now, 3), [await site.aim("report")], WAITS, yard.now
        )
        done = await yard.gate.decide_now([asking(yard), both])
        newest = done.answers[0].runs[0]
        assert isinstance(done.answers[1], Refused)
        assert done.answers[1].faults[0].value == f"{new}, {newest}"
        await yard.tell(await yard.run(newest), Ended(1, make_outcome()))
        second = Undertake(
            wish(OperationKind.DELETE, yard.now, 2), [await site.aim("report")], WAITS, yard.now
        )
        done = await yard.gate.decide_now(
            [Tell(new, Ended(1, make_outcome()), yard.now), asking(yard, "other"), second]
        )
        assert isinstance(done.answers[2], Undertaken)

    in_yard(scene, grounds)


def test_a_delay_that_comes_too_late_leaves_nothing_in_the_outbox(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        begun = await site.apply(make_spec())
        assert begun.operation is not None
        (pending,) = site.handed()
        assert await yard.outbox() == 1
        late = StepDelayed(3, "not now", yard.now + timedelta(seconds=5))
        with pytest.raises(IllegalTransition):
            await yard.gate.ask(TellOperation(begun.operation.id, late, yard.now, delays=pending))
        assert await yard.outbox() == 0

    in_yard(scene, grounds)


def test_one_that_was_approved_just_now_keeps_no_other_from_ending(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        first = await site.apply(make_spec("one"), approvals_needed=1)
        yard.later(1)
        second = await site.apply(make_spec("two"), approvals_needed=1)
        assert first.operation is not None
        assert second.operation is not None
        late = yard.now + timedelta(hours=1)
        done = await yard.gate.decide_now(
            [TellOperation(first.operation.id, Approved("bob"), late), ExpireOperations(late)]
        )
        assert done.answers[1] == 2
        assert (await site.operation(first.operation.id)).state == "running"
        assert (await site.operation(second.operation.id)).state == "undone"

    in_yard(scene, grounds)


def test_a_purge_forgets_the_job_and_no_other_of_its_name(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec())
        await site.put(make_spec(priority=1))
        await site.done(await site.delete("report"))
        gone = tuple(await site.deleted())
        await yard.apply(make_spec(project="bank"))

        async def revisions(project: str) -> list[int]:
            key = (project, "local", "report")
            page = await yard.database.read(
                lambda tx: yard.store.revisions.page(tx, key, NEWEST, 9)
            )
            return [one.number for one in page]

        assert await revisions("shop") == [2, 1]
        await yard.gate.ask(Purge(gone, (), yard.now))
        assert (await revisions("shop"), await revisions("bank")) == ([], [1])
        assert await site.deleted() == []

    in_yard(scene, grounds)


def test_a_purge_leaves_a_job_that_was_made_anew(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)
        await site.put(make_spec())
        await site.done(await site.delete("report"))
        gone = tuple(await site.deleted())
        await site.put(make_spec())
        await yard.gate.ask(Purge(gone, (), yard.now))
        key = ("shop", "local", "report")
        page = await yard.database.read(lambda tx: yard.store.revisions.page(tx, key, NEWEST, 9))
        assert [one.number for one in page] == [2, 1]

    in_yard(scene, grounds)


def test_a_job_does_not_come_after_itself_over_two_manifests(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        site = Site(yard)

        def after(name: str, *jobs: str) -> JobSpec:
            return make_spec(name, triggers=[{"after": {"all": list(jobs)}}])

        await site.put(make_spec("one"))
        await site.put(after("two", "one"))
        with pytest.raises(Refused) as refused:
            await site.apply(after("one", "two", "three"))
        words = "job one: follows three, which is no job"
        cycle = "job one: would come after itself: one after two after one"
        assert refused.value.message == f"nothing was changed: {words}; {cycle}"
        paths = [fault.path for fault in refused.value.faults]
        assert paths == [f"jobs.one.triggers[0].after.all[{number}]" for number in (1, 0)]

    in_yard(scene, grounds)
