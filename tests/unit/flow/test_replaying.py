"""The life of a replay of several dead letters."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow import replaying
from runyard.flow.dead_letters import letter_of
from runyard.flow.replaying import TRANSITIONS, in_turn, overrides_of
from runyard.model.dead_letter import Replay, ReplayHow, ReplayId, ReplayState
from runyard.model.errors import IllegalTransition
from runyard.model.ids import RunId
from runyard.model.run import InputFile, Overrides, Run, State
from tests.support.runs import NOW, make_run

STATES = (State.SUCCEEDED, State.DEAD, State.CANCELLED, State.SKIPPED)


def replay(total: int = 3, **said: Any) -> Replay:
    row = Replay(ReplayId("rp_1"), "local", "some", ReplayHow(), "ann", NOW, total, **said)
    return replaying.begin(row)


def run(state: State, reason: str = "") -> Run:
    return make_run(state, reason=reason)


def test_letters_are_asked_for_at_an_even_pace_until_all_runs_have_ended() -> None:
    row = replay(2, per_minute=30)
    assert (row.state, row.due_at) == (ReplayState.REPLAYING, NOW)
    row = replaying.asked(row, NOW)
    assert (row.asked, row.due_at) == (1, NOW + timedelta(seconds=2))
    later = NOW + timedelta(hours=1)
    row = replaying.asked(row, later)
    assert (row.state, row.due_at, row.is_asked) == (ReplayState.FINISHING, None, True)
    row = replaying.ended(row, run(State.DEAD), later)
    assert (row.state, row.died) == (ReplayState.FINISHING, 1)
    row = replaying.ended(row, run(State.SUCCEEDED), later)
    assert (row.state, row.succeeded, row.ended_at) == (ReplayState.DONE, 1, later)
    assert (row.is_over, row.reason) == (True, "")


def test_each_step_is_one_version() -> None:
    row = replay(4)
    for step in (
        replaying.asked(row, NOW),
        replaying.left(row, "why", NOW),
        replaying.ended(row, run(State.DEAD), NOW),
        replaying.gone(row, NOW),
        replaying.cancel(row, "ann", "", NOW),
    ):
        assert step.version == row.version + 1


def test_the_first_is_verified_before_the_rest() -> None:
    row = replaying.asked(replay(2, verify_first=True), NOW)
    assert (row.state, row.due_at) == (ReplayState.VERIFYING, None)
    row = replaying.ended(row, run(State.SUCCEEDED), NOW)
    assert (row.state, row.due_at) == (ReplayState.REPLAYING, NOW)
    only = replaying.asked(replay(1, verify_first=True), NOW)
    alone = replaying.ended(only, run(State.SUCCEEDED), NOW)
    assert (alone.state, alone.ended_at) == (ReplayState.DONE, NOW)


@pytest.mark.parametrize("state", [State.DEAD, State.CANCELLED, State.SKIPPED])
def test_a_first_one_that_does_not_succeed_stops_the_rest(state: State) -> None:
    row = replaying.asked(replay(verify_first=True), NOW)
    row = replaying.ended(row, run(state, "no luck"), NOW)
    assert (row.state, row.due_at, row.ended_at) == (ReplayState.STOPPED, None, NOW)
    assert row.reason == f"the first, {make_run().id}, is {state}: no luck"
    bare = replaying.asked(replay(verify_first=True), NOW)
    assert replaying.ended(bare, run(state), NOW).reason.endswith(f"is {state}")


def test_one_that_cannot_be_asked_for_is_left_out() -> None:
    row = replaying.left(replay(2), "no such job", NOW)
    assert (row.left, row.state, row.due_at) == (
        1,
        ReplayState.REPLAYING,
        NOW + timedelta(seconds=1),
    )
    last = replaying.left(row, "no such job", NOW)
    assert (last.state, last.due_at, last.ended_at) == (ReplayState.DONE, None, NOW)
    first = replaying.left(replay(2, verify_first=True), "no such job", NOW)
    assert (first.state, first.due_at, first.ended_at) == (ReplayState.STOPPED, None, NOW)
    assert first.reason == "the first could not be asked for: no such job"


def test_letters_that_are_gone_end_it() -> None:
    row = replaying.left(replaying.asked(replay(5), NOW), "why", NOW)
    row = replaying.gone(row, NOW)
    assert (row.total, row.state) == (2, ReplayState.FINISHING)
    none = replaying.gone(replay(5), NOW)
    assert (none.total, none.state, none.ended_at) == (0, ReplayState.DONE, NOW)


def test_a_cancelled_one_asks_for_no_more_and_still_counts() -> None:
    row = replaying.asked(replay(), NOW)
    row = replaying.cancel(row, "bob", "too many", NOW)
    assert (row.state, row.reason) == (ReplayState.CANCELLED, "cancelled by bob: too many")
    assert (row.due_at, row.ended_at) == (None, NOW)
    after = replaying.ended(row, run(State.SUCCEEDED), NOW + timedelta(seconds=9))
    assert (after.state, after.succeeded, after.ended_at) == (ReplayState.CANCELLED, 1, NOW)
    assert replaying.cancel(replay(), "bob", "", NOW).reason == "cancelled by bob"
    with pytest.raises(IllegalTransition, match=r"^rp_1 is cancelled already$") as raised:
        replaying.cancel(row, "bob", "", NOW)
    assert raised.value.hint == "`runyard dead-letters replays` shows what became of it"
    with pytest.raises(IllegalTransition, match="cannot be"):
        replaying.gone(row.evolve(state=ReplayState.STOPPED), NOW)


@given(
    st.integers(1, 6),
    st.booleans(),
    st.lists(st.tuples(st.sampled_from(["ask", "left", "end"]), st.sampled_from(STATES))),
)
def test_a_replay_comes_to_its_end_and_counts_what_it_did(
    total: int, verify: bool, steps: list[tuple[str, State]]
) -> None:
    """Whatever happens in whatever order, a row is due, waits for a run, or is over."""
    row = replay(total, verify_first=verify)
    for step, state in [*steps, *[("ask", State.DEAD), ("end", State.DEAD)] * (total + 1)]:
        before, out = row, row.asked - row.succeeded - row.died - row.ended_otherwise
        if step == "end":
            row = replaying.ended(row, run(state), NOW) if out else row
        elif row.due_at is not None:
            row = (replaying.asked if step == "ask" else _left)(row, NOW)
        assert row.state is before.state or _reaches(before.state, row.state)
        out = row.asked - row.succeeded - row.died - row.ended_otherwise
        assert row.is_over or row.due_at is not None or out > 0
        assert row.asked + row.left <= total
    assert row.is_over
    assert (row.state is ReplayState.STOPPED) <= verify


def _left(row: Replay, now: Any) -> Replay:
    return replaying.left(row, "why", now)


def _reaches(one: ReplayState, other: ReplayState) -> bool:
    return other in TRANSITIONS[one] or any(other in TRANSITIONS[each] for each in TRANSITIONS[one])


def test_overrides_are_those_of_the_dead_run_and_what_is_said() -> None:
    file = InputFile("/input/event.json", "{}")
    old = Overrides(("a",), (("A", "1"), ("B", "2")), 3, 60.0, file)
    dead = make_run(State.DEAD, overrides=old)
    assert overrides_of(dead, ReplayHow()) == old
    how = ReplayHow(args=(), env=(("B", "3"),), task_count=1, timeout_seconds=5.0)
    assert overrides_of(dead, how) == Overrides((), (("A", "1"), ("B", "3")), 1, 5.0, file)


def test_those_that_died_first_come_first() -> None:
    letters = [
        letter_of(make_run(State.DEAD, id=RunId(name), ended_at=NOW + timedelta(seconds=at)))
        for name, at in (("b", 1), ("c", 0), ("a", 1))
    ]
    assert [one.run for one in in_turn(letters)] == ["c", "a", "b"]
