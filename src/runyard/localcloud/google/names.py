"""Google's resource names: `projects/P/locations/R/jobs/J/executions/E/tasks/T`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runyard.localcloud.cloudrun.names import task_name
from runyard.localcloud.cloudrun.resources import Execution, Job
from runyard.model.errors import Fault, InvalidSpec

ANY = "-"  #: in place of a job or an execution in the parent of a list: all of them

_PROJECT = re.compile(r"[a-z0-9][-a-z0-9:.]{0,62}")


@dataclass(frozen=True, slots=True)
class Name:
    """A name in its parts. What it does not reach down to is empty."""

    project: str
    region: str
    job: str = ""
    execution: str = ""
    task: str = ""

    @property
    def place(self) -> str:
        """The region of the project."""
        return f"projects/{self.project}/locations/{self.region}"


def read_name(text: str, field: str) -> Name:
    """The parts of `text`. Raises InvalidSpec naming `field`; how far down it reaches is what the
    path of a method says."""
    parts = text.split("/")
    if _PROJECT.fullmatch(parts[1]) is None:
        expected = "projects/PROJECT/…, PROJECT of small letters, digits and hyphens"
        raise wrong(field, text[:200], expected)
    return Name(*parts[1::2])


def wrong(field: str, value: str, expected: str, hint: str = "") -> InvalidSpec:
    """One thing wrong with a request."""
    fault = Fault(field, repr(value) if value else "", expected, hint)
    return InvalidSpec(str(fault), faults=(fault,))


def job_name(job: Job) -> str:
    """A job's whole name."""
    return f"projects/{job.project}/locations/{job.region}/jobs/{job.name}"


def execution_name(execution: Execution) -> str:
    """An execution's whole name."""
    job = f"projects/{execution.project}/locations/{execution.region}/jobs/{execution.job}"
    return f"{job}/executions/{execution.name}"


def whole_task_name(execution: Execution, index: int) -> str:
    """A task's whole name."""
    return f"{execution_name(execution)}/tasks/{task_name(execution.name, index)}"


def task_index(name: Name) -> int | None:
    """Which task of its execution a name means; None when no task is called so."""
    head, found, index = name.task.rpartition("-task")
    canonical = index.isascii() and index.isdecimal() and str(int(index)) == index
    return int(index) if found and head == name.execution and canonical else None
