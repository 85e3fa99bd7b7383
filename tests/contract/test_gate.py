"""What the gate promises whoever comes to it, on a real database."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from runyard.database.port import Tx
from runyard.gate.asking import Request
from runyard.gate.door import Gate, GateSettings
from runyard.gate.telling import Delay, Forget, PassDeadlines, Settle, StartDue
from runyard.model.effect import CancelOlder, Launch, Pending
from runyard.model.errors import AlreadyExists, IllegalTransition, NotFound, Refused, StoreFull
from runyard.model.event import CancelRequested, Delayed, Ended, Launched
from runyard.model.ids import EffectId, RunId
from runyard.model.outcome import Ending
from runyard.model.plan import RunRequest
from runyard.model.run import State
from runyard.store.working_set import Needs, WorkingSet
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.runs import NOW, make_outcome, make_spec

SINGLE: dict[str, Any] = {"concurrency": {"limit": 1}}


def test_a_request_with_room_is_launched_in_the_same_transaction(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        run = await yard.request()
        assert (run.state, run.attempt) == (State.LAUNCHING, 1)
        assert [fact.kind for fact in await yard.history(run)] == ["requested", "started"]
        assert yard.effects() == [Launch(1)]
        assert await yard.outbox() == 1

    in_yard(scene, grounds)


def test_applying_again_changes_nothing_and_a_change_is_a_revision(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        assert await yard.apply(make_spec(), make_spec("other")) == ["created", "created"]
        assert await yard.apply(make_spec(), make_spec("other", priority=3)) == [
            "unchanged",
            "updated",
        ]
        assert (await yard.request("other")).revision == 2
        assert (await yard.request("report")).revision == 1

    in_yard(scene, grounds)


def test_an_unknown_job_is_not_found(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        with pytest.raises(NotFound, match="no job report"):
            await yard.request()

    in_yard(scene, grounds)


def test_a_name_in_two_projects_wants_the_project(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(project="one"), make_spec(project="two"))
        with pytest.raises(Refused, match="several projects"):
            await yard.request()
        assert (await yard.request(project="two")).project == "two"

    in_yard(scene, grounds)


def test_the_same_key_is_the_same_run_and_another_request_is_refused(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(), make_spec("other"))
        first = await yard.request(key="k")
        assert (await yard.request(key="k")).id == first.id
        with pytest.raises(AlreadyExists, match="the idempotency key k"):
            await yard.request("other", key="k")
        assert (await yard.request(key="l")).id != first.id

    in_yard(scene, grounds)


def test_the_same_key_at_the_same_moment_is_the_same_run(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        runs = await asyncio.gather(*(yard.request(key="k") for _ in range(20)))
        assert len({run.id for run in runs}) == 1

    in_yard(scene, grounds)


def test_a_limit_holds_and_who_waits_longest_with_the_highest_rank_is_next(
    grounds: Grounds,
) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(**SINGLE))
        first = await yard.request()
        low = await yard.request(priority=-3)
        yard.later(1)
        middle = await yard.request()
        yard.later(1)
        high = await yard.request(priority=5)
        assert [(await yard.run(one.id)).waiting_on for one in (low, middle, high)] == [
            "job/shop/local/report"
        ] * 3
        for done, following in [(first, high), (high, middle), (middle, low)]:
            await yard.tell(done, Ended(1, make_outcome()))
            assert (await yard.run(following.id)).state is State.LAUNCHING
        slots = await yard.slots()
        assert slots["job/shop/local/report"] == (1, 1)

    in_yard(scene, grounds)


def test_low_priority_does_not_starve(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(**SINGLE))
        out = await yard.request()
        low = await yard.request(priority=-10)
        rounds = 0
        while (await yard.run(low.id)).state is State.QUEUED:
            yard.later(60)
            newer = await yard.request(priority=10)
            await yard.tell(out, Ended(1, make_outcome()))
            out = newer if (await yard.run(newer.id)).is_out else await yard.run(low.id)
            rounds += 1
            assert rounds < 30
        assert rounds > 10

    in_yard(scene, grounds)


def test_in_one_batch_who_waits_comes_before_who_newly_asks(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(**SINGLE))
        first = await yard.request()
        waiting = await yard.request()
        newcomer, _ = await asyncio.gather(
            yard.request(), yard.tell(first, Ended(1, make_outcome()))
        )
        assert (await yard.run(waiting.id)).state is State.LAUNCHING
        assert (await yard.run(newcomer.id)).state is State.QUEUED

    in_yard(scene, grounds)


def test_a_region_has_room_for_so_many_whatever_their_job(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(), make_spec("other"))
        runs = [await yard.request(job) for job in ("report", "other", "report")]
        assert runs[2].waiting_on == "region/local/us-central1"
        await yard.tell(runs[0], Ended(1, make_outcome(Ending.FAILED)))
        assert (await yard.run(runs[2].id)).state is State.LAUNCHING

    in_yard(scene, grounds, region_runs_max=2)


def test_a_run_that_waits_in_one_line_does_not_block_those_behind_it(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(**SINGLE), make_spec("other"))
        single = await yard.request()
        other = await yard.request("other")
        second = await yard.request()  # waits for the single one, later for the region
        behind = await yard.request("other")
        assert behind.waiting_on == "region/local/us-central1"
        assert second.waiting_on == "job/shop/local/report"
        await yard.tell(other, Ended(1, make_outcome()))
        assert (await yard.run(behind.id)).state is State.LAUNCHING
        await yard.tell(single, Ended(1, make_outcome()))
        assert (await yard.run(second.id)).state is State.LAUNCHING

    in_yard(scene, grounds, region_runs_max=2)


def test_raising_a_limit_lets_waiting_runs_in_and_dropping_it_lets_all_in(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(**SINGLE))
        runs = [await yard.request() for _ in range(5)]
        await yard.apply(make_spec(concurrency={"limit": 3}))
        states = [(await yard.run(run.id)).is_out for run in runs]
        assert states == [True, True, True, False, False]
        await yard.apply(make_spec())
        assert all([(await yard.run(run.id)).is_out for run in runs])

    in_yard(scene, grounds)


def test_a_job_that_skips_makes_a_skipped_run_with_the_reason(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(concurrency={"limit": 1, "on_conflict": "skip"}))
        await yard.request()
        skipped = await yard.request()
        assert skipped.state is State.SKIPPED
        assert "the limit is 1" in skipped.reason

    in_yard(scene, grounds)


def test_a_newer_run_asks_the_older_ones_to_go(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(concurrency={"limit": 1, "on_conflict": "cancel_older"}))
        runs = [await yard.request() for _ in range(3)]
        asked = [effect.older for effect in yard.effects() if isinstance(effect, CancelOlder)]
        assert asked == [runs[0].id, runs[0].id, runs[1].id]

    in_yard(scene, grounds)


def test_an_event_too_late_is_refused_and_still_settles_its_effect(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        run = await yard.request()
        effect = yard.committed[-1].effects[0]
        await yard.tell(run, Ended(1, make_outcome()))
        before = await yard.outbox()
        with pytest.raises(IllegalTransition):
            await yard.gate.tell(run.id, Launched(1, "x"), yard.now, settles=effect.id)
        assert await yard.outbox() == before - 1
        assert (await yard.run(run.id)).state is State.SUCCEEDED

    in_yard(scene, grounds)


def test_a_run_that_is_not_there_is_not_found(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        with pytest.raises(NotFound, match="no run run_x"):
            await yard.gate.tell(RunId("run_x"), CancelRequested("ann"), NOW)

    in_yard(scene, grounds)


def test_a_delayed_launch_is_kept_for_later_and_said(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        run = await yard.request()
        (pending,) = yard.committed[-1].effects
        until = yard.now.replace(minute=30)
        await yard.gate.ask(Delay(pending, until, yard.now, Delayed(1, "503", until)))
        assert (await yard.history(run))[-1].kind == "delayed"
        claimed = await claim(yard, yard.now)
        assert claimed == []
        (again,) = await claim(yard, until)
        assert (again.effect, again.tries) == (Launch(1), 1)
        await yard.gate.ask(Settle(again.id, until))
        assert await yard.outbox() == 0

    in_yard(scene, grounds)


def test_a_delay_for_a_run_that_went_on_is_only_a_delay(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        run = await yard.request()
        (pending,) = yard.committed[-1].effects
        await yard.tell(run, Ended(1, make_outcome()))
        await yard.gate.ask(Delay(pending, yard.now, yard.now, Delayed(1, "503", yard.now)))
        assert (await yard.run(run.id)).state is State.SUCCEEDED

    in_yard(scene, grounds)


async def claim(yard: Yard, now: datetime) -> list[Pending]:
    async def work(tx: Tx) -> list[Pending]:
        return await yard.store.outbox.claim(tx, "other", now, now, 10)

    return await yard.database.write(work)


def test_deadlines_pass_for_what_waits_and_for_what_is_out(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(deadline="60s", **SINGLE))
        out, waiting = await yard.request(), await yard.request()
        assert await yard.gate.ask(PassDeadlines(yard.now)) == 0
        yard.later(61)
        assert await yard.gate.ask(PassDeadlines(yard.now)) == 2
        assert (await yard.run(out.id)).state is State.STOPPING
        assert (await yard.run(waiting.id)).state is State.DEAD
        assert await yard.gate.ask(PassDeadlines(yard.now)) == 0

    in_yard(scene, grounds)


def test_a_deadline_beside_an_end_in_one_batch_does_no_harm(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(deadline="60s"))
        run = await yard.request()
        yard.later(61)
        await asyncio.gather(
            yard.tell(run, Ended(1, make_outcome())), yard.gate.ask(PassDeadlines(yard.now))
        )
        assert (await yard.run(run.id)).state is State.SUCCEEDED

    in_yard(scene, grounds)


def test_what_backs_off_is_started_when_due(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        backoff = {"initial": "10s", "jitter": "none"}
        await yard.apply(make_spec(retry={"attempts": 2, "backoff": backoff}))
        run = await yard.request()
        await yard.tell(run, Ended(1, make_outcome(Ending.FAILED)))
        assert await yard.gate.ask(StartDue(yard.now)) == 0
        yard.later(10)
        both = asyncio.gather(yard.gate.ask(StartDue(yard.now)), yard.gate.ask(StartDue(yard.now)))
        assert list(await both) == [1, 1]
        after = await yard.run(run.id)
        assert (after.state, after.attempt) == (State.LAUNCHING, 2)

    in_yard(scene, grounds)


def test_what_is_forgotten_is_gone_but_for_its_charges(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        run = await yard.request(labels=(("a", "b"),), key="k")
        done = await yard.tell(run, Ended(1, make_outcome()))
        yard.later(1)
        await yard.gate.ask(Forget((run.id,), yard.now, yard.now))
        assert await yard.history(run) == []
        charges = await yard.database.read(lambda tx: yard.store.ledger.of_run(tx, run.id))
        assert sum(charge.nano_dollars for charge in charges) == done.cost_nano_dollars > 0
        assert (await yard.request(key="k")).id != run.id

    in_yard(scene, grounds)


@dataclass(slots=True)
class Faulty:
    """A command with a fault of the program."""

    now: datetime = NOW

    def needs(self, needs: Needs) -> None:
        """Nothing to read."""

    async def load(self, work: WorkingSet) -> None:
        """Nothing to load."""

    def frees(self, work: WorkingSet) -> None:
        """Breaks."""
        raise ZeroDivisionError

    def act(self, work: WorkingSet) -> None:
        """Never comes to this."""


def test_one_command_s_fault_does_not_harm_the_others(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        results = await asyncio.gather(
            yard.request(), yard.gate.ask(Faulty()), yard.request(), return_exceptions=True
        )
        assert isinstance(results[1], ZeroDivisionError)
        assert len({run.id for run in results[::2]}) == 2  # type: ignore[union-attr]

    in_yard(scene, grounds)


def test_a_full_disk_is_told_to_everyone_and_nothing_is_half_written(grounds: Grounds) -> None:
    class Full:
        dialect = "sqlite"

        async def write(self, work: object) -> object:
            raise StoreFull("there is no room left")

    async def scene(yard: Yard) -> None:
        gate = Gate(Full(), yard.store, GateSettings())  # type: ignore[arg-type]
        request = Request(RunRequest("local", "report", "ann"), NOW, yard.new_id)
        results = await asyncio.gather(
            gate.ask(request), gate.ask(Settle(EffectId("x"), NOW)), return_exceptions=True
        )
        assert [type(result) for result in results] == [StoreFull, StoreFull]

    in_yard(scene, grounds)


def test_a_waiter_that_goes_away_changes_nothing(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        task = asyncio.create_task(yard.request(key="k"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert (await yard.request(key="k")).state is State.LAUNCHING

    in_yard(scene, grounds)
