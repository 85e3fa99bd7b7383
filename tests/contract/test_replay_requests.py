"""What replays ask for in place of dead runs, and what the log keeps of them, on every kind of
database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runyard.flow.dead_letters import SERVER
from runyard.gate.asking import Apply
from runyard.gate.backfilling import FillBack
from runyard.gate.firing import FireDue
from runyard.gate.replaying import AdvanceReplays, BeginReplay, CancelReplay, ReplayOne
from runyard.model.audit import AuditEntry, Origin
from runyard.model.dead_letter import LetterState, Replay, ReplayHow, ReplayId, ReplayState
from runyard.model.errors import IllegalTransition, NotFound, Refused
from runyard.model.outcome import Ending
from runyard.model.principal import Caller
from runyard.model.run import Run, TriggeredBy, TriggerKind
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.letters import AS_IT_IS, advance, die, end, letter, newest, replay, replay_one
from tests.support.runs import make_spec

BOB = Caller("bob", (), origin=Origin("::1", "curl", "tok_1"))
SCHEDULE = "shop/local/report/schedule"
WHAT = {"what": "some", "verify_first": False, "per_minute": 60}


def row_of(yard: Yard, **said: Any) -> Replay:
    usual: dict[str, Any] = {"environment": "local", "how": AS_IT_IS}
    return Replay(ReplayId("rp_1"), what="some", by="bob", requested_at=yard.now, total=0,
                  **usual | said)  # fmt: skip


async def begin(yard: Yard, *dead: Run, **said: Any) -> Replay:
    letters = [one.id for one in dead]
    return await yard.gate.ask(BeginReplay(BOB, row_of(yard, **said), letters, yard.now))


async def drop_job(yard: Yard) -> None:
    [job] = await yard.database.read(lambda tx: yard.store.jobs.named(tx, "local", "report"))
    await yard.database.write(lambda tx: yard.store.jobs.drop(tx, [job.key]))


async def block(yard: Yard, why: str) -> None:
    [job] = await yard.database.read(lambda tx: yard.store.jobs.named(tx, "local", "report"))
    blocked = replace(job, blocked=why)
    await yard.database.write(lambda tx: yard.store.jobs.put(tx, [blocked]))


def test_a_run_of_a_schedule_is_replayed_for_its_instant_and_waits_for_none_of_it(
    grounds: Grounds,
) -> None:
    async def scene(yard: Yard) -> None:
        hourly = {"schedule": "0 * * * *", "startBy": "10m"}
        await yard.apply(make_spec(triggers=[hourly]))
        for _ in range(2):
            await yard.gate.ask(FireDue(yard.now, yard.new_id, ZoneInfo))
            yard.later(3600)
        [number] = await yard.database.read(
            lambda tx: yard.store.runs.live_of_triggers(tx, [SCHEDULE])
        )
        dead = await end(yard, await yard.run(number))
        by = dead.triggered_by
        assert by is not None
        assert by.slot
        yard.later(60)
        run = await replay_one(yard, dead.id)
        assert run.triggered_by == TriggeredBy(SCHEDULE, by.instant)
        assert (run.trigger, run.requested_by) == (TriggerKind.SCHEDULE, "ann")

    in_yard(scene, grounds)


def test_a_run_of_a_backfill_is_replayed_where_it_was_and_waits_for_none_of_it(
    grounds: Grounds,
) -> None:
    async def scene(yard: Yard) -> None:
        asked = {"region": "europe-west1"}
        regions = ["us-central1", "europe-west1"]
        hourly = {"schedule": "0 * * * *", "with": asked}
        await yard.apply(make_spec(regions=regions, triggers=[hourly]))
        key = ("shop", "local", "report", "schedule")
        since = yard.now - timedelta(hours=2)
        fill = FillBack(
            key, "ann", yard.now, id="bf_1", since=since, until=yard.now,
            parallelism=2, new_id=yard.new_id, zones=ZoneInfo,
        )  # fmt: skip
        filled = await yard.gate.ask(fill)
        dead = await end(yard, await yard.run(filled.instants[0].runs[0]))
        by = dead.triggered_by
        assert by is not None
        assert by.slot_limit == 2
        run = await replay_one(yard, dead.id)
        assert run.triggered_by == TriggeredBy(SCHEDULE, by.instant)
        assert run.region == dead.region == "europe-west1"

    in_yard(scene, grounds)


def test_the_log_keeps_who_replayed_what_from_where(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = await die(yard)
        yard.later(5)
        asked = ReplayOne(BOB, dead.id, ReplayHow(), yard.now, yard.new_id)
        run = await yard.gate.ask(asked)
        after = {"run": run.id, "revision": 1, "job": "report"}
        assert await yard.entries("dead_letter.replay") == [
            AuditEntry(
                yard.now, "bob", "dead_letter.replay", f"dead_letter/{dead.id}", "local",
                after=after, origin=BOB.origin,
            )
        ]  # fmt: skip
        note = (await letter(yard, dead)).notes[-1]
        assert (note.at, note.state, note.by, note.run) == (
            yard.now, LetterState.REPLAYING, "bob", run.id,
        )  # fmt: skip

    in_yard(scene, grounds)


def test_the_log_keeps_who_began_and_who_cancelled_a_replay(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = [await die(yard) for _ in range(2)]
        begun = await begin(yard, *dead)
        note = (await letter(yard, dead[1])).notes[-1]
        assert (note.by, note.why) == ("bob", "replay rp_1")
        assert (await letter(yard, dead[1])).replay == begun.id
        yard.later(1)
        await advance(yard)
        assert (await newest(yard, dead[0])).requested_by == "bob"
        assert (await letter(yard, dead[0])).notes[-1].by == "bob"
        await yard.gate.ask(CancelReplay(BOB, begun.id, "enough", yard.now))
        [began] = await yard.entries("replay.begin")
        [ended] = await yard.entries("replay.cancel")
        assert began == AuditEntry(
            begun.requested_at, "bob", "replay.begin", "replay/rp_1", "local",
            after={"letters": 2, "asked": 0, **WHAT}, origin=BOB.origin,
        )  # fmt: skip
        assert ended == AuditEntry(
            yard.now, "bob", "replay.cancel", "replay/rp_1", "local",
            after={"letters": 2, "asked": 1, **WHAT}, reason="enough", origin=BOB.origin,
        )  # fmt: skip
        row = await replay(yard, begun)
        assert (row.state, row.reason) == (ReplayState.CANCELLED, "cancelled by bob: enough")
        note = (await letter(yard, dead[1])).notes[-1]
        assert (note.at, note.by) == (yard.now, "bob")
        assert note.why == "rp_1 is cancelled: cancelled by bob: enough"

    in_yard(scene, grounds)


def test_only_open_letters_of_its_environment_are_replayed_each_once(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        await yard.gate.ask(Apply([make_spec()], "dev", "ann", yard.now))
        dead, done = await die(yard), await die(yard)
        await replay_one(yard, done.id)
        with pytest.raises(Refused, match="no open dead letter"):
            await begin(yard, dead, environment="dev")
        with pytest.raises(Refused, match="no open dead letter"):
            await begin(yard, done)
        begun = await begin(yard, dead, done, dead)
        assert begun.total == 1
        await advance(yard)
        await end(yard, await newest(yard, dead), Ending.SUCCEEDED)
        assert (await replay(yard, begun)).state is ReplayState.DONE

    in_yard(scene, grounds)


def test_a_replay_that_is_over_is_not_cancelled_in_the_same_moment(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = await die(yard)
        begun = await begin(yard, dead)
        await advance(yard)
        await end(yard, await newest(yard, dead), Ending.SUCCEEDED)
        assert (await replay(yard, begun)).ended_at == yard.now
        with pytest.raises(IllegalTransition, match="is done already"):
            await yard.gate.ask(CancelReplay(BOB, begun.id, "", yard.now))
        assert await yard.entries("replay.cancel") == []

    in_yard(scene, grounds)


def test_why_a_letter_could_not_be_asked_for_is_noted_with_it(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = [await die(yard) for _ in range(2)]
        begun = await begin(yard, *dead, verify_first=True)
        await block(yard, "its image is gone")
        yard.later(5)
        assert await advance(yard) == 1
        first, second = [(await letter(yard, one)).notes[-1] for one in dead]
        assert (first.at, first.by) == (second.at, second.by) == (yard.now, "bob")
        assert first.why == "rp_1: job report is not ready: its image is gone"
        row = await replay(yard, begun)
        why = "the first could not be asked for: job report is not ready: its image is gone"
        assert (row.reason, row.ended_at) == (why, yard.now)
        assert second.why == f"rp_1 is stopped: {why}"

    in_yard(scene, grounds)


def test_what_is_let_go_when_the_first_is_dead_says_so(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = [await die(yard) for _ in range(2)]
        begun = await begin(yard, *dead, verify_first=True)
        await advance(yard)
        yard.later(5)
        await end(yard, await newest(yard, dead[0]))
        row = await replay(yard, begun)
        assert (row.state, row.ended_at) == (ReplayState.STOPPED, yard.now)
        note = (await letter(yard, dead[1])).notes[-1]
        assert (note.at, note.by, note.state) == (yard.now, SERVER, LetterState.OPEN)
        assert note.why == f"rp_1 is stopped: {row.reason}"

    in_yard(scene, grounds)


def test_who_cannot_run_says_what_to_do(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = await die(yard)
        await yard.apply(make_spec(retry={"attempts": 2}))
        await yard.database.write(
            lambda tx: tx.execute("DELETE FROM revisions WHERE revision = 1", ())
        )
        with pytest.raises(Refused) as caught:
            await replay_one(yard, dead.id, ReplayHow(as_it_was=True))
        assert caught.value.hint == "replay it on the newest revision"
        await block(yard, "no room")
        with pytest.raises(Refused) as caught:
            await replay_one(yard, dead.id)
        assert caught.value.message == "job report is not ready: no room"
        assert caught.value.hint == "`runyard jobs get report` shows its conditions"
        await drop_job(yard)
        with pytest.raises(NotFound) as missing:
            await replay_one(yard, dead.id)
        assert missing.value.hint == "discard its dead letters, or apply a manifest that has it"
        assert (await letter(yard, dead)).state is LetterState.OPEN

    in_yard(scene, grounds)


def test_a_job_of_the_same_name_in_another_project_takes_no_place(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = await die(yard)
        await yard.apply(make_spec(project="toys", regions=["europe-west1"]))
        assert (await replay_one(yard, dead.id)).project == "shop"
        other = await die(yard, project="shop")
        [job] = [
            one
            for one in await yard.database.read(
                lambda tx: yard.store.jobs.named(tx, "local", "report")
            )
            if one.project == "shop"
        ]
        await yard.database.write(lambda tx: yard.store.jobs.drop(tx, [job.key]))
        with pytest.raises(NotFound, match="no job report in environment local any more"):
            await replay_one(yard, other.id)

    in_yard(scene, grounds)


def test_a_letter_whose_run_is_gone_cannot_be_replayed(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = await die(yard)
        await yard.database.write(lambda tx: yard.store.runs.delete(tx, [dead.id]))
        with pytest.raises(NotFound, match=f"no dead letter {dead.id}"):
            await replay_one(yard, dead.id)

    in_yard(scene, grounds)


def test_so_many_replays_go_on_in_a_turn(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        for number in ("rp_1", "rp_2"):
            dead = await die(yard)
            row = row_of(yard).evolve(id=ReplayId(number))
            await yard.gate.ask(BeginReplay(BOB, row, [dead.id], yard.now))
        turn = AdvanceReplays(yard.now, yard.new_id, 1)
        assert [await yard.gate.ask(turn) for _ in range(3)] == [1, 1, 0]

    in_yard(scene, grounds)
