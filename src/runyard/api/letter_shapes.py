"""Dead letters and replays as JSON, and the shapes of that."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from runyard.api.shapes import Document, Shape
from runyard.model.dead_letter import DeadLetter, LetterState, Replay, ReplayState
from runyard.model.failure import FailureClass
from runyard.store.dead_letters import LetterGroup


class LetterNoteShape(Shape):
    """What was done to a letter, by whom, and the run that came of it, if any."""

    at: datetime
    state: LetterState
    by: str
    why: str
    run: str


class LetterPublishedShape(Shape):
    """A message by which a letter was published."""

    at: datetime
    topic: str
    message: str


class LetterShape(Shape):
    """A dead letter: a run that was given up."""

    run: str
    project: str
    environment: str
    job: str
    region: str
    revision: int
    failure_class: FailureClass
    rule: Annotated[str, Field(description="What decided on the class.")]
    evidence: list[str]
    reason: str
    attempts: int
    group: str
    title: Annotated[str, Field(description="What all of its group have in common.")]
    died_at: datetime
    state: LetterState
    replay_of: Annotated[str, Field(description="The dead run in whose place this one was.")]
    replay: Annotated[str, Field(description="The replay of several that has it.")]
    replayed_by: Annotated[str, Field(description="The last run in its place.")]
    settled_at: datetime | None
    leaves_at: Annotated[
        datetime | None, Field(description="When it leaves the queue if nobody deals with it.")
    ]
    notes: list[LetterNoteShape]
    published: list[LetterPublishedShape]


class LetterPageShape(Shape):
    """Dead letters, the latest death first. `count`: how many fit, on all pages together."""

    letters: list[LetterShape]
    count: int
    next_page_token: str


class LetterGroupShape(Shape):
    """Dead letters that say the same. `example` is a run of one of the newest."""

    group: str
    project: str
    environment: str
    job: str
    failure_class: FailureClass
    title: str
    count: int
    open: int
    first_at: datetime
    last_at: datetime
    example: str


class LetterGroupsShape(Shape):
    """Groups, the one with the latest death first."""

    groups: list[LetterGroupShape]


class ReplayHowShape(Shape):
    """What is different in the new runs. Of variables only the names are told."""

    as_it_was: bool
    args: list[str] | None
    env: list[str]
    task_count: int | None
    timeout_seconds: float | None
    memory_bytes: int | None


class ReplayShape(Shape):
    """A replay of several dead letters."""

    id: str
    environment: str
    what: str
    how: ReplayHowShape
    by: str
    requested_at: datetime
    total: int
    per_minute: int
    verify_first: bool
    state: ReplayState
    due_at: datetime | None
    ended_at: datetime | None
    reason: str
    asked: int
    left: int
    succeeded: int
    died: int
    ended_otherwise: int


class ReplaysShape(Shape):
    """Replays, newest first."""

    replays: list[ReplayShape]
    next_page_token: str


class BegunReplayShape(Shape):
    """What a replay begins with. `replay` is null for a preview. `letters` are in the order in
    which they are asked for. `resumed` are the runs that waited for their job to be mended, and go
    on now."""

    replay: ReplayShape | None
    letters: list[str]
    resumed: list[str]


class DiscardedShape(Shape):
    """The letters that were discarded."""

    discarded: list[str]


class PublishedLettersShape(Shape):
    """What was published: by run, the message's id. `before`: letters that had been."""

    topic: str
    published: dict[str, str]
    before: list[str]


def letter_document(one: DeadLetter, retention: timedelta | None) -> Document:
    """LETTER of the API."""
    leaves = retention is not None and one.state is LetterState.OPEN
    return {
        "run": one.run,
        "project": one.project,
        "environment": one.environment,
        "job": one.job,
        "region": one.region,
        "revision": one.revision,
        "failure_class": one.failure_class,
        "rule": one.rule,
        "evidence": list(one.evidence),
        "reason": one.reason,
        "attempts": one.attempts,
        "group": one.fingerprint,
        "title": one.title,
        "died_at": one.died_at,
        "state": one.state,
        "replay_of": one.replay_of,
        "replay": one.replay,
        "replayed_by": one.replayed_by,
        "settled_at": one.settled_at,
        "leaves_at": one.died_at + retention if leaves and retention else None,
        "notes": [asdict(note) for note in one.notes],
        "published": [asdict(each) for each in one.published],
    }


def group_document(one: LetterGroup) -> Document:
    """LETTER_GROUP of the API."""
    example = one.example
    return {
        "group": one.fingerprint,
        "project": example.project,
        "environment": example.environment,
        "job": example.job,
        "failure_class": example.failure_class,
        "title": example.title,
        "count": one.count,
        "open": one.open_count,
        "first_at": one.first_at,
        "last_at": one.last_at,
        "example": example.run,
    }


def replay_document(one: Replay) -> Document:
    """REPLAY of the API."""
    how: dict[str, Any] = asdict(one.how)
    how["env"] = [name for name, _ in one.how.env]
    document = asdict(one) | {"how": how}
    document.pop("version")
    return document
