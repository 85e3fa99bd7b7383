"""RunJob's overrides, applied as Google applies them: to the execution, never to the job. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runyard.localcloud.cloudrun.blueprint import INPUT_CONTENT, INPUT_PATH
from runyard.localcloud.cloudrun.resources import ContainerOverride, RunOverrides
from runyard.model.durations import SECOND_NANOS, google_form
from runyard.model.errors import Fault, InvalidSpec


def overridden(template: Mapping[str, Any], overrides: RunOverrides) -> dict[str, Any]:
    """A new ExecutionTemplate: `args` replaces, `env` merges and wins, the numbers replace. A file
    is written into annotations, which is where Google's form has room for it.

    Raises InvalidSpec for a container the template does not have, and for arguments together
    with `clear_args`.
    """
    task = dict(template.get("template") or {})
    containers = [dict(container) for container in task.get("containers") or ()]
    for override in overrides.containers:
        _override(_chosen(containers, override), override)
    task["containers"] = containers
    if overrides.timeout_seconds is not None:
        task["timeout"] = google_form(round(overrides.timeout_seconds * SECOND_NANOS))
    made = {**template, "template": task}
    if overrides.task_count is not None:
        made["taskCount"] = overrides.task_count
    if overrides.file is not None:
        path, content = overrides.file
        told = {INPUT_PATH: path, INPUT_CONTENT: content}
        made["annotations"] = dict(template.get("annotations") or {}) | told
    return made


def _chosen(containers: list[dict[str, Any]], override: ContainerOverride) -> dict[str, Any]:
    for container in containers:
        if not override.name or container.get("name") == override.name:
            return container
    known = ", ".join(str(container.get("name") or "(unnamed)") for container in containers)
    fault = Fault("overrides.containerOverrides.name", override.name, f"one of {known or 'none'}")
    raise InvalidSpec(str(fault), faults=(fault,))


def _override(container: dict[str, Any], override: ContainerOverride) -> None:
    if override.clear_args and override.args:
        fault = Fault("overrides.containerOverrides.args", "", "no arguments beside clearArgs")
        raise InvalidSpec(str(fault), faults=(fault,))
    if override.clear_args:
        container["args"] = []
    elif override.args is not None:
        container["args"] = list(override.args)
    if override.env:
        names = {name for name, _ in override.env}
        kept = [each for each in container.get("env") or () if each.get("name") not in names]
        container["env"] = kept + [{"name": name, "value": value} for name, value in override.env]
