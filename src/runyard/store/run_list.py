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
from runyard.model.filters import Expression
from runyard.model.ids import RunId
from runyard.model.instants import to_micros
from runyard.model.run import Run, State
from runyard.store.filter_sql import Column, condition
from runyard.store.run_rows import micros
from runyard.store.runs import Runs

_LABELLED = "id IN (SELECT run_id FROM run_labels WHERE key = {} AND value = {})"
Place = int | str | None  #: the value that a row is sorted by


@dataclass(frozen=True, slots=True)
class Sort:
    """A column to sort by: its SQL, and the same value of a run.

    `present` is the condition that there is a value; empty: there always is. `kind` is its type.
    """

    sql: str
    place: Callable[[Run], Place]
    present: str = ""
    kind: type[int | str] = int

    @property
    def optional(self) -> bool:
        """True when a run may have no value."""
        return bool(self.present)


def _duration(run: Run) -> Place:
    started, ended = micros(run.started_at), micros(run.ended_at)
    return None if started is None or ended is None else ended - started


#: By the name that callers use. Nothing but these texts gets into a query.
SORTS: dict[str, Sort] = {
    "requested_at": Sort("requested_at", lambda run: to_micros(run.requested_at)),
    "started_at": Sort(
        "started_at", lambda run: micros(run.started_at), present="started_at IS NOT NULL"
    ),
    "ended_at": Sort("ended_at", lambda run: micros(run.ended_at), present="ended_at IS NOT NULL"),
    "duration": Sort(
        "(ended_at - started_at)",
        _duration,
        present="(ended_at IS NOT NULL AND started_at IS NOT NULL)",
    ),
    "cost": Sort("cost_nano_dollars", lambda run: run.cost_nano_dollars),
    "job": Sort("job", lambda run: run.job, kind=str),
    "state": Sort("state", lambda run: run.state.value, kind=str),
}


#: The fields of a filter (`flow.filter_fields.RUN_FIELDS`) as rows have them.
COLUMNS: dict[str, Column] = {
    "id": Column("id"),
    "project": Column("project"),
    "environment": Column("environment"),
    "job": Column("job"),
    "revision": Column("revision"),
    "region": Column("region"),
    "state": Column("state"),
    "trigger": Column("trigger_kind"),
    "requested_at": Column("requested_at"),
    "started_at": Column("started_at", SORTS["started_at"].present),
    "ended_at": Column("ended_at", SORTS["ended_at"].present),
    "duration": Column(SORTS["duration"].sql, SORTS["duration"].present),
    "attempt": Column("attempt"),
    "cost": Column("cost_nano_dollars"),
    "labels": Column(
        "id IN (SELECT run_id FROM run_labels WHERE key = {key}{value})",
        keyed=True,
        sql_value="value",
    ),
}


@dataclass(frozen=True, slots=True)
class RunQuestion:
    """Which runs, in which order. Empty and None: no such condition.

    `since` is included, `until` is not; both are about `requested_at`. `labels` must all be there.
    `filter` holds besides; `filter_text` is what it was read from. `environments`: those that who
    asks may see; None: all.
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
    filter_text: str = ""
    filter: Expression | None = None
    environments: tuple[str, ...] | None = None


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
    """At most `limit` runs after `after`, in order.

    Runs that have a value to sort by and runs that have none are asked for apart: each question
    then follows an index, where one for both would have to read and sort everything.
    """
    ids: list[RunId] = []
    for present in (True, False) if SORTS[question.sort].optional else (True,):
        if present and after is not None and after.place is None:
            continue  # the page before had come to those without a value
        if len(ids) < limit:
            sql, params = _statement(question, after, limit - len(ids), present=present)
            ids += [RunId(row[0]) for row in await tx.fetch(sql, params)]
    found = {run.id: run for run in await runs.get(tx, ids)}
    return [found[each] for each in ids]


def _statement(
    question: RunQuestion, after: After | None, limit: int, *, present: bool
) -> tuple[str, tuple[Value, ...]]:
    sort, query = SORTS[question.sort], _Query()
    _filter(query, question)
    sign, turn = ("<", " DESC") if question.descending else (">", "")
    order = f"{sort.sql}{turn}, id{turn}" if present else f"id{turn}"
    if sort.present:
        query.conditions.append(sort.present if present else f"NOT {sort.present}")
    if after is not None and after.place is not None and present:
        place, last = query.bound(after.place), query.bound(after.id)
        query.conditions.append(f"({sort.sql}, id) {sign} ({place}, {last})")
    if after is not None and after.place is None:
        query.conditions.append(f"id {sign} {query.bound(after.id)}")
    # Only the texts of SORTS and of this file are put together here; every value is bound.
    parts = ["SELECT id FROM runs"]
    if query.conditions:
        parts += ["WHERE", " AND ".join(query.conditions)]
    parts += [f"ORDER BY {order}", f"LIMIT {query.bound(limit)}"]
    return " ".join(parts), tuple(query.params)


def _filter(query: _Query, question: RunQuestion) -> None:
    if question.states:
        states = ", ".join(query.bound(state) for state in question.states)
        query.conditions.append(f"state IN ({states})")
    if question.environments is not None:
        names = ", ".join(query.bound(name) for name in question.environments)
        query.conditions.append(f"environment IN ({names})" if names else "1 = 0")
    query.equal("job", question.job)
    query.equal("region", question.region)
    query.equal("trigger_kind", question.trigger)
    for key, value in question.labels:
        query.conditions.append(_LABELLED.format(query.bound(key), query.bound(value)))
    if question.since is not None:
        query.conditions.append(f"requested_at >= {query.bound(to_micros(question.since))}")
    if question.until is not None:
        query.conditions.append(f"requested_at < {query.bound(to_micros(question.until))}")
    if question.filter is not None:
        query.conditions.append(condition(question.filter, COLUMNS, query.bound))
