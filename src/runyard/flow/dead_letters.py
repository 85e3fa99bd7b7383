"""The life of a dead letter.

    OPEN --Chosen--> CHOSEN --Asked--> REPLAYING --Ended--> REPLAYED | REPLACED | OPEN
    OPEN --Asked--> REPLAYING        CHOSEN --LetGo--> OPEN
    OPEN --Discarded--> DISCARDED    OPEN --Expired--> EXPIRED

Promises, each an invariant of the tests: there is one letter for each dead run; what has left the
queue never comes back; nothing leaves it but by a new run that came to its end, by a person, or by
the retention that the settings say; a letter has at most one run in its place at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runyard.flow.fingerprint import failure_of, group_of
from runyard.model.dead_letter import NOTES_KEPT, DeadLetter, LetterState, Note, ReplayId
from runyard.model.errors import IllegalTransition
from runyard.model.ids import RunId
from runyard.model.run import Run, State

SERVER = "the server"  #: who does what nobody asked for in so many words


@dataclass(frozen=True, slots=True)
class Chosen:
    """A replay takes it."""

    replay: ReplayId
    by: str


@dataclass(frozen=True, slots=True)
class LetGo:
    """A replay lets it go, and why."""

    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A new run was asked for in its place."""

    run: RunId
    by: str


@dataclass(frozen=True, slots=True)
class Ended:
    """That run has ended."""

    run: Run


@dataclass(frozen=True, slots=True)
class Discarded:
    """Somebody said that it need not be run."""

    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Expired:
    """It was kept for long enough."""

    why: str


LetterEvent = Chosen | LetGo | Asked | Ended | Discarded | Expired

# fmt: off
TRANSITIONS: dict[LetterState, dict[type[LetterEvent], tuple[LetterState, ...]]] = {
    LetterState.OPEN:      {Chosen: (LetterState.CHOSEN,), Asked: (LetterState.REPLAYING,),
                            Discarded: (LetterState.DISCARDED,), Expired: (LetterState.EXPIRED,)},
    LetterState.CHOSEN:    {Asked: (LetterState.REPLAYING,), LetGo: (LetterState.OPEN,)},
    LetterState.REPLAYING: {Ended: (LetterState.REPLAYED, LetterState.REPLACED, LetterState.OPEN)},
    LetterState.REPLAYED:  {},
    LetterState.REPLACED:  {},
    LetterState.DISCARDED: {},
    LetterState.EXPIRED:   {},
}
# fmt: on
_ENDS = {State.SUCCEEDED: LetterState.REPLAYED, State.DEAD: LetterState.REPLACED}


def letter_of(run: Run) -> DeadLetter:
    """The letter of a run that is dead."""
    failure = failure_of(run)
    group = group_of(run, failure)
    return DeadLetter(
        run=run.id,
        project=run.project,
        environment=run.environment,
        job=run.job,
        region=run.region,
        revision=run.revision,
        failure_class=failure.failure_class,
        rule=failure.rule,
        evidence=failure.evidence,
        reason=run.reason,
        attempts=run.attempt,
        fingerprint=group.fingerprint,
        title=group.title,
        died_at=run.ended_at or run.requested_at,
        replay_of=run.replays,
    )


def decide(letter: DeadLetter, event: LetterEvent, now: datetime) -> DeadLetter:
    """What `event`, at `now` (UTC), makes of a letter. Raises IllegalTransition."""
    is_foreign = isinstance(event, Ended) and event.run.id != letter.replayed_by
    if is_foreign or type(event) not in TRANSITIONS[letter.state]:
        raise IllegalTransition(
            f"the dead letter {letter.run} is {letter.state}{_since(letter)}", hint=_hint(letter)
        )
    match event:
        case Chosen():
            note = Note(now, LetterState.CHOSEN, event.by, f"replay {event.replay}")
            return _noted(letter, note, replay=event.replay)
        case LetGo():
            note = Note(now, LetterState.OPEN, event.by, event.why)
            return _noted(letter, note, replay=ReplayId(""))
        case Asked():
            note = Note(now, LetterState.REPLAYING, event.by, "", event.run)
            return _noted(letter, note, replayed_by=event.run)
        case Ended():
            return _ended(letter, event.run, now)
        case Discarded():
            return _settled(letter, LetterState.DISCARDED, event.by, event.why, now)
        case _:
            return _settled(letter, LetterState.EXPIRED, SERVER, event.why, now)


def _ended(letter: DeadLetter, run: Run, now: datetime) -> DeadLetter:
    state = _ENDS.get(run.state, LetterState.OPEN)
    why = f"{run.id} is {run.state}" + (f": {run.reason}" if run.reason else "")
    note = Note(now, state, SERVER, why, run.id)
    if state is LetterState.OPEN:  # somebody cancelled it, or it never started
        return _noted(letter, note, replay=ReplayId(""))
    return _noted(letter, note, settled_at=now)


def _settled(
    letter: DeadLetter, state: LetterState, by: str, why: str, now: datetime
) -> DeadLetter:
    return _noted(letter, Note(now, state, by, why), settled_at=now)


def _noted(letter: DeadLetter, note: Note, **changes: object) -> DeadLetter:
    notes = (*letter.notes, note)[-NOTES_KEPT:]
    return letter.evolve(state=note.state, notes=notes, version=letter.version + 1, **changes)


def _since(letter: DeadLetter) -> str:
    return f" since {letter.notes[-1].at:%Y-%m-%d %H:%M:%S} UTC" if letter.notes else ""


def _hint(letter: DeadLetter) -> str:
    match letter.state:
        case LetterState.CHOSEN:
            return f"{letter.replay} has it; `runyard dead-letters replays` shows how far that is"
        case LetterState.REPLAYING:
            return f"{letter.replayed_by} runs in its place"
        case LetterState.REPLACED:
            return f"{letter.replayed_by} ran in its place, and has a letter of its own"
        case LetterState.OPEN:
            return ""
        case _:
            return "only what is in the queue can be replayed or discarded"
