"""`runyard jobs get`: one job, with its spec as YAML."""

from __future__ import annotations

import io
from typing import Annotated, Any

from cyclopts import Parameter
from ruamel.yaml import YAML

from runyard.cli import job_table, output
from runyard.cli.client import segment
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, JobName
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local


def get(
    name: JobName,
    /,
    *,
    environment: Annotated[str | None, Parameter(help="The job's environment.")] = None,
    json_: AsJson = False,
) -> None:
    """Show one job as it is in force, all defaults written out."""
    job = connect().get(f"/jobs/{segment(name)}", {"environment": environment})
    if json_:
        output.document(job)
        return
    output.pairs(
        (
            ("job", job["name"]),
            ("project", f"{job['project']}, environment {job['environment']}"),
            ("revision", job["revision"]),
            ("regions", f"{', '.join(job['regions'])} ({job['placement']})"),
            ("priority", job["priority"] or ""),
            ("labels", ", ".join(f"{key}={value}" for key, value in job["labels"].items())),
            ("launches max", f"{job['launches_max']} a run (attempts x tries x tasks)"),
            ("ready", _ready(job)),
            ("applied", f"{local(job['applied_at'], now())} by {job['applied_by']}"),
        )
    )
    job_table.warn(job["warnings"])
    _conditions(job)
    output.line()
    output.line(_yaml(job["spec"]))


def _ready(job: dict[str, Any]) -> str:
    """Whether it may run, and if it may not, why."""
    if job["blocked"]:
        return f"no: {job['blocked']}"
    return f"yes; {job['operation']} is changing it" if job["operation"] else "yes"


def _conditions(job: dict[str, Any]) -> None:
    if job["conditions"]:
        output.line()
        table(
            ("condition", "state", "reason", "message"),
            (
                (one["type"], one["state"], one["reason"], one["message"])
                for one in job["conditions"]
            ),
        )


def _yaml(spec: dict[str, Any]) -> str:
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # untyped in ruamel
    yaml.dump(spec, text)
    return text.getvalue().rstrip()
