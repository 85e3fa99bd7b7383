"""The life of a replay: several dead letters, asked for anew one after the other.

    VERIFYING --(the first succeeded)--> REPLAYING --(all asked for)--> FINISHING --> DONE
        |
        +--(it did not)--> STOPPED       VERIFYING, REPLAYING, FINISHING --cancel--> CANCELLED

A row at rest: between two of its letters nothing sleeps, so a restart loses nothing of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from runyard.model.dead_letter import DeadLetter, Replay, ReplayHow, ReplayState
from runyard.model.errors import IllegalTransition
from runyard.model.run import Overrides, Run, State

TRANSITIONS: dict[ReplayState, frozenset[ReplayState]] = {
    ReplayState.VERIFYING: frozenset(
        {ReplayState.REPLAYING, ReplayState.DONE, ReplayState.STOPPED, ReplayState.CANCELLED}
    ),
    ReplayState.REPLAYING: frozenset(
        {ReplayState.FINISHING, ReplayState.DONE, ReplayState.CANCELLED}
    ),
    ReplayState.FINISHING: frozenset({ReplayState.DONE, ReplayState.CANCELLED}),
    ReplayState.DONE: frozenset(),
    ReplayState.STOPPED: frozenset(),
    ReplayState.CANCELLED: frozenset(),
}
_COUNTS = {State.SUCCEEDED: "succeeded", State.DEAD: "died"}


def begin(row: Replay) -> Replay:
    """The row as it begins: its first letter is due at once."""
    state = ReplayState.VERIFYING if row.verify_first else ReplayState.REPLAYING
    return row.evolve(state=state, due_at=row.requested_at)


def asked(row: Replay, now: datetime) -> Replay:
    """A run was asked for in place of one of its letters."""
    after = _counted(row, asked=row.asked + 1)
    if row.state is ReplayState.VERIFYING:
        return after.evolve(due_at=None)
    return _next(after, now)


def left(row: Replay, why: str, now: datetime) -> Replay:
    """No run could be asked for in place of one of its letters."""
    after = _counted(row, left=row.left + 1)
    if row.state is ReplayState.VERIFYING:
        return _over(after, ReplayState.STOPPED, f"the first could not be asked for: {why}", now)
    return _next(after, now)


def gone(row: Replay, now: datetime) -> Replay:
    """There are no more letters of it than it has had: somebody removed the others."""
    return _next(_counted(row, total=row.asked + row.left), now)


def ended(row: Replay, run: Run, now: datetime) -> Replay:
    """A run that it asked for has ended."""
    count = _COUNTS.get(run.state, "ended_otherwise")
    after = _counted(row, **{count: getattr(row, count) + 1})
    if row.state is ReplayState.VERIFYING:
        return _verified(after, run, now)
    return _finished(after, now)


def cancel(row: Replay, by: str, why: str, now: datetime) -> Replay:
    """Somebody wants no more of its letters asked for; runs that were asked for go on.

    Raises IllegalTransition when it is over.
    """
    if row.is_over:
        hint = "`runyard dead-letters replays` shows what became of it"
        raise IllegalTransition(f"{row.id} is {row.state} already", hint=hint)
    words = f"cancelled by {by}" + (f": {why}" if why else "")
    return _over(_counted(row), ReplayState.CANCELLED, words, now)


def overrides_of(run: Run, how: ReplayHow) -> Overrides:
    """What is changed for the run that takes the place of `run`: what was changed for that one,
    and what `how` says."""
    old = run.overrides
    return replace(
        old,
        args=old.args if how.args is None else how.args,
        env=tuple(sorted((dict(old.env) | dict(how.env)).items())),
        task_count=how.task_count or old.task_count,
        timeout_seconds=how.timeout_seconds or old.timeout_seconds,
    )


def in_turn(letters: list[DeadLetter]) -> list[DeadLetter]:
    """Letters in the order in which a replay takes them: those that died first come first."""
    return sorted(letters, key=lambda one: (one.died_at, one.run))


def _verified(row: Replay, run: Run, now: datetime) -> Replay:
    if run.state is State.SUCCEEDED:
        row = _moved(row, ReplayState.REPLAYING).evolve(due_at=now)
        return _next(row, now) if row.is_asked else row
    why = f": {run.reason}" if run.reason else ""
    return _over(row, ReplayState.STOPPED, f"the first, {run.id}, is {run.state}{why}", now)


def _next(row: Replay, now: datetime) -> Replay:
    """When the next letter is due: in an even pace, that does not make up for time lost."""
    if row.is_asked:
        after = row.evolve(due_at=None)
        return _finished(_moved(after, ReplayState.FINISHING), now)
    return row.evolve(due_at=now + timedelta(seconds=60 / row.per_minute))


def _finished(row: Replay, now: datetime) -> Replay:
    if row.state is ReplayState.FINISHING and row.has_ended_all:
        return _over(row, ReplayState.DONE, "", now)
    return row


def _over(row: Replay, state: ReplayState, reason: str, now: datetime) -> Replay:
    return _moved(row, state).evolve(reason=reason, due_at=None, ended_at=now)


def _moved(row: Replay, state: ReplayState) -> Replay:
    if state not in TRANSITIONS[row.state]:
        raise IllegalTransition(f"{row.id} cannot be {state}: it is {row.state}")
    return row.evolve(state=state)


def _counted(row: Replay, **counts: int) -> Replay:
    return row.evolve(version=row.version + 1, **counts)
