"""Hooks and deliveries as JSON, and the shapes of that."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from runyard.api.shapes import Document, Shape
from runyard.model.delivery import Delivery, DeliveryFate
from runyard.model.ids import RunId
from runyard.model.trigger.row import Trigger, TriggerState


class HookShape(Shape):
    """A webhook: its path, and the address that who calls it is told. `trigger` is what the
    manifest says."""

    hook: str
    project: str
    environment: str
    job: str
    name: str
    address: str
    sender: str
    secret: str | None
    state: TriggerState
    reason: str
    said_by: str
    since: datetime
    trigger: Document


class HooksShape(Shape):
    """Webhooks by job, project and name."""

    hooks: list[HookShape]


class HookRunShape(Shape):
    """A run and its address."""

    id: str
    url: str


class CalledShape(Shape):
    """What became of a call. `again`: it had been taken before, and led to these runs."""

    delivery: str
    fate: DeliveryFate
    reason: str
    again: bool
    runs: list[HookRunShape]


class WebhookDeliveryShape(Shape):
    """A delivery. Of those that were doubted, one stands for an hour of them. `revision` is the
    job's that it was decided on by; null where none is kept."""

    id: str
    hook: str
    environment: str
    key: str
    fate: DeliveryFate
    reason: str
    runs: list[str]
    count: int
    received_at: datetime
    last_at: datetime
    address: str
    body_bytes: int
    headers: dict[str, str]
    redelivers: str
    by: str
    revision: int | None


class WebhookDeliveriesShape(Shape):
    """Deliveries, the latest first."""

    deliveries: list[WebhookDeliveryShape]
    next_page_token: str


class ContentShape(Shape):
    """What was sent."""

    id: str
    content_base64: Annotated[str, Field(description="The content, in base64.")]


def hook_document(row: Trigger, base: str) -> Document:
    """A webhook; `base` is how the server is reached."""
    sender: dict[str, Any] = dict(row.document["webhook"])
    return {
        "hook": row.path,
        "project": row.project,
        "environment": row.environment,
        "job": row.job,
        "name": row.name,
        "address": f"{base}/hooks/{row.path}",
        "sender": sender["kind"],
        "secret": sender.get("secret"),
        "state": row.state,
        "reason": row.reason,
        "said_by": row.said_by,
        "since": row.since,
        "trigger": row.document,
    }


def delivery_document(one: Delivery) -> Document:
    """A delivery, without what was sent."""
    return {
        "id": one.id,
        "hook": one.trigger,
        "environment": one.environment,
        "key": one.key.partition("/")[2],
        "fate": one.fate,
        "reason": one.reason,
        "runs": list(one.runs),
        "count": one.count,
        "received_at": one.received_at,
        "last_at": one.last_at,
        "address": one.address,
        "body_bytes": one.body_bytes,
        "headers": dict(one.headers),
        "redelivers": one.redelivers,
        "by": one.by,
        "revision": one.revision or None,
    }


def called_document(one: Delivery, base: str, *, again: bool) -> Document:
    """What became of a call."""
    return {
        "delivery": one.id,
        "fate": one.fate,
        "reason": one.reason,
        "again": again,
        "runs": run_documents(one.runs, base),
    }


def run_documents(runs: Iterable[RunId], base: str) -> list[Document]:
    """Runs with their addresses."""
    return [{"id": run, "url": f"{base}/api/v1/runs/{run}"} for run in runs]
