"""The life of a dead letter, as a table."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runyard.flow.dead_letters import (
    SERVER,
    TRANSITIONS,
    Asked,
    Chosen,
    Discarded,
    Ended,
    Expired,
    LetGo,
    LetterEvent,
    decide,
    letter_of,
)
from runyard.flow.fingerprint import failure_of, group_of
from runyard.model.dead_letter import NOTES_KEPT, QUEUED, DeadLetter, LetterState, Note, ReplayId
from runyard.model.errors import IllegalTransition
from runyard.model.failure import FailureClass
from runyard.model.ids import RunId
from runyard.model.outcome import Ending
from runyard.model.run import Run, State
from tests.support.runs import NOW, make_outcome, make_run

REPLAY = ReplayId("rp_1")
NEW = RunId("run_0000000000000000000000000b")


def letter(state: LetterState = LetterState.OPEN, **changes: object) -> DeadLetter:
    run = make_run(
        State.DEAD, outcome=make_outcome(Ending.FAILED), ended_at=NOW, reason="it failed"
    )
    return letter_of(run).evolve(state=state, **changes)


def new_run(state: State) -> Run:
    return make_run(state, id=NEW, reason="so it was")


def test_a_letter_says_what_its_run_does() -> None:
    one = letter()
    assert (one.run, one.key) == (make_run().id, ("shop", "local", "report"))
    assert (one.failure_class, one.rule) == (FailureClass.APPLICATION, "no other rule")
    assert one.evidence == ("task 0 ended with exit code 1",)
    assert (one.reason, one.attempts, one.revision) == ("it failed", 1, 1)
    assert (one.died_at, one.state, one.is_queued) == (NOW, LetterState.OPEN, True)
    never = letter_of(make_run(State.DEAD, replays=NEW))
    assert (never.died_at, never.replay_of) == (NOW, NEW)


def test_a_letter_is_chosen_asked_for_and_replayed() -> None:
    chosen = decide(letter(), Chosen(REPLAY, "ann"), NOW)
    assert (chosen.state, chosen.replay) == (LetterState.CHOSEN, REPLAY)
    asked = decide(chosen, Asked(NEW, "ann"), NOW + timedelta(seconds=1))
    assert (asked.state, asked.replayed_by) == (LetterState.REPLAYING, NEW)
    end = NOW + timedelta(seconds=2)
    done = decide(asked, Ended(new_run(State.SUCCEEDED)), end)
    assert (done.state, done.settled_at, done.is_queued) == (LetterState.REPLAYED, end, False)
    assert [note.state for note in done.notes] == [
        LetterState.CHOSEN,
        LetterState.REPLAYING,
        LetterState.REPLAYED,
    ]
    assert done.notes[-1].why == f"{NEW} is succeeded: so it was"
    assert (done.notes[-1].by, done.notes[-1].run) == (SERVER, NEW)
    assert done.version == 4


def test_a_dead_replacement_stands_in_its_place() -> None:
    asked = decide(letter(), Asked(NEW, "ann"), NOW)
    done = decide(asked, Ended(new_run(State.DEAD)), NOW)
    assert (done.state, done.settled_at) == (LetterState.REPLACED, NOW)


@pytest.mark.parametrize("state", [State.CANCELLED, State.SKIPPED])
def test_a_replacement_that_never_came_to_an_end_of_its_own_leaves_it_open(state: State) -> None:
    chosen = decide(letter(), Chosen(REPLAY, "ann"), NOW)
    asked = decide(chosen, Asked(NEW, "ann"), NOW)
    back = decide(asked, Ended(make_run(state, id=NEW)), NOW)
    assert (back.state, back.settled_at, back.replay) == (LetterState.OPEN, None, "")
    assert back.notes[-1].why == f"{NEW} is {state}"


def test_another_run_is_none_of_its_business() -> None:
    asked = decide(letter(), Asked(NEW, "ann"), NOW)
    with pytest.raises(IllegalTransition):
        decide(asked, Ended(make_run(State.DEAD)), NOW)


def test_a_letter_is_let_go_discarded_or_expires() -> None:
    chosen = decide(letter(), Chosen(REPLAY, "ann"), NOW)
    back = decide(chosen, LetGo("bob", "rp_1 is cancelled"), NOW)
    assert (back.state, back.replay) == (LetterState.OPEN, "")
    gone = decide(back, Discarded("ann", "no need"), NOW)
    assert (gone.state, gone.notes[-1].why, gone.settled_at) == (
        LetterState.DISCARDED,
        "no need",
        NOW,
    )
    old = decide(back, Expired("kept for 90 days"), NOW)
    assert (old.state, old.notes[-1].by, old.settled_at) == (LetterState.EXPIRED, SERVER, NOW)


EVENTS: tuple[LetterEvent, ...] = (
    Chosen(REPLAY, "ann"),
    LetGo("ann", "why"),
    Asked(NEW, "ann"),
    Ended(new_run(State.SUCCEEDED)),
    Discarded("ann", "why"),
    Expired("why"),
)


@pytest.mark.parametrize("state", LetterState)
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_only_what_the_table_has_happens(state: LetterState, event: LetterEvent) -> None:
    before = letter(state, replayed_by=NEW, replay=REPLAY)
    ends = TRANSITIONS[state].get(type(event), ())
    if ends:
        assert decide(before, event, NOW).state in ends
        assert state in QUEUED, "what has left the queue never comes back"
        return
    with pytest.raises(IllegalTransition) as caught:
        decide(before, event, NOW)
    assert state in caught.value.message
    assert bool(caught.value.hint) is (state is not LetterState.OPEN)


def test_a_refusal_says_since_when_and_by_what() -> None:
    asked = decide(letter(), Asked(NEW, "ann"), NOW)
    with pytest.raises(IllegalTransition, match="is replaying since 2026-11-01 12:00:00 UTC") as e:
        decide(asked, Asked(NEW, "ann"), NOW)
    assert e.value.hint == f"{NEW} runs in its place"


LATER = NOW + timedelta(seconds=1)
NOTED: tuple[tuple[LetterEvent, Note], ...] = (
    (Chosen(REPLAY, "ann"), Note(LATER, LetterState.CHOSEN, "ann", "replay rp_1")),
    (LetGo("bob", "it is full"), Note(LATER, LetterState.OPEN, "bob", "it is full")),
    (Asked(NEW, "ann"), Note(LATER, LetterState.REPLAYING, "ann", "", NEW)),
    (Discarded("ann", "no need"), Note(LATER, LetterState.DISCARDED, "ann", "no need")),
    (Expired("kept for 90 days"), Note(LATER, LetterState.EXPIRED, SERVER, "kept for 90 days")),
    (
        Ended(new_run(State.SUCCEEDED)),
        Note(LATER, LetterState.REPLAYED, SERVER, f"{NEW} is succeeded: so it was", NEW),
    ),
)


@pytest.mark.parametrize(("event", "note"), NOTED, ids=lambda each: type(each).__name__)
def test_what_happened_is_noted_with_who_when_and_why(event: LetterEvent, note: Note) -> None:
    before = next(state for state in LetterState if type(event) in TRANSITIONS[state])
    after = decide(letter(before, replayed_by=NEW, replay=REPLAY), event, LATER)
    assert after.notes == (note,)


@pytest.mark.parametrize(
    ("state", "hint"),
    [
        (
            LetterState.CHOSEN,
            "rp_1 has it; `runyard dead-letters replays` shows how far that is",
        ),
        (LetterState.REPLAYING, f"{NEW} runs in its place"),
        (LetterState.REPLACED, f"{NEW} ran in its place, and has a letter of its own"),
        (LetterState.REPLAYED, "only what is in the queue can be replayed or discarded"),
        (LetterState.DISCARDED, "only what is in the queue can be replayed or discarded"),
        (LetterState.EXPIRED, "only what is in the queue can be replayed or discarded"),
    ],
)
def test_who_cannot_have_a_letter_is_told_what_has_it(state: LetterState, hint: str) -> None:
    one = letter(state, replayed_by=NEW, replay=REPLAY)
    with pytest.raises(IllegalTransition) as caught:
        decide(one, Chosen(REPLAY, "bob"), NOW)
    assert caught.value.message == f"the dead letter {one.run} is {state}"
    assert caught.value.hint == hint


def test_a_letter_is_of_the_group_of_its_failure() -> None:
    run = make_run(State.DEAD, outcome=make_outcome(Ending.FAILED), ended_at=NOW)
    one, group = letter_of(run), group_of(run, failure_of(run))
    assert (one.region, one.fingerprint, one.title) == (run.region, group.fingerprint, group.title)


def test_notes_are_bounded() -> None:
    one = letter()
    for _ in range(NOTES_KEPT):
        one = decide(decide(one, Chosen(REPLAY, "ann"), NOW), LetGo("ann", "no"), NOW)
    assert len(one.notes) == NOTES_KEPT
