"""Replays of many dead letters, on every kind of database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runyard.gate.replaying import AdvanceReplays, CancelReplay
from runyard.gate.telling import Forget
from runyard.model.dead_letter import (
    LetterState,
    Replay,
    ReplayHow,
    ReplayId,
    ReplayState,
)
from runyard.model.errors import IllegalTransition, NotFound, Refused
from runyard.model.event import CancelRequested
from runyard.model.outcome import Ending
from runyard.model.run import State
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.letters import (
    ANN,
    advance,
    begin,
    die,
    end,
    letter,
    newest,
    page,
    replay,
)
from tests.support.runs import make_spec


def test_letters_are_asked_for_at_their_pace_and_survive_who_does_it(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = [await die(yard) for _ in range(3)]
        begun = await begin(yard, dead, per_minute=30)
        assert begun.total == 3
        assert {(await letter(yard, one)).state for one in dead} == {LetterState.CHOSEN}
        assert (await advance(yard), await advance(yard)) == (1, 0)
        first = await newest(yard, dead[0])
        assert first.replays == dead[0].id
        yard.gate.recent.clear()  # another process goes on
        due = await yard.database.read(yard.store.dead_letters.next_instant)
        assert due == yard.now + timedelta(seconds=2)
        yard.later(60)
        assert await advance(yard) == 1, "lost time is not made up for"
        await end(yard, await newest(yard, dead[1]), Ending.SUCCEEDED)
        yard.later(2)
        assert await advance(yard) == 1
        row = await replay(yard, begun)
        assert (row.state, row.asked, row.succeeded) == (ReplayState.FINISHING, 3, 1)
        assert await yard.database.read(yard.store.dead_letters.next_instant) is None
        await end(yard, first)
        await yard.tell(await newest(yard, dead[2]), CancelRequested("ann"))
        last = await end(yard, await newest(yard, dead[2]), Ending.CANCELLED)
        assert last.state is State.CANCELLED
        row = await replay(yard, begun)
        assert (row.state, row.died, row.ended_otherwise) == (ReplayState.DONE, 1, 1)
        states = [(await letter(yard, one)).state for one in dead]
        assert states == [LetterState.REPLACED, LetterState.REPLAYED, LetterState.OPEN]
        [entry] = await yard.entries("replay.begin")
        assert (entry.target, entry.after and entry.after["letters"]) == (f"replay/{begun.id}", 3)

    in_yard(scene, grounds)


def test_the_first_is_verified_before_the_others(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = [await die(yard) for _ in range(3)]
        begun = await begin(yard, dead, verify_first=True)
        await advance(yard)
        yard.later(600)
        assert await advance(yard) == 0, "it waits for the first"
        await end(yard, await newest(yard, dead[0]), Ending.SUCCEEDED)
        assert await advance(yard) == 1
        assert (await replay(yard, begun)).state is ReplayState.REPLAYING
        await yard.gate.ask(CancelReplay(ANN, begun.id, "enough", yard.now))
        assert (await letter(yard, dead[2])).state is LetterState.OPEN
        assert (await letter(yard, dead[1])).state is LetterState.REPLAYING

        stopped = await begin(yard, [dead[2], await die(yard)], verify_first=True)
        await advance(yard)
        await end(yard, await newest(yard, dead[2]))
        row = await replay(yard, stopped)
        assert row.state is ReplayState.STOPPED
        assert row.reason.endswith("is dead: it failed (attempt 1 of 1 by retry.attempts)")
        left = await page(yard, state="open")
        assert [one.notes[-1].why for one in left if one.notes] == [
            f"{row.id} is stopped: {row.reason}"
        ]

    in_yard(scene, grounds)


def test_a_replay_is_cancelled_once_and_before_it_goes_on(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = [await die(yard) for _ in range(2)]
        begun = await begin(yard, dead)
        cancel = CancelReplay(ANN, begun.id, "", yard.now)
        done = await yard.gate.decide_now([AdvanceReplays(yard.now, yard.new_id), cancel])
        assert done.answers[1].state is ReplayState.CANCELLED
        assert {(await letter(yard, one)).state for one in dead} == {LetterState.OPEN}
        yard.later(1)
        with pytest.raises(IllegalTransition, match="is cancelled already"):
            await yard.gate.ask(CancelReplay(ANN, begun.id, "", yard.now))
        with pytest.raises(NotFound, match="no replay rp_none"):
            await yard.gate.ask(CancelReplay(ANN, ReplayId("rp_none"), "", yard.now))
        assert len(await yard.entries("replay.cancel")) == 1
        with pytest.raises(Refused, match="no open dead letter"):
            await begin(yard, [await yard.request()])

    in_yard(scene, grounds)


@pytest.mark.parametrize("verify", [True, False])
def test_two_turns_in_one_batch_ask_for_a_letter_once(grounds: Grounds, verify: bool) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = [await die(yard) for _ in range(2)]
        begun = await begin(yard, dead, verify_first=verify)
        turns = [AdvanceReplays(yard.now, yard.new_id) for _ in range(2)]
        assert (await yard.gate.decide_now(turns)).answers == (1, 1)
        row = await replay(yard, begun)
        assert (row.asked, row.left) == (1, 0)
        states = [(await letter(yard, one)).state for one in dead]
        assert states == [LetterState.REPLAYING, LetterState.CHOSEN]

    in_yard(scene, grounds)


@pytest.mark.parametrize("verify", [True, False])
def test_what_cannot_run_stays_in_the_queue(grounds: Grounds, verify: bool) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = [await die(yard) for _ in range(2)]
        begun = await begin(yard, dead, verify_first=verify)
        [job] = await yard.database.read(lambda tx: yard.store.jobs.named(tx, "local", "report"))
        await yard.database.write(lambda tx: yard.store.jobs.drop(tx, [job.key]))
        await advance(yard)
        yard.later(60)
        await advance(yard)
        row = await replay(yard, begun)
        expected = (ReplayState.STOPPED, 1) if verify else (ReplayState.DONE, 2)
        assert (row.state, row.left) == expected
        assert {(await letter(yard, one)).state for one in dead} == {LetterState.OPEN}
        assert "no job report" in (await letter(yard, dead[0])).notes[-1].why

    in_yard(scene, grounds)


def test_letters_that_went_with_their_runs_end_a_replay(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = [await die(yard) for _ in range(2)]
        begun = await begin(yard, dead)
        await advance(yard)
        under_way = await newest(yard, dead[0])
        await yard.gate.ask(Forget(tuple(one.id for one in dead), yard.now, yard.now))
        yard.later(60)
        await advance(yard)
        assert (await replay(yard, begun)).state is ReplayState.FINISHING
        await end(yard, under_way, Ending.SUCCEEDED)
        assert await page(yard) == []
        later = yard.now + timedelta(days=1)
        cancelled = await yard.gate.ask(CancelReplay(ANN, begun.id, "", yard.now))
        await yard.gate.ask(Forget((), yard.now, later, later))
        found = await yard.database.read(
            lambda tx: yard.store.dead_letters.replay_page(tx, None, "", 9)
        )
        assert cancelled.is_over
        assert found == []

    in_yard(scene, grounds)


def test_a_replay_all_of_whose_letters_went_is_done_then(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        dead = await die(yard)
        begun = await begin(yard, [dead])
        await yard.gate.ask(Forget((dead.id,), yard.now, yard.now))
        yard.later(60)
        assert await advance(yard) == 1
        row = await replay(yard, begun)
        assert (row.state, row.ended_at) == (ReplayState.DONE, yard.now)

    in_yard(scene, grounds)


def test_replays_are_listed(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        begun = [await begin(yard, [await die(yard)]) for _ in range(3)]
        how = ReplayHow(args=("a",), env=(("A", "b"),))
        begun.append(await begin(yard, [await die(yard)], how=how))

        async def found(environments: Any, before: str = "") -> list[Replay]:
            return await yard.database.read(
                lambda tx: yard.store.dead_letters.replay_page(tx, environments, before, 9)
            )

        newest_first = sorted(begun, key=lambda one: one.id, reverse=True)
        assert await found(None) == newest_first
        assert await found(("local",), newest_first[1].id) == newest_first[2:]
        assert await found(("dev",)) == await found(()) == []

    in_yard(scene, grounds)
