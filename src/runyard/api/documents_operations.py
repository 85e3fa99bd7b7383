"""Operations as JSON documents, in the shapes of `shapes_operations.py`. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from runyard.flow.step_states import said, step_state
from runyard.model.operation import Operation
from runyard.store.deleted_jobs import DeletedJob
from runyard.store.operations import OperationHappening

Document = dict[str, Any]


def operation_document(one: Operation) -> Document:
    """OPERATION of the API."""
    return {
        "id": one.id,
        "kind": one.kind,
        "environment": one.environment,
        "state": one.state,
        "requested_by": one.requested_by,
        "requested_at": one.requested_at,
        "reason": one.reason,
        "unsafe": list(one.unsafe),
        "confirmed_by": one.confirmed_by,
        "approvals": [asdict(approval) for approval in one.approvals],
        "approvals_missing": one.approvals_missing,
        "due_at": one.due_at,
        "ended_at": one.ended_at,
        "error": one.error,
        "trouble": one.trouble,
        "hint": one.hint,
        "jobs": [
            {
                "project": job.project,
                "name": job.name,
                "change": job.change,
                "revision": job.revision,
            }
            for job in one.jobs
        ],
        "steps": [_step(one, number) for number in range(len(one.steps))],
        "version": one.version,
    }


def _step(one: Operation, number: int) -> Document:
    step = one.steps[number]
    result = one.results[number] if number < len(one.results) else None
    return {
        "number": number,
        "kind": step.kind,
        "job": one.jobs[step.job].name,
        "region": step.region,
        "state": step_state(one, number),
        "at": result.at if result else None,
        "message": said(one, number),
        "touched": [
            {"kind": kind, "name": name} for kind, name in (result.touched if result else ())
        ],
    }


def operation_event(fact: OperationHappening) -> Document:
    """One fact of an operation's history."""
    return asdict(fact)


def deleted_document(job: DeletedJob) -> Document:
    """A job that can be had back."""
    return {
        "project": job.project,
        "environment": job.environment,
        "name": job.name,
        "revision": job.revision,
        "deleted_at": job.deleted_at,
        "deleted_by": job.deleted_by,
        "purge_at": job.purge_at,
        "operation": job.operation,
    }
