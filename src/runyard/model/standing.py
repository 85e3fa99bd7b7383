"""Where a job stands: what is in force, who is changing it, and why it may not run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runyard.model.condition import Condition


@dataclass(frozen=True, slots=True)
class Standing:
    """`operation` is the one that has the job for itself (empty: none). `blocked` says why its runs
    are refused (empty: they are not)."""

    revision: int
    document: Mapping[str, Any]
    operation: str = ""
    blocked: str = ""
    conditions: tuple[Condition, ...] = ()
