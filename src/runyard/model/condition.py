"""Conditions: what is so of a job, step by step, in the words that Cloud Run uses for its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ConditionState(StrEnum):
    """Google's `Condition.State` without its prefix."""

    PENDING = "pending"
    RECONCILING = "reconciling"
    FAILED = "failed"
    SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. `reason` is a word for programs or empty, `message` a sentence for people."""

    type: str
    state: ConditionState
    at: datetime
    reason: str = ""
    message: str = ""


READY = "Ready"  #: the one that says all of it
