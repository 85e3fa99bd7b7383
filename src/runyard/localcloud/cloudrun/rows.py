"""How the nouns lie in rows. Templates are Google's own JSON; the rest of an execution's state is
one JSON text with a schema version, so that an upgrade can read what an older program left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from runyard.database.port import Row, Value
from runyard.localcloud.cloudrun.blueprint import blueprint
from runyard.localcloud.cloudrun.resources import (
    Execution,
    ExecutionState,
    FailedTask,
    Job,
    Reason,
    Tally,
    Task,
    TaskState,
)
from runyard.model.errors import SchemaMismatch
from runyard.model.instants import from_micros, to_micros

STATUS_VERSION = 2  #: of `status_json`


def job_of(row: Row) -> Job:
    """A job from `job_by_name` and its like."""
    return Job(
        project=row[0],
        region=row[1],
        name=row[2],
        uid=row[3],
        generation=row[4],
        template=orjson.loads(row[5]),
        labels=_pairs(orjson.loads(row[6])),
        created_at=from_micros(row[7]),
        updated_at=from_micros(row[8]),
        execution_count=row[9],
        latest_created_execution=row[10],
        annotations=_pairs(orjson.loads(row[11])),
        fence=row[12],
        deleted_at=None if row[13] is None else from_micros(row[13]),
    )


def job_row(job: Job) -> tuple[Value, ...]:
    """The parameters of `job_put`."""
    return (
        job.project, job.region, job.name, job.uid, job.generation, text_of(job.template),
        text_of(dict(job.labels)), to_micros(job.created_at), to_micros(job.updated_at),
        text_of(dict(job.annotations)), job.fence,
        None if job.deleted_at is None else to_micros(job.deleted_at),
    )  # fmt: skip


def execution_of(row: Row) -> Execution:
    """An execution from `execution_by_name` and its like.

    Raises SchemaMismatch when a newer program wrote it.
    """
    status = orjson.loads(row[11])
    if status["v"] > STATUS_VERSION:
        raise SchemaMismatch(
            f"execution {row[0]} was written by a newer program (version {status['v']})",
            hint="start the newer runyard that wrote it",
        )
    template = orjson.loads(row[7])
    return Execution(
        name=row[0],
        project=row[1],
        region=row[2],
        job=row[3],
        uid=row[4],
        generation=row[5],
        request_key=row[6] or "",
        template=template,
        blueprint=blueprint(template),
        labels=_pairs(orjson.loads(row[8])),
        created_at=from_micros(row[9]),
        state=ExecutionState(row[10]),
        tally=_tally_of(status["tally"]),
        started_at=_instant(status["started_at"]),
        completed_at=_instant(status["completed_at"]),
        cancel_asked_at=_instant(status["cancel_asked_at"]),
        reason=Reason(status["reason"]),
        message=status["message"],
        warnings=tuple(status["warnings"]),
        released=bool(row[12]),
    )


def execution_row(execution: Execution) -> tuple[Value, ...]:
    """The parameters of `execution_add`."""
    name, state, status, completed_at, released = execution_update_row(execution)
    return (
        name, execution.project, execution.region, execution.job, execution.uid,
        execution.generation, execution.request_key or None, text_of(execution.template),
        text_of(dict(execution.labels)), to_micros(execution.created_at), state, status,
        completed_at, released,
    )  # fmt: skip


def execution_update_row(execution: Execution) -> tuple[Value, ...]:
    """The parameters of `execution_update`."""
    status = {
        "v": STATUS_VERSION,
        "tally": execution.tally,
        "started_at": _micros(execution.started_at),
        "completed_at": _micros(execution.completed_at),
        "cancel_asked_at": _micros(execution.cancel_asked_at),
        "reason": execution.reason,
        "message": execution.message,
        "warnings": execution.warnings,
    }
    completed_at = _micros(execution.completed_at)
    return (
        execution.name, str(execution.state), text_of(status), completed_at,
        int(execution.released),
    )  # fmt: skip


def task_of(row: Row) -> Task:
    """A task from `tasks_open` and its like."""
    return Task(
        index=row[0],
        state=TaskState(row[1]),
        attempt=row[2],
        spawner=row[3],
        started_at=_instant(row[4]),
        ended_at=_instant(row[5]),
        exit_code=row[6],
        signal=row[7],
        timed_out=bool(row[8]),
        out_of_memory=bool(row[9]),
        lost=bool(row[10]),
        message=row[11],
        cpu_milliseconds=row[12],
        memory_peak_bytes=row[13],
    )


def task_row(execution: str, task: Task) -> tuple[Value, ...]:
    """The parameters of `task_put`."""
    return (
        execution, task.index, str(task.state), task.attempt, task.spawner,
        _micros(task.started_at), _micros(task.ended_at), task.exit_code, task.signal,
        int(task.timed_out), int(task.out_of_memory), int(task.lost), task.message,
        task.cpu_milliseconds, task.memory_peak_bytes,
    )  # fmt: skip


def text_of(value: Any) -> str:
    """`value` as JSON text."""
    return orjson.dumps(value, default=_mapping).decode()


def plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """`value` as it will come back from the book: dicts and lists, so that both compare equal."""
    found: dict[str, Any] = orjson.loads(orjson.dumps(value, default=_mapping))
    return found


def _mapping(value: object) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def _tally_of(value: dict[str, Any]) -> Tally:
    failures = tuple(FailedTask(**each) for each in value.pop("failures"))
    removed = tuple((what, count) for what, count in value.pop("removed"))
    left = tuple(value.pop("left"))
    return Tally(**value, failures=failures, removed=removed, left=left)


def _pairs(value: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(value.items())


def _micros(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
