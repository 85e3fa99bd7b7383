"""What holds when several commands are decided together: each sees what the others did."""

from __future__ import annotations

import asyncio

import pytest

from runyard.database.port import Tx
from runyard.gate.asking import Applied, Apply, Request
from runyard.gate.door import Gate, GateSettings
from runyard.gate.telling import PassDeadlines
from runyard.model.effect import CancelOlder, Launch, Pending
from runyard.model.errors import AlreadyExists, IllegalTransition, NotFound, Refused
from runyard.model.event import CancelRequested, Ended, Launched, Released, Requested, Started
from runyard.model.ids import RunId
from runyard.model.plan import Accepted, RunRequest
from runyard.model.run import Run, State
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard, yard_on
from tests.support.runs import make_outcome, make_spec

JOB = "job/shop/local/report"


async def accepted(
    yard: Yard, by: str = "ann", environment: str = "local", key: str = ""
) -> Accepted:
    asked = RunRequest(environment, "report", by, key=key)
    return await yard.gate.ask(Request(asked, yard.now, yard.new_id))


async def applied(yard: Yard, priority: int, environment: str = "local") -> list[Applied]:
    spec = make_spec(priority=priority)
    return await yard.gate.ask(Apply((spec,), environment, "ann", yard.now))


async def claim(yard: Yard, engine: str) -> list[Pending]:
    async def work(tx: Tx) -> list[Pending]:
        return await yard.store.outbox.claim(tx, engine, yard.now, yard.now, 10)

    return await yard.database.write(work)


def test_a_key_is_answered_alike_in_one_batch_and_in_a_later_one(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        before = len(yard.committed)
        first, *again = await asyncio.gather(*(accepted(yard, key="k") for _ in range(3)))
        assert len(yard.committed) == before + 1  # nobody's fault made the batch fall apart
        assert not first.seen
        assert again == [Accepted(first.runs, seen=True)] * 2
        assert await accepted(yard, key="k") == Accepted(first.runs, seen=True)

    in_yard(scene, grounds)


def test_a_key_stands_for_what_is_asked_and_not_for_who_asks(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        first = await accepted(yard, by="ann", key="k")
        assert (await accepted(yard, by="bob", key="k")).runs == first.runs
        with pytest.raises(AlreadyExists) as caught:
            await yard.request(key="k", priority=1)
        assert "a new key" in caught.value.hint

    in_yard(scene, grounds)


def test_a_key_belongs_to_its_environment_also_within_a_batch(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await asyncio.gather(applied(yard, 0), applied(yard, 0, "staging"))
        here, there = await asyncio.gather(
            accepted(yard, key="k"), accepted(yard, environment="staging", key="k")
        )
        assert here.runs != there.runs
        again = await asyncio.gather(
            accepted(yard, key="k"), accepted(yard, environment="staging", key="k")
        )
        assert [one.runs for one in again] == [here.runs, there.runs]

    in_yard(scene, grounds)


def test_jobs_put_in_force_together_are_revisions_one_after_the_other(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await asyncio.gather(
            yard.apply(make_spec(project="other")), applied(yard, 1), applied(yard, 2)
        )
        both = await asyncio.gather(applied(yard, 3), applied(yard, 4), applied(yard, 4))
        assert [one for (one,) in both] == [
            Applied("shop", "local", "report", 3, "updated"),
            Applied("shop", "local", "report", 4, "updated"),
            Applied("shop", "local", "report", 4, "unchanged"),
        ]
        assert (await yard.request(project="shop")).policy.priority == 4
        assert (await yard.request(project="other")).revision == 1

    in_yard(scene, grounds)


def test_the_order_of_a_document_s_keys_is_no_change(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        assert await yard.apply(make_spec(labels={"a": "1", "b": "2"})) == ["created"]
        assert await yard.apply(make_spec(labels={"b": "2", "a": "1"})) == ["unchanged"]

    in_yard(scene, grounds)


def test_who_ended_in_the_same_batch_is_not_asked_to_go(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(concurrency={"limit": 2, "on_conflict": "cancel_older"}))
        over, out = await yard.request(), await yard.request()
        _, third, fourth = await asyncio.gather(
            yard.tell(over, Ended(1, make_outcome())), yard.request(), yard.request()
        )
        assert third.state is State.LAUNCHING
        assert fourth.waiting_on == JOB
        asked = [effect.older for effect in yard.effects() if isinstance(effect, CancelOlder)]
        assert asked == [out.id, third.id]

    in_yard(scene, grounds)


def test_one_run_that_ended_meanwhile_does_not_keep_deadlines_from_the_others(
    grounds: Grounds,
) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(deadline="60s"))
        runs = [await yard.request() for _ in range(3)]
        yard.later(61)
        _, passed = await asyncio.gather(
            yard.tell(runs[0], Ended(1, make_outcome())), yard.gate.ask(PassDeadlines(yard.now))
        )
        assert passed == 3
        states = [(await yard.run(run.id)).state for run in runs]
        assert states == [State.SUCCEEDED, State.STOPPING, State.STOPPING]

    in_yard(scene, grounds)


def test_a_gate_that_carries_nothing_out_leaves_effects_to_any_engine_at_once(
    grounds: Grounds,
) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        run = await yard.request()
        assert yard.effects() == []
        assert [(one.run, one.effect) for one in await claim(yard, "any")] == [(run.id, Launch(1))]

    in_yard(scene, grounds, engine="")


def test_an_engine_s_gate_hands_its_effects_over_and_keeps_others_from_them(
    grounds: Grounds,
) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        await yard.request()
        assert yard.effects() == [Launch(1)]
        assert await claim(yard, "other") == []

    in_yard(scene, grounds)


def test_what_was_committed_is_told_with_its_facts(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        yard.later(5)
        run = await yard.request()
        done = yard.committed[-1]
        assert done.runs == (run,)
        assert [(one.version, fact, at) for one, fact, at in done.facts] == [
            (1, Requested(run.trigger, "ann", 1), yard.now),
            (2, Started(1), yard.now),
        ]

    in_yard(scene, grounds)


def test_a_batch_is_told_in_the_order_it_came_and_each_has_its_own_answer(
    grounds: Grounds,
) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(), make_spec("other"))
        before = len(yard.committed)
        run, missing, other = await asyncio.gather(
            yard.gate.ask(Request(RunRequest("local", "report", "ann"), yard.now, yard.new_id)),
            yard.gate.ask(Request(RunRequest("local", "none", "ann"), yard.now, yard.new_id)),
            yard.gate.ask(Request(RunRequest("local", "other", "ann"), yard.now, yard.new_id)),
            return_exceptions=True,
        )
        assert len(yard.committed) == before + 1
        assert isinstance(run, Accepted)
        assert isinstance(missing, NotFound)
        assert isinstance(other, Accepted)
        jobs = [(await yard.run(one.runs[0])).job for one in (run, other)]
        assert jobs == ["report", "other"]

    in_yard(scene, grounds)


def test_a_second_cancel_in_one_batch_is_refused_and_the_first_holds(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        run = await yard.request()
        one, other = await asyncio.gather(
            yard.tell(run, CancelRequested("ann")),
            yard.tell(run, CancelRequested("bob")),
            return_exceptions=True,
        )
        assert not isinstance(one, BaseException)
        assert one.reason == "cancelled by ann"
        assert isinstance(other, IllegalTransition)

    in_yard(scene, grounds)


def test_a_name_in_several_projects_is_refused_with_their_names(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(project="one"), make_spec(project="two"))
        with pytest.raises(Refused, match="one, two"):
            await yard.request()

    in_yard(scene, grounds)


def test_a_limit_has_its_slot_from_the_first_and_gets_it_back(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(concurrency={"limit": 3}))
        assert await yard.slots() == {JOB: (0, 3)}
        await yard.database.write(lambda tx: tx.execute("DELETE FROM slots"))
        await yard.request()
        assert await yard.slots() == {JOB: (1, 3), "region/local/us-central1": (1, 10)}

    in_yard(scene, grounds)


def test_who_is_let_in_knows_which_slot_was_freed(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(concurrency={"limit": 1}))
        first, second = await yard.request(), await yard.request()
        await yard.tell(first, Ended(1, make_outcome()))
        told = {fact.kind: fact.data for fact in await yard.history(second)}
        assert told["slot_freed"]["slot"] == told["waited"]["slot"] == JOB

    in_yard(scene, grounds)


def test_who_asks_for_what_is_not_there_is_told_what_to_do(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        with pytest.raises(NotFound) as no_job:
            await yard.request()
        with pytest.raises(NotFound) as no_run:
            await yard.gate.tell(RunId("run_x"), CancelRequested("ann"), yard.now)
        assert "runyard jobs" in no_job.value.hint
        assert "runyard runs" in no_run.value.hint

    in_yard(scene, grounds)


def test_what_another_gate_decided_since_is_seen(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        other = yard_on(yard.database, engine="other")
        await yard.apply(make_spec())
        run = await yard.request()
        told = await yard.tell(run, Launched(1, "exec-1"))
        await other.tell(run, CancelRequested("bob"))
        after = await yard.tell(run, Ended(1, make_outcome()))
        assert told.version + 2 == after.version
        assert after.stop_cause == "cancel"
        assert after == await yard.run(run.id)
        kinds = [each.kind for each in await yard.history(run)]
        assert kinds == ["requested", "started", "launched", "cancel_requested", "attempt_ended"]

    in_yard(scene, grounds)


def test_a_run_that_was_committed_is_not_made_anew_from_its_row(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        run = await yard.request()
        known = yard.committed[-1].runs[0]

        async def work(tx: Tx) -> list[Run]:
            stale = run.evolve(version=run.version - 1, job="something else")
            return [
                *await yard.store.runs.get(tx, [run.id], {run.id: known}),
                *await yard.store.runs.get(tx, [run.id], {run.id: stale}),
            ]

        kept, made = await yard.database.read(work)
        assert kept is known
        assert made == run

    in_yard(scene, grounds)


def test_a_gate_keeps_so_many_runs_and_the_latest_of_them(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        yard.gate = Gate(yard.database, yard.store, GateSettings("me", recent_max=2))
        await yard.apply(make_spec())
        first, second = await yard.request(), await yard.request()
        await yard.tell(first, Launched(1, "exec-1"))
        third = await yard.request()
        assert list(yard.gate.recent) == [first.id, third.id]
        await yard.tell(second, Launched(1, "exec-2"))
        assert list(yard.gate.recent) == [third.id, second.id]
        await yard.tell(second, Ended(1, make_outcome()))
        assert list(yard.gate.recent) == [third.id, second.id]
        await yard.tell(second, Released(1))
        assert list(yard.gate.recent) == [third.id]  # of what is over nothing more will come

    in_yard(scene, grounds)


def test_a_gate_has_something_under_way_while_somebody_waits(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        assert yard.gate.tasks() == []
        asking = asyncio.create_task(yard.apply(make_spec()))
        await asyncio.sleep(0)
        (task,) = yard.gate.tasks()
        assert not task.done()
        await asking
        await task

    in_yard(scene, grounds)


def test_runs_of_one_slot_may_have_been_asked_for_under_different_rules(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(concurrency={"limit": 1, "on_conflict": "queue"}))
        older = await yard.request()
        await yard.apply(make_spec(concurrency={"limit": 1, "on_conflict": "cancel_older"}))
        before = len(yard.committed)
        await asyncio.gather(yard.tell(older, Launched(1, "exec-1")), accepted(yard))
        assert len(yard.committed) == before + 1
        effects = [one.effect for one in yard.committed[-1].effects]
        assert effects == [CancelOlder(older.id)]

    in_yard(scene, grounds)
