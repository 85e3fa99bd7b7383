"""Executions and task ends for tests of decisions: plain factories."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from runyard.localcloud.cloudrun.blueprint import blueprint
from runyard.localcloud.cloudrun.names import attempt_name
from runyard.localcloud.cloudrun.resources import Execution, Task
from runyard.localcloud.spawner.port import TaskEnd
from tests.support.cloud import START, make_template


def make_execution(
    name: str = "report-aaaaa", region: str = "us-central1", **how: Any
) -> Execution:
    """A pending execution of a template made by `make_template(**how)`."""
    template = make_template(**how)
    return Execution(
        name=name,
        uid="6f1e1d5e-0000-4000-8000-000000000000",
        project="shop",
        region=region,
        job=name.rpartition("-")[0],
        generation=1,
        template=template,
        blueprint=blueprint(template),
        created_at=START,
    )


def make_end(execution: Execution, task: Task, exit_code: int | None = 0, **how: Any) -> TaskEnd:
    """The end of a task that ran for two seconds."""
    values: dict[str, Any] = {
        "signal": None,
        "started_at": START + timedelta(seconds=1),
        "ended_at": START + timedelta(seconds=3),
    }
    key = attempt_name(execution.name, task.index, task.attempt)
    return TaskEnd(key=key, exit_code=exit_code, **(values | how))
