"""What a list can be filtered by: each field and what its values are. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from runyard.model.filter_kinds import (
    DURATION,
    INSTANT,
    LABELS,
    MONEY,
    NUMBER,
    TEXT,
    TEXTS,
    Kind,
    words,
)
from runyard.model.plan import Placement
from runyard.model.run import State, TriggerKind

#: A job is being changed by an operation, its runs are refused, or neither.
JOB_STATES = ("changing", "blocked", "ready")

RUN_FIELDS: Mapping[str, Kind] = {
    "id": TEXT,
    "project": TEXT,
    "environment": TEXT,
    "job": TEXT,
    "revision": NUMBER,
    "region": TEXT,
    "state": words([*State]),
    "trigger": words([*TriggerKind]),
    "requested_at": INSTANT,
    "started_at": INSTANT,
    "ended_at": INSTANT,
    "duration": DURATION,
    "attempt": NUMBER,
    "cost": MONEY,
    "labels": LABELS,
}
JOB_FIELDS: Mapping[str, Kind] = {
    "name": TEXT,
    "project": TEXT,
    "state": words(JOB_STATES),
    "revision": NUMBER,
    "placement": words([*Placement]),
    "priority": NUMBER,
    "regions": TEXTS,
    "applied_at": INSTANT,
    "applied_by": TEXT,
    "labels": LABELS,
}
