"""Dead letters and replays as rows and back: what is looked for in columns, all of it in `body`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from runyard.database.port import Row, Value
from runyard.model.dead_letter import (
    DeadLetter,
    LetterState,
    Note,
    Published,
    Replay,
    ReplayHow,
    ReplayId,
    ReplayState,
)
from runyard.model.failure import FailureClass
from runyard.model.ids import RunId
from runyard.model.instants import to_micros
from runyard.store.documents import VERSION, dumps, instant, loads, pairs
from runyard.store.run_rows import micros


def letter_params(one: DeadLetter) -> tuple[Value, ...]:
    """The parameters of `dead_letter_upsert`."""
    return (
        one.run,
        one.environment,
        one.project,
        one.job,
        one.failure_class,
        one.fingerprint,
        one.state,
        to_micros(one.died_at),
        micros(one.settled_at),
        one.replay,
        one.version,
        dumps({"v": VERSION, "letter": one}),
    )


def letter_of(row: Row) -> DeadLetter:
    """The letter in a row's body."""
    data: dict[str, Any] = loads(row[0])["letter"]
    return DeadLetter(
        **data
        | {
            "run": RunId(data["run"]),
            "failure_class": FailureClass(data["failure_class"]),
            "evidence": tuple(data["evidence"]),
            "died_at": _at(data["died_at"]),
            "state": LetterState(data["state"]),
            "replay_of": RunId(data["replay_of"]),
            "replay": ReplayId(data["replay"]),
            "replayed_by": RunId(data["replayed_by"]),
            "settled_at": instant(data["settled_at"]),
            "notes": tuple(_note(one) for one in data["notes"]),
            "published": tuple(
                Published(_at(one["at"]), one["topic"], one["message"]) for one in data["published"]
            ),
        }
    )


def replay_params(one: Replay) -> tuple[Value, ...]:
    """The parameters of `replay_upsert`."""
    return (
        one.id,
        one.environment,
        one.state,
        micros(one.due_at),
        micros(one.ended_at),
        one.version,
        dumps({"v": VERSION, "replay": one}),
    )


def replay_of(row: Row) -> Replay:
    """The replay in a row's body."""
    data: dict[str, Any] = loads(row[0])["replay"]
    how = data["how"]
    args = how["args"]
    return Replay(
        **data
        | {
            "id": ReplayId(data["id"]),
            "how": ReplayHow(
                **how | {"args": None if args is None else tuple(args), "env": pairs(how["env"])}
            ),
            "requested_at": _at(data["requested_at"]),
            "state": ReplayState(data["state"]),
            "due_at": instant(data["due_at"]),
            "ended_at": instant(data["ended_at"]),
        }
    )


def _note(data: dict[str, Any]) -> Note:
    state, run = LetterState(data["state"]), RunId(data["run"])
    return Note(_at(data["at"]), state, data["by"], data["why"], run)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
