"""Alerts, incidents and silences as documents in rows, and back."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

from runyard.model.alert import Alert, AlertState, Silence
from runyard.model.incident import (
    EVENTS,
    Incident,
    IncidentEvent,
    IncidentState,
    Member,
    RemedyAction,
)
from runyard.model.notice import Severity
from runyard.store.documents import VERSION, dumps, loads, pairs

_INSTANTS = frozenset(
    field.name for model in (Alert, Incident, Silence) for field in fields(model)
    if field.name.endswith("_at")
)  # fmt: skip


def body_of(row: Alert | Incident | Silence) -> str:
    """All of a row as JSON text."""
    return dumps({"v": VERSION, "row": row})


def alert_of(text: str) -> Alert:
    """The alert that `body_of` wrote."""
    data = _row(text)
    return Alert(
        **data
        | {
            "state": AlertState(data["state"]),
            "severity": Severity(data["severity"]),
            "labels": pairs(data["labels"]),
        }
    )


def incident_of(text: str) -> Incident:
    """The incident that `body_of` wrote."""
    data = _row(text)
    return Incident(
        **data
        | {
            "state": IncidentState(data["state"]),
            "severity": Severity(data["severity"]),
            "labels": pairs(data["labels"]),
            "members": tuple(_member(one) for one in data["members"]),
            "told": tuple(data["told"]),
            "queues": tuple((name, tuple(numbers)) for name, numbers in data["queues"]),
        }
    )


def silence_of(text: str) -> Silence:
    """The silence that `body_of` wrote."""
    return Silence(**_row(text))


def fact_of(kind: str, text: str) -> IncidentEvent:
    """The fact of a timeline."""
    data = loads(text)
    if "severity" in data:
        data["severity"] = Severity(data["severity"])
    if "action" in data:
        data["action"] = RemedyAction(data["action"])
    data = {name: tuple(it) if isinstance(it, list) else it for name, it in data.items()}
    found: IncidentEvent = EVENTS[kind](**data)
    return found


def _row(text: str) -> dict[str, Any]:
    data: dict[str, Any] = loads(text)["row"]
    return {name: _instant(name, value) for name, value in data.items()}


def _instant(name: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if name in _INSTANTS and value is not None else value


def _member(data: dict[str, Any]) -> Member:
    return Member(**data | {"severity": Severity(data["severity"])})
