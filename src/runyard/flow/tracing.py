"""A run as a trace: run, waits, attempts, launches, tasks, each with when it began and ended. Pure.

Nothing of it is kept: ids are made of the run's own id, so that the same run always has the same
trace, whoever asks for it, and a task can be told its place in it before it starts.
(https://www.w3.org/TR/trace-context/)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, Protocol

from runyard.model.ids import RunId, number_in
from runyard.model.outcome import Ending
from runyard.model.run import Run, State

VARIABLE = "TRACEPARENT"
"""Where a task finds its place in a trace, as opentelemetry's environment carrier has it
(https://opentelemetry.io/docs/specs/otel/context/env-carriers/)."""
Attributes = tuple[tuple[str, str | int | float], ...]


class Happening(Protocol):
    """One fact of a history."""

    @property
    def at(self) -> datetime:
        """When it was decided."""

    @property
    def kind(self) -> str:
        """`model.event.kind_of` of the fact."""

    @property
    def data(self) -> Mapping[str, Any]:
        """Its fields."""


class Task(Protocol):
    """A task of an attempt; `attempt` counts its own tries from 0."""

    @property
    def index(self) -> int:
        """Which one."""

    @property
    def state(self) -> str:
        """How it is."""

    @property
    def attempt(self) -> int:
        """Its last try."""

    @property
    def started_at(self) -> datetime | None:
        """When it began."""

    @property
    def ended_at(self) -> datetime | None:
        """When it ended."""

    @property
    def message(self) -> str:
        """Why it failed."""


@dataclass(frozen=True, slots=True)
class Span:
    """Something that took time. `ended_at` None: it goes on. `parent`: the id of what it is part
    of, empty for the whole run. `failed`: with `message`."""

    id: str
    parent: str
    name: str
    started_at: datetime
    ended_at: datetime | None
    failed: bool = False
    message: str = ""
    attributes: Attributes = ()


def trace_id(run: RunId) -> str:
    """The id of a run's trace: the 128 bits of its own, in hexadecimal digits."""
    return f"{number_in(run):032x}"


def span_id(run: RunId, *parts: str | int) -> str:
    """The id of a part of a run."""
    text = "/".join([run, *map(str, parts)])
    return blake2b(text.encode(), digest_size=8).hexdigest()


def traceparent(run: RunId, attempt: int) -> str:
    """What the tasks of an attempt are given, so that their own spans become part of it."""
    return f"00-{trace_id(run)}-{span_id(run, 'attempt', attempt)}-01"


def spans(
    run: Run, history: Sequence[Happening], tasks: Mapping[int, Sequence[Task]]
) -> list[Span]:
    """The spans of a run, each after what it is part of. `history` is whole and in order; `tasks`
    are those of each attempt that are to be shown."""
    whole = Span(
        span_id(run.id, "run"),
        "",
        f"run {run.job}",
        run.requested_at,
        run.ended_at,
        failed=run.state is State.DEAD,
        message=run.reason if run.state is State.DEAD else "",
        attributes=(
            ("runyard.run", run.id),
            ("runyard.job", run.job),
            ("runyard.project", run.project),
            ("runyard.environment", run.environment),
            ("runyard.region", run.region),
            ("runyard.revision", run.revision),
            ("runyard.trigger", str(run.trigger)),
            ("runyard.requested_by", run.requested_by),
            ("runyard.state", str(run.state)),
            ("runyard.cost_dollars", run.cost_nano_dollars / 1e9),
        ),
    )
    return [whole, *_parts(run, history, tasks, whole.id)]


def _parts(
    run: Run, history: Sequence[Happening], tasks: Mapping[int, Sequence[Task]], parent: str
) -> Iterator[Span]:
    waits_since: datetime | None = run.requested_at
    for fact in history:
        if fact.kind == "started":
            number = int(fact.data["attempt"])
            since = waits_since or fact.at
            yield Span(span_id(run.id, "wait", number), parent, "wait", since, fact.at)
            attempt = _attempt(run, number, fact.at, history, parent)
            yield attempt
            yield from _launch(run, number, attempt, history)
            begun = [one for one in tasks.get(number, ()) if one.started_at is not None]
            yield from (_task(run, number, one, attempt.id) for one in begun)
            waits_since = attempt.ended_at
    if not run.is_out and waits_since is not None and not (run.attempt and run.is_final):
        number = run.attempt + 1
        yield Span(span_id(run.id, "wait", number), parent, "wait", waits_since, run.ended_at)


def _attempt(
    run: Run, number: int, started_at: datetime, history: Sequence[Happening], parent: str
) -> Span:
    """An attempt, which ended as a fact of its own says."""
    identity, name = span_id(run.id, "attempt", number), f"attempt {number}"
    end = _fact_of("attempt_ended", number, history)
    if end is None:
        return Span(identity, parent, name, started_at, None)
    outcome = end.data["outcome"]
    ending = str(outcome["ending"])
    failed = ending != Ending.SUCCEEDED
    attributes: Attributes = (
        ("runyard.attempt", number),
        ("runyard.ending", ending),
        ("runyard.verdict", str(end.data["verdict"])),
        ("runyard.tasks", int(outcome["task_count"])),
    )
    message = str(outcome["message"]) if failed else ""
    return Span(identity, parent, name, started_at, end.at, failed, message, attributes)


def _launch(run: Run, number: int, attempt: Span, history: Sequence[Happening]) -> Iterator[Span]:
    """From when it was taken up to when the provider had it."""
    launched = _fact_of("launched", number, history)
    if launched is not None:
        identity = span_id(run.id, "launch", number)
        handle: Attributes = (("runyard.handle", str(launched.data["handle"])),)
        started_at = attempt.started_at
        yield Span(identity, attempt.id, "launch", started_at, launched.at, attributes=handle)


def _task(run: Run, number: int, task: Task, parent: str) -> Span:
    failed = task.state in ("failed", "lost")
    return Span(
        span_id(run.id, "task", number, task.index),
        parent,
        f"task {task.index}",
        task.started_at or run.requested_at,
        task.ended_at,
        failed,
        task.message if failed else "",
        attributes=(
            ("runyard.task", task.index),
            ("runyard.state", task.state),
            ("runyard.tries", task.attempt + 1),
        ),
    )


def _fact_of(kind: str, attempt: int, facts: Sequence[Happening]) -> Happening | None:
    return next(
        (fact for fact in facts if fact.kind == kind and fact.data["attempt"] == attempt), None
    )
