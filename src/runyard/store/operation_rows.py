"""An operation as a row and back. `asked` is written once, `body` with every change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from runyard.database.port import Row, Value
from runyard.model.ids import OperationId
from runyard.model.instants import from_micros, to_micros
from runyard.model.operation import (
    Approval,
    Change,
    JobChange,
    Operation,
    OperationKind,
    OperationState,
    Step,
    StepKind,
    StepResult,
)
from runyard.store.documents import VERSION, dumps, loads, pairs
from runyard.store.run_rows import instant, micros


def insert_params(one: Operation) -> tuple[Value, ...]:
    """The parameters of `operation_insert`."""
    return (
        one.id,
        one.kind,
        one.environment,
        one.state,
        one.requested_by,
        to_micros(one.requested_at),
        micros(one.due_at),
        micros(one.ended_at),
        one.version,
        _asked(one),
        _body(one),
        one.fence,
    )


def update_params(one: Operation) -> tuple[Value, ...]:
    """The parameters of `operation_update`."""
    ended_at = micros(one.ended_at)
    return (one.id, one.state, micros(one.due_at), ended_at, one.version, _body(one))


def _asked(one: Operation) -> str:
    return dumps(
        {
            "v": VERSION,
            "jobs": one.jobs,
            "steps": one.steps,
            "reason": one.reason,
            "unsafe": one.unsafe,
            "approvals_needed": one.approvals_needed,
            "forced": one.forced,
            "grace_seconds": one.grace_seconds,
        }
    )


def _body(one: Operation) -> str:
    return dumps(
        {
            "v": VERSION,
            "position": one.position,
            "results": one.results,
            "confirmed_by": one.confirmed_by,
            "approvals": one.approvals,
            "error": one.error,
            "failed_step": one.failed_step,
            "hint": one.hint,
            "trouble": one.trouble,
        }
    )


def operation_of(row: Row) -> Operation:
    """The operation in a row of `operations_by_id`."""
    asked, body = loads(row[9]), loads(row[10])
    return Operation(
        id=OperationId(row[0]),
        kind=OperationKind(row[1]),
        environment=row[2],
        requested_by=row[4],
        requested_at=from_micros(row[5]),
        jobs=tuple(_job(one) for one in asked["jobs"]),
        steps=tuple(Step(StepKind(s["kind"]), s["job"], s["region"]) for s in asked["steps"]),
        reason=asked["reason"],
        unsafe=tuple(asked["unsafe"]),
        approvals_needed=asked["approvals_needed"],
        forced=asked["forced"],
        grace_seconds=asked["grace_seconds"],
        fence=row[11],
        state=OperationState(row[3]),
        position=body["position"],
        results=tuple(_result(one) for one in body["results"]),
        confirmed_by=body["confirmed_by"],
        approvals=tuple(_approval(one) for one in body["approvals"]),
        error=body["error"],
        failed_step=body["failed_step"],
        hint=body["hint"],
        trouble=body["trouble"],
        due_at=instant(row[6]),
        ended_at=instant(row[7]),
        version=row[8],
    )


def _job(data: dict[str, Any]) -> JobChange:
    documents = {
        name: tuple((region, document) for region, document in data[name])
        for name in ("found", "targets")
    }
    return JobChange(
        **data | documents | {"change": Change(data["change"]), "etags": pairs(data["etags"])}
    )


def _result(data: dict[str, Any]) -> StepResult:
    return StepResult(
        datetime.fromisoformat(data["at"]),
        data["message"],
        data["reason"],
        pairs(data["touched"]),
        pairs(data["undo"]),
    )


def _approval(data: dict[str, Any]) -> Approval:
    return Approval(data["by"], datetime.fromisoformat(data["at"]))
