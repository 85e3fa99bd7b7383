"""What the API answers about operations, as OpenAPI tells it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from runyard.api.shapes import AppliedShape, Document, FaultShape, Shape
from runyard.flow.step_states import StepState
from runyard.model.operation import Change, OperationKind, OperationState, StepKind


class OperationJobShape(Shape):
    """What becomes of a job by an operation. `revision` is what it has in the end."""

    project: str
    name: str
    change: Change
    revision: int


class TouchedShape(Shape):
    """Something that a step made or removed."""

    kind: str
    name: str


class StepShape(Shape):
    """One step. `message` says what it found or did, or why it is not done."""

    number: int
    kind: StepKind
    job: str
    region: str
    state: StepState
    at: datetime | None
    message: str
    touched: list[TouchedShape]


class ApprovalShape(Shape):
    """Somebody said yes."""

    by: str
    at: datetime


class OperationShape(Shape):
    """A change in several steps. It ends complete or undone, or is stuck until a person has looked.

    While it is `waiting`, `unsafe` has to be confirmed (unless `confirmed_by` says who did), and
    `approvals_missing` others have to approve it, until `due_at`.
    """

    id: str
    kind: OperationKind
    environment: str
    state: OperationState
    requested_by: str
    requested_at: datetime
    reason: str
    unsafe: list[str]
    confirmed_by: str
    approvals: list[ApprovalShape]
    approvals_missing: int
    due_at: datetime | None
    ended_at: datetime | None
    error: Annotated[str, Field(description="Why it is being undone, or was.")]
    trouble: Annotated[str, Field(description="Why it does not go on just now.")]
    hint: str
    jobs: list[OperationJobShape]
    steps: list[StepShape]
    version: Annotated[int, Field(description="Grows by one with every change.")]


class OperationPageShape(Shape):
    """A page of operations, newest first; no token: it is the last one."""

    operations: list[OperationShape]
    next_page_token: str


class OperationEventShape(Shape):
    """One fact of an operation's history; `state` is the operation's after it."""

    sequence: int
    at: datetime
    kind: str
    state: OperationState
    data: Document


class OperationHistoryShape(Shape):
    """All that happened to an operation, in order."""

    events: list[OperationEventShape]


class ApplyShape(Shape):
    """What applying a manifest does. `operation` null: everything is so already."""

    jobs: list[AppliedShape]
    warnings: list[FaultShape]
    operation: OperationShape | None


class ChangedShape(Shape):
    """The operation that makes a change; null: everything is so already."""

    operation: OperationShape | None


class DeletedJobShape(Shape):
    """A job that was deleted and can be had back until `purge_at`."""

    project: str
    environment: str
    name: str
    revision: int
    deleted_at: datetime
    deleted_by: str
    purge_at: datetime
    operation: str


class DeletedJobsShape(Shape):
    """Every job of an environment that can be had back, by name."""

    jobs: list[DeletedJobShape]
