"""What recovery gives an attempt, put into its launch order. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runyard.flow.growing import grown
from runyard.model.recovery import Scaled
from runyard.model.run import Overrides


def scaled_overrides(overrides: Overrides, scaled: Scaled) -> Overrides:
    """`overrides` with a timeout that recovery has made longer."""
    if scaled.timeout_seconds is None:
        return overrides
    return replace(overrides, timeout_seconds=scaled.timeout_seconds)


def scaled_template(template: Mapping[str, Any], scaled: Scaled) -> Mapping[str, Any]:
    """`template` (an ExecutionTemplate as JSON) with the memory that recovery gives a task."""
    if scaled.memory_bytes is None:
        return template
    return grown(template, scaled.memory_bytes)
