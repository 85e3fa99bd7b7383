"""A run as a row and back. `asked` is written once, `body` with every change."""

from __future__ import annotations

from datetime import datetime

from runyard.database.port import Row, Value
from runyard.model.ids import RunId
from runyard.model.instants import from_micros, to_micros
from runyard.model.recovery import Awaiting, Scaled
from runyard.model.run import Run, State, TriggerKind
from runyard.store.documents import (
    VERSION,
    dumps,
    loads,
    outcome_of,
    overrides_of,
    pairs,
    policy_of,
    triggered_by_of,
)


def micros(at: datetime | None) -> int | None:
    """The column of an instant that may be absent."""
    return None if at is None else to_micros(at)


def instant(value: int | None) -> datetime | None:
    """The instant of a column that may be empty."""
    return None if value is None else from_micros(value)


def insert_params(run: Run) -> tuple[Value, ...]:
    """The parameters of `run_insert`."""
    return (
        run.id,
        run.project,
        run.environment,
        run.job,
        run.revision,
        run.region,
        run.state,
        run.trigger,
        to_micros(run.requested_at),
        to_micros(run.rank_at),
        micros(run.due_at),
        run.waiting_on,
        run.concurrency_slot,
        micros(run.deadline_at),
        micros(run.started_at),
        micros(run.ended_at),
        run.attempt,
        run.cost_nano_dollars,
        run.version,
        _asked(run),
        _body(run),
        run.triggered_by.trigger if run.triggered_by else "",
    )


def update_params(run: Run) -> tuple[Value, ...]:
    """The parameters of `run_update`."""
    return (
        run.id,
        run.state,
        micros(run.due_at),
        run.waiting_on,
        micros(run.started_at),
        micros(run.ended_at),
        run.attempt,
        run.cost_nano_dollars,
        run.version,
        _body(run),
        run.revision,
        None if run.awaiting is None else to_micros(run.awaiting.look_at),
    )


def _asked(run: Run) -> str:
    asked = {
        "v": VERSION,
        "requested_by": run.requested_by,
        "policy": run.policy,
        "task_count": run.task_count,
        "overrides": run.overrides,
        "labels": run.labels,
    }
    if run.triggered_by is not None:
        asked["triggered_by"] = run.triggered_by
    if run.replays:
        asked["replays"] = run.replays
    return dumps(asked)


def _body(run: Run) -> str:
    return dumps(
        {
            "v": VERSION,
            "handle": run.handle,
            "stop_cause": run.stop_cause,
            "reason": run.reason,
            "outcome": run.outcome,
            "scaled": run.scaled,
            "awaiting": run.awaiting,
        }
    )


def run_of(row: Row, known: Run | None = None) -> Run:
    """The run in a row of `runs_by_id`; `known` itself where it has the row's version, since
    each change of a run has a version of its own."""
    if known is not None and known.version == row[18]:
        return known
    asked, body = loads(row[19]), loads(row[20])
    return Run(
        id=RunId(row[0]),
        project=row[1],
        environment=row[2],
        job=row[3],
        revision=row[4],
        region=row[5],
        state=State(row[6]),
        trigger=TriggerKind(row[7]),
        requested_by=asked["requested_by"],
        requested_at=from_micros(row[8]),
        rank_at=from_micros(row[9]),
        policy=policy_of(asked["policy"]),
        task_count=asked["task_count"],
        overrides=overrides_of(asked["overrides"]),
        labels=pairs(asked["labels"]),
        attempt=row[16],
        due_at=instant(row[10]),
        waiting_on=row[11],
        deadline_at=instant(row[13]),
        started_at=instant(row[14]),
        ended_at=instant(row[15]),
        concurrency_slot=row[12],
        triggered_by=triggered_by_of(asked.get("triggered_by")),
        replays=RunId(asked.get("replays", "")),
        handle=body["handle"],
        stop_cause=body["stop_cause"],
        reason=body["reason"],
        outcome=outcome_of(body["outcome"]),
        scaled=Scaled.of(body.get("scaled")),
        awaiting=Awaiting.of(body.get("awaiting")),
        cost_nano_dollars=row[17],
        version=row[18],
    )
