"""What the audit log keeps of operations: that one was begun, what people said to it, and what
became of each job."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from runyard.model.audit import HERE, AuditEntry, Origin
from runyard.model.operation import (
    Approved,
    CancelAsked,
    Change,
    Confirmed,
    Declined,
    JobChange,
    Operation,
    OperationEvent,
    OperationState,
    Resumed,
)

_SAID: Mapping[type, str] = {
    Confirmed: "operation.confirm",
    Approved: "operation.approve",
    Declined: "operation.refuse",
    CancelAsked: "operation.cancel",
    Resumed: "operation.resume",
}
_DONE: Mapping[Change, str] = {
    Change.CREATED: "job.create",
    Change.UPDATED: "job.update",
    Change.DELETED: "job.delete",
    Change.RESTORED: "job.restore",
    Change.UNCHANGED: "job.redeploy",
}


def begun_entry(operation: Operation, now: datetime, origin: Origin) -> AuditEntry:
    """Somebody asked for an operation."""
    jobs = {f"{job.project}/{job.name}": job.change.value for job in operation.jobs}
    return AuditEntry(
        now,
        operation.requested_by,
        f"operation.{operation.kind}",
        f"operation/{operation.id}",
        operation.environment,
        after={"jobs": jobs, "unsafe": list(operation.unsafe), "forced": operation.forced},
        reason=operation.reason,
        origin=origin,
    )


def said_entries(
    operation: Operation, event: OperationEvent, now: datetime, origin: Origin
) -> list[AuditEntry]:
    """A person said something to an operation."""
    if not isinstance(event, Confirmed | Approved | Declined | CancelAsked | Resumed):
        return []
    return [
        AuditEntry(
            now,
            event.by,
            _SAID[type(event)],
            f"operation/{operation.id}",
            operation.environment,
            after={"state": operation.state.value},
            reason=getattr(event, "reason", ""),
            origin=origin,
        )
    ]


def ended_entries(operation: Operation, now: datetime) -> list[AuditEntry]:
    """What became of each job by an operation that is complete; nothing while it is not."""
    if operation.state is not OperationState.COMPLETE:
        return []
    changed = {step.job for step in operation.steps}
    return [_done(operation, operation.jobs[number], now) for number in sorted(changed)]


def _done(operation: Operation, job: JobChange, now: datetime) -> AuditEntry:
    return AuditEntry(
        now,
        operation.requested_by,
        _DONE[job.change],
        f"job/{job.project}/{job.name}",
        operation.environment,
        before=_kept(operation, job.base, job.before),
        after=_kept(operation, job.revision, job.document),
        reason=operation.reason,
        origin=HERE,
    )


def _kept(
    operation: Operation, revision: int, document: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    if document is None:
        return None
    return {"revision": revision, "operation": operation.id, "spec": document}
