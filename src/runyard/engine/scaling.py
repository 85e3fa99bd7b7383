"""What recovery gives an attempt, put into its launch order. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from runyard.flow.recovering import vcpu_milli_for
from runyard.flow.wording import memory
from runyard.model.cloudrun.template import ExecutionTemplate
from runyard.model.quantities import memory_bytes_of, vcpu_milli_of
from runyard.model.recovery import Scaled
from runyard.model.run import Overrides


def scaled_overrides(overrides: Overrides, scaled: Scaled) -> Overrides:
    """`overrides` with a timeout that recovery has made longer."""
    if scaled.timeout_seconds is None:
        return overrides
    return replace(overrides, timeout_seconds=scaled.timeout_seconds)


def scaled_template(template: Mapping[str, Any], scaled: Scaled) -> Mapping[str, Any]:
    """`template` (an ExecutionTemplate as JSON) with the memory that recovery gives a task, and the
    CPUs that so much memory needs. The first container gets what is added: it does the work."""
    if scaled.memory_bytes is None:
        return template
    had = ExecutionTemplate.model_validate_json(orjson.dumps(dict(template)))
    added = scaled.memory_bytes - had.memory_bytes
    task = template["template"]
    first, *others = task["containers"]
    resources = first["resources"]  # a revision is canonical: these defaults are written out
    limits = dict(resources["limits"])
    more_cpu = vcpu_milli_for(scaled.memory_bytes, had.vcpu_milli) - had.vcpu_milli
    limits["memory"] = memory(memory_bytes_of(limits["memory"]) + added)
    limits["cpu"] = f"{vcpu_milli_of(limits['cpu']) + more_cpu}m"
    grown = {**first, "resources": {**resources, "limits": limits}}
    return {**template, "template": {**task, "containers": [grown, *others]}}
