"""More memory for the tasks of a template, with the CPUs that so much memory needs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from runyard.flow.recovering import STEP_BYTES, vcpu_milli_for
from runyard.flow.wording import memory
from runyard.model.cloudrun.sizes import PAIRS
from runyard.model.cloudrun.template import ExecutionTemplate
from runyard.model.durations import SECOND_NANOS, google_form, seconds_of
from runyard.model.quantities import memory_bytes_of, vcpu_milli_of
from runyard.model.recovery import Scaled

MEMORY_BYTES_MAX = max(most for _, most in PAIRS.values())  #: of a task, at Cloud Run
FACTOR = 2  #: from one size to the next, as `recovery.memory.factor` if nothing else is said


def template_memory(template: Mapping[str, Any]) -> int:
    """What a task of `template` (an ExecutionTemplate as JSON) has, over all its containers."""
    return _read(template).memory_bytes


def next_size(memory_bytes: int) -> int:
    """The size after `memory_bytes`, in whole steps; at most what Cloud Run has."""
    return min(-(-memory_bytes * FACTOR // STEP_BYTES) * STEP_BYTES, MEMORY_BYTES_MAX)


def grown(template: Mapping[str, Any], memory_bytes: int) -> Mapping[str, Any]:
    """`template` (an ExecutionTemplate as JSON, canonical) with `memory_bytes` for each task, and
    the CPUs that so much memory needs. The first container gets what is added: it does the work."""
    had = _read(template)
    added = memory_bytes - had.memory_bytes
    task = template["template"]
    first, *others = task["containers"]
    resources = first["resources"]  # a revision is canonical: these defaults are written out
    limits = dict(resources["limits"])
    more_cpu = vcpu_milli_for(memory_bytes, had.vcpu_milli) - had.vcpu_milli
    limits["memory"] = memory(memory_bytes_of(limits["memory"]) + added)
    limits["cpu"] = f"{vcpu_milli_of(limits['cpu']) + more_cpu}m"
    larger = {**first, "resources": {**resources, "limits": limits}}
    return {**template, "template": {**task, "containers": [larger, *others]}}


def accepted(document: Mapping[str, Any], scaled: Scaled) -> Mapping[str, Any]:
    """A job's `document` (canonical) with what its run came back with, where that is more than it
    has; the document itself where it has as much."""
    template = document["template"]
    timeout = scaled.timeout_seconds or 0.0
    if timeout > seconds_of(template["template"]["timeout"]):
        longer = google_form(round(timeout * SECOND_NANOS))
        template = {**template, "template": {**template["template"], "timeout": longer}}
    if (scaled.memory_bytes or 0) > template_memory(template):
        template = grown(template, scaled.memory_bytes or 0)
    return document if template is document["template"] else {**document, "template": template}


def _read(template: Mapping[str, Any]) -> ExecutionTemplate:
    return ExecutionTemplate.model_validate_json(orjson.dumps(dict(template)))
