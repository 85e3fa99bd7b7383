"""The list of runs: filtered, sorted, in pages that neither lose nor double a row.

A page begins after the last row of the page before, by the value it was sorted by and its id, not
by a count of rows; so rows that are added meanwhile shift nothing. What has no value (a run that
has not started has no duration) comes last, whichever way the list is turned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from runyard.database.port import Tx, Value
from runyard.model.ids import RunId
from runyard.model.instants import to_micros
from runyard.model.run import Run, State
from runyard.store.run_rows import micros
from runyard.store.runs import Runs

_LABELLED = "id IN (SELECT run_id FROM run_labels WHERE key = {} AND value = {})"
Place = int | str | None  #: the value that a row is sorted by


@dataclass(frozen=True, slots=True)
class Sort:
    """A column to sort by: its SQL, the same value of a run, and whether it may be absent.

    `kind` is the type of the value.
    """

    sql: str
    place: Callable[[Run], Place]
    optional: bool = False
    kind: type[int | str] = int


def _duration(run: Run) -> Place:
    started, ended = micros(run.started_at), micros(run.ended_at)
    return None if started is None or ended is None else ended - started


#: By the name that callers use. Nothing but these texts gets into a query.
SORTS: dict[str, Sort] = {
    "requested_at": Sort("requested_at", lambda run: to_micros(run.requested_at)),
    "started_at": Sort("started_at", lambda run: micros(run.started_at), optional=True),
    "ended_at": Sort("ended_at", lambda run: micros(run.ended_at), optional=True),
    "duration": Sort("(ended_at - started_at)", _duration, optional=True),
    "cost": Sort("cost_nano_dollars", lambda run: run.cost_nano_dollars),
    "job": Sort("job", lambda run: run.job, kind=str),
    "state": Sort("state", lambda run: run.state.value, kind=str),
}


@dataclass(frozen=True, slots=True)
class RunQuestion:
    """Which runs, in which order. Empty and None: no such condition.

    `since` is included, `until` is not; both are about `requested_at`. `labels` must all be there.
    """

    states: tuple[State, ...] = ()
    job: str = ""
    region: str = ""
    trigger: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    sort: str = "requested_at"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class After:
    """Where a page begins: after the row with this value and id."""

    place: Place
    id: RunId


class _Query:
    """A query as it grows: its conditions and their parameters."""

    def __init__(self) -> None:
        self.conditions: list[str] = []
        self.params: list[Value] = []

    def bound(self, value: Value) -> str:
        """The placeholder of a new parameter."""
        self.params.append(value)
        return f"${len(self.params)}"

    def equal(self, column: str, value: str) -> None:
        """Add a condition unless `value` is empty."""
        if value:
            self.conditions.append(f"{column} = {self.bound(value)}")


async def page(
    tx: Tx, runs: Runs, question: RunQuestion, after: After | None, limit: int
) -> list[Run]:
    """At most `limit` runs after `after`, in order."""
    sql, params = _statement(question, after, limit)
    ids = [RunId(row[0]) for row in await tx.fetch(sql, params)]
    found = {run.id: run for run in await runs.get(tx, ids)}
    return [found[each] for each in ids]


def _statement(
    question: RunQuestion, after: After | None, limit: int
) -> tuple[str, tuple[Value, ...]]:
    sort, query = SORTS[question.sort], _Query()
    _filter(query, question)
    if after is not None:
        query.conditions.append(_beyond(query, sort, after, question.descending))
    turn = " DESC" if question.descending else ""
    last = f"{sort.sql} IS NULL, " if sort.optional else ""
    # Only the texts of SORTS and of this file are put together here; every value is bound.
    parts = ["SELECT id FROM runs"]
    if query.conditions:
        parts += ["WHERE", " AND ".join(query.conditions)]
    parts += [f"ORDER BY {last}{sort.sql}{turn}, id{turn}", f"LIMIT {query.bound(limit)}"]
    return " ".join(parts), tuple(query.params)


def _filter(query: _Query, question: RunQuestion) -> None:
    if question.states:
        states = ", ".join(query.bound(state) for state in question.states)
        query.conditions.append(f"state IN ({states})")
    query.equal("job", question.job)
    query.equal("region", question.region)
    query.equal("trigger_kind", question.trigger)
    for key, value in question.labels:
        query.conditions.append(_LABELLED.format(query.bound(key), query.bound(value)))
    if question.since is not None:
        query.conditions.append(f"requested_at >= {query.bound(to_micros(question.since))}")
    if question.until is not None:
        query.conditions.append(f"requested_at < {query.bound(to_micros(question.until))}")


def _beyond(query: _Query, sort: Sort, after: After, descending: bool) -> str:
    """The condition of every row after `after`."""
    sign = "<" if descending else ">"
    if after.place is None:
        return f"({sort.sql} IS NULL AND id {sign} {query.bound(after.id)})"
    place, last = query.bound(after.place), query.bound(after.id)
    beyond = f"({sort.sql}, id) {sign} ({place}, {last})"
    return f"({beyond} OR {sort.sql} IS NULL)" if sort.optional else beyond
