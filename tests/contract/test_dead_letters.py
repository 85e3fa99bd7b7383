"""Dead letters on their way through the gate, on every kind of database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from runyard.flow.dead_letters import SERVER
from runyard.gate.dead_letters import Discard, DiscardMany, NotePublished
from runyard.gate.filing import ExpireLetters, FileOld
from runyard.model.audit import AuditEntry
from runyard.model.dead_letter import (
    DeadLetter,
    LetterState,
    ReplayHow,
)
from runyard.model.errors import IllegalTransition, NotFound, Refused
from runyard.model.event import CancelRequested
from runyard.model.ids import RunId
from runyard.model.outcome import Ending
from runyard.model.recovery import UNSCALED, Scaled
from runyard.model.run import Overrides, State
from runyard.store.dead_letters import QUEUED, LetterQuestion
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.letters import (
    ANN,
    begin,
    die,
    end,
    letter,
    page,
    replay_one,
)
from tests.support.runs import make_spec


def test_each_dead_run_has_a_letter_and_no_other_run_has(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        fine = await end(yard, await yard.request(), Ending.SUCCEEDED)
        dead = await die(yard)
        gone = await yard.tell(await yard.request(), CancelRequested("ann"))
        await end(yard, gone, Ending.CANCELLED)
        [one] = await page(yard)
        assert (one.run, one.state, one.attempts) == (dead.id, LetterState.OPEN, 1)
        assert one.died_at == dead.ended_at
        assert one == await letter(yard, dead)
        others = [fine.id, gone.id]
        found = await yard.database.read(lambda tx: yard.store.dead_letters.get(tx, others))
        assert found == []

    in_yard(scene, grounds)


def test_one_is_replayed_by_a_new_run_that_points_back(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(labels={"team": "a"}))
        changed = Overrides(args=("x",), env=(("A", "1"), ("B", "2")))
        dead = await die(yard, overrides=changed, labels=(("who", "me"),), priority=3)
        await yard.apply(make_spec(labels={"team": "b"}, retry={"attempts": 2}))
        how = ReplayHow(env=(("B", "3"),), timeout_seconds=9.0, memory_bytes=2**30)
        run = await replay_one(yard, dead.id, how)
        assert (run.replays, run.revision, run.state) == (dead.id, 2, State.LAUNCHING)
        assert run.overrides == Overrides(("x",), (("A", "1"), ("B", "3")), None, 9.0)
        assert run.scaled == Scaled(memory_bytes=2**30)
        assert run.labels == (("team", "a"), ("who", "me"))
        assert (run.policy.priority, run.policy.attempts_max) == (3, 2)
        one = await letter(yard, dead)
        assert (one.state, one.replayed_by) == (LetterState.REPLAYING, run.id)
        [entry] = await yard.entries("dead_letter.replay")
        assert (entry.by, entry.target) == ("ann", f"dead_letter/{dead.id}")
        assert entry.after == {"run": run.id, "revision": 2, "job": "report"}
        await end(yard, run, Ending.SUCCEEDED)
        assert (await letter(yard, dead)).state is LetterState.REPLAYED
        assert await yard.run(dead.id) == dead, "final is final"

    in_yard(scene, grounds)


def test_one_is_replayed_as_it_was(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = await die(yard)
        await yard.apply(make_spec(retry={"attempts": 2}))
        run = await replay_one(yard, dead.id, ReplayHow(as_it_was=True))
        assert (run.revision, run.policy.attempts_max, run.scaled) == (1, 1, UNSCALED)
        again = await end(yard, run)
        assert again.state is State.DEAD
        assert (await letter(yard, dead)).state is LetterState.REPLACED
        second = await letter(yard, run)
        assert (second.state, second.replay_of) == (LetterState.OPEN, dead.id)
        await yard.database.write(lambda tx: tx.execute("DELETE FROM revisions", ()))
        with pytest.raises(Refused, match="revision 1 of job report is not kept"):
            await replay_one(yard, run.id, ReplayHow(as_it_was=True))
        assert (await replay_one(yard, run.id)).revision == 2

    in_yard(scene, grounds)


def test_a_job_that_moved_has_its_dead_replayed_where_it_is(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(regions=["us-central1", "europe-west1"], placement="all"))
        dead = await die(yard)
        await yard.apply(make_spec(regions=["europe-west1"]))
        assert (await replay_one(yard, dead.id)).region == "europe-west1"

    in_yard(scene, grounds)


def test_what_is_not_open_or_cannot_run_is_refused(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        with pytest.raises(NotFound, match="no dead letter run_nobody"):
            await replay_one(yard, RunId("run_nobody"))
        with pytest.raises(NotFound, match="no dead letter with this id"):
            await yard.gate.ask(Discard(ANN, RunId("a\n"), "", yard.now))
        dead = await die(yard)
        done = await asyncio.gather(
            *(replay_one(yard, dead.id) for _ in range(3)), return_exceptions=True
        )
        assert sorted(type(one).__name__ for one in done) == [
            "IllegalTransition",
            "IllegalTransition",
            "Run",
        ]
        other = await die(yard)
        begun = await begin(yard, [other])
        with pytest.raises(IllegalTransition, match="is chosen since") as caught:
            await replay_one(yard, other.id)
        assert begun.id in caught.value.hint
        third = await die(yard)
        [job] = await yard.database.read(lambda tx: yard.store.jobs.named(tx, "local", "report"))
        await yard.database.write(lambda tx: yard.store.jobs.drop(tx, [job.key]))
        with pytest.raises(NotFound, match="no job report in environment local any more"):
            await replay_one(yard, third.id)
        assert (await letter(yard, third)).state is LetterState.OPEN

    in_yard(scene, grounds)


def test_letters_are_discarded_with_a_reason(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = [await die(yard) for _ in range(3)]
        one = await yard.gate.ask(Discard(ANN, dead[0].id, "known", yard.now))
        note = one.notes[-1]
        assert (one.state, note.by, note.why) == (LetterState.DISCARDED, "ann", "known")
        with pytest.raises(IllegalTransition, match="is discarded since"):
            await yard.gate.ask(Discard(ANN, dead[0].id, "known", yard.now))
        runs = [*(each.id for each in dead), RunId("run_nobody"), dead[1].id]
        many = await yard.gate.ask(DiscardMany(ANN, runs, "all of it", yard.now))
        assert [each.run for each in many] == [dead[1].id, dead[2].id]
        assert await page(yard, state=QUEUED) == []
        entries = await yard.entries("dead_letter.discard")
        assert [entry.reason for entry in entries] == ["known", "all of it", "all of it"]
        assert entries[0].after == {"group": one.fingerprint, "job": "report"}

    in_yard(scene, grounds)


def test_letters_are_listed_filtered_and_grouped(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(), make_spec("other"))
        dead = []
        for job in ("report", "other", "report", "report"):
            dead.append(await die(yard, job))
            yard.later(10)
        ids = [one.id for one in dead]
        assert [one.run for one in await page(yard)] == ids[::-1]
        first = await page(yard, 2)
        rest = await page(yard, before=(_micros(first[-1]), first[-1].run))
        assert [one.run for one in first + rest] == ids[::-1]
        assert [one.run for one in await page(yard, job="other")] == [ids[1]]
        assert [one.run for one in await page(yard, project="toys")] == []
        assert len(await page(yard, environment="local", failure_class="application")) == 4
        assert await page(yard, failure_class="network") == []
        since = await page(yard, since=dead[1].ended_at, until=dead[3].ended_at)
        assert [one.run for one in since] == [ids[2], ids[1]]
        assert await page(yard, environments=()) == []
        assert len(await page(yard, environments=("dev", "local"))) == 4
        await yard.gate.ask(Discard(ANN, ids[3], "", yard.now))
        assert len(await page(yard, state=QUEUED)) == len(await page(yard, state="open")) == 3
        assert [one.run for one in await page(yard, state="discarded")] == [ids[3]]
        groups = await yard.database.read(
            lambda tx: yard.store.dead_letters.groups(tx, LetterQuestion(), 9)
        )
        assert [(one.count, one.open_count, one.example.run) for one in groups] == [
            (3, 2, ids[3]),
            (1, 1, ids[1]),
        ]
        assert (groups[0].first_at, groups[0].last_at) == (dead[0].ended_at, dead[3].ended_at)
        group = groups[0].fingerprint
        assert len(await page(yard, group=group)) == 3
        count = await yard.database.read(
            lambda tx: yard.store.dead_letters.count(tx, LetterQuestion(group=group, state="open"))
        )
        assert count == 2

    in_yard(scene, grounds)


def _micros(one: DeadLetter) -> int:
    return round(one.died_at.timestamp() * 1_000_000)


def test_what_was_published_is_noted(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = await die(yard)
        before = await letter(yard, dead)
        messages = {RunId("run_nobody"): "8", dead.id: "7"}
        await yard.gate.ask(NotePublished(ANN, "broken", messages, yard.now))
        one = await letter(yard, dead)
        assert [(each.topic, each.message) for each in one.published] == [("broken", "7")]
        assert one.version == before.version + 1
        [entry] = await yard.entries("dead_letter.publish")
        assert entry.after == {"topic": "broken", "message": "7", "job": "report"}
        assert entry.reason == ""

    in_yard(scene, grounds)


def test_only_open_letters_expire_and_the_log_says_so(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        old = [await die(yard) for _ in range(3)]
        await replay_one(yard, old[0].id)
        yard.later(100)
        young = await die(yard)
        forget = await yard.database.read(
            lambda tx: yard.store.runs.to_forget(tx, yard.now + timedelta(days=1), 99)
        )
        assert forget == [], "the outbox is not empty, and the queue neither"
        before = yard.now - timedelta(seconds=50)
        await yard.gate.ask(Discard(ANN, old[1].id, "", yard.now))
        expire = ExpireLetters(before, "kept for 90 days", yard.now)
        assert await yard.gate.ask(expire) == 1
        assert await yard.gate.ask(ExpireLetters(before, "", yard.now)) == 0
        states = [(await letter(yard, one)).state for one in [*old, young]]
        assert states == [
            LetterState.REPLAYING,
            LetterState.DISCARDED,
            LetterState.EXPIRED,
            LetterState.OPEN,
        ]
        [entry] = await yard.entries("dead_letter.expire")
        assert (entry.target, entry.reason) == ("job/shop/report", "kept for 90 days")
        assert entry.after == {"count": 1, "runs": [old[2].id]}

    in_yard(scene, grounds)


def test_what_another_command_of_the_batch_has_does_not_expire(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = await die(yard)
        yard.later(1)
        discard = Discard(ANN, dead.id, "mine", yard.now)
        done = await yard.gate.decide_now([discard, ExpireLetters(yard.now, "old", yard.now)])
        assert done.answers[1] == 1
        assert (await letter(yard, dead)).state is LetterState.DISCARDED
        assert await yard.entries("dead_letter.expire") == []

    in_yard(scene, grounds)


def test_what_expires_is_in_the_log_by_job_whatever_else_the_batch_does(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(), make_spec("other"))
        dead = [await die(yard), await die(yard), await die(yard, "other")]
        yard.later(1)
        discard = Discard(ANN, dead[0].id, "mine", yard.now)
        await yard.gate.decide_now([discard, ExpireLetters(yard.now, "old", yard.now)])
        entries = await yard.entries("dead_letter.expire")
        assert sorted(entries, key=lambda one: one.target) == [
            AuditEntry(
                yard.now, SERVER, "dead_letter.expire", f"job/shop/{one.job}", "local",
                after={"count": 1, "runs": [one.id]}, reason="old",
            )
            for one in (dead[2], dead[1])
        ]  # fmt: skip
        note = (await letter(yard, dead[1])).notes[-1]
        assert (note.at, note.by, note.why) == (yard.now, SERVER, "old")

    in_yard(scene, grounds)


def test_runs_that_died_before_there_were_letters_get_theirs(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = sorted([(await die(yard)).id for _ in range(3)])
        await yard.database.write(lambda tx: yard.store.dead_letters.delete(tx, dead))
        assert await yard.gate.ask(FileOld("", yard.now, 2)) == dead[1]
        assert await yard.gate.ask(FileOld(dead[1], yard.now, 2)) == dead[2]
        assert await yard.gate.ask(FileOld(dead[2], yard.now, 2)) is None
        assert sorted(one.run for one in await page(yard)) == dead
        await yard.database.write(lambda tx: yard.store.dead_letters.delete(tx, dead))
        both = [FileOld("", yard.now), FileOld("", yard.now)]
        await yard.gate.decide_now(both)
        assert len(await page(yard)) == 3

    in_yard(scene, grounds)


def test_a_run_keeps_its_letter_company_until_it_is_dealt_with(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = await die(yard)

        async def empty() -> list[RunId]:
            await yard.database.write(lambda tx: tx.execute("DELETE FROM outbox", ()))
            later = yard.now + timedelta(days=99)
            return await yard.database.read(lambda tx: yard.store.runs.to_forget(tx, later, 9))

        assert await empty() == []
        await yard.gate.ask(Discard(ANN, dead.id, "", yard.now))
        assert await empty() == [dead.id]

    in_yard(scene, grounds)


def test_a_replay_may_have_another_number_of_tasks(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec(regions=["us-central1"]))
        dead = await die(yard)
        run = await replay_one(yard, dead.id, ReplayHow(task_count=3))
        assert run.task_count == 3

    in_yard(scene, grounds)
