"""Documents in rows: JSON text with a version under "v", made of our values and back again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from runyard.model.event import Fact
from runyard.model.failure import Failure, FailureRule
from runyard.model.ids import RunId
from runyard.model.outcome import Ending, Outcome, TaskFailure, Usage
from runyard.model.recovery import Recovery
from runyard.model.run import (
    Backoff,
    InputFile,
    Jitter,
    OnConflict,
    Overrides,
    RetryBudget,
    RunPolicy,
    TriggeredBy,
)

VERSION = 1  #: of every document written; a reader must know all older ones


def dumps(value: Any) -> str:
    """`value` (dataclasses, enums and instants included) as JSON text."""
    return orjson.dumps(value).decode()


def loads(text: str) -> Any:
    """The value in JSON text."""
    return orjson.loads(text)


def fact_data(fact: Fact) -> str:
    """A fact's fields as JSON text; its kind stands beside it in the row."""
    return dumps(fact)


def policy_of(data: dict[str, Any]) -> RunPolicy:
    """The policy that `dumps` wrote."""
    backoff = data["backoff"] | {"jitter": Jitter(data["backoff"]["jitter"])}
    rules = tuple(FailureRule.of(rule) for rule in data.get("failures", ()))
    return RunPolicy(
        **data
        | {
            "backoff": Backoff(**backoff),
            "on_conflict": OnConflict(data["on_conflict"]),
            "failures": rules,
            "recovery": Recovery.of(data["recovery"]) if "recovery" in data else Recovery(),
            "budget": None if (budget := data.get("budget")) is None else RetryBudget(**budget),
        }
    )


def overrides_of(data: dict[str, Any]) -> Overrides:
    """The overrides that `dumps` wrote."""
    args = data["args"]
    return Overrides(
        args=None if args is None else tuple(args),
        env=pairs(data["env"]),
        task_count=data["task_count"],
        timeout_seconds=data["timeout_seconds"],
        file=InputFile(**file) if (file := data.get("file")) else None,  # older ones have none
    )


def triggered_by_of(data: dict[str, Any] | None) -> TriggeredBy | None:
    """What `dumps` wrote of the trigger that asked; None of None."""
    if data is None:
        return None
    return TriggeredBy(
        trigger=data["trigger"],
        instant=instant(data["instant"]),
        start_by=instant(data["start_by"]),
        slot=data["slot"],
        slot_limit=data["slot_limit"],
        after=tuple(map(RunId, data.get("after", ()))),
    )


def pairs(items: list[list[str]]) -> tuple[tuple[str, str], ...]:
    """A tuple of pairs, which JSON has as a list of lists."""
    return tuple((first, second) for first, second in items)


def outcome_of(data: dict[str, Any] | None) -> Outcome | None:
    """The outcome that `dumps` wrote; None of None."""
    if data is None:
        return None
    return Outcome(
        **data
        | {
            "ending": Ending(data["ending"]),
            "started_at": instant(data["started_at"]),
            "ended_at": instant(data["ended_at"]),
            "failures": tuple(_task_failure(failure) for failure in data["failures"]),
            "usage": Usage(**data["usage"]),
            "failure": None if (failure := data.get("failure")) is None else Failure.of(failure),
        }
    )


def _task_failure(data: dict[str, Any]) -> TaskFailure:
    return TaskFailure(**data | {"last_lines": tuple(data.get("last_lines", ()))})


def instant(text: str | None) -> datetime | None:
    """The instant in ISO text; None of None."""
    return None if text is None else datetime.fromisoformat(text)
