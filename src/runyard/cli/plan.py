"""`runyard plan`: what applying manifests would do, before it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli import job_table, manifest_files, output, plan_lines
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, Drift, assignments

CHANGES = 2  #: the exit status that says that there are changes, as `terraform plan` has it


def plan(
    *paths: Annotated[
        Path, Parameter(help="Manifests or folders of them; else ./runyard.yaml or ./runyard/.")
    ],
    environment: Annotated[
        str | None, Parameter(help="The environment they are for; else the server's.")
    ] = None,
    drift: Drift = None,
    exit_code: Annotated[
        bool, Parameter(help="Exit with 2 when there are changes, with 0 when there are none.")
    ] = False,
    json_: AsJson = False,
) -> int:
    """Say what applying manifests would change, overwrite and cost.

    Nothing is changed. `!` marks what is unsafe: it needs a confirmation. The token at the end
    stands for exactly this plan: `runyard apply --plan TOKEN` applies it, or nothing when anything
    has changed meanwhile.
    """
    sources = manifest_files.read(paths)
    body: dict[str, Any] = {
        "files": [{"name": source.name, "text": source.text} for source in sources]
    }
    if environment:
        body["environment"] = environment
    if drift:
        body["drift"] = assignments("--drift", drift)
    found = connect().post("/jobs:plan", body, again=True)
    if json_:
        output.document(found)
    else:
        job_table.warn(found["warnings"])
        plan_lines.show(found)
    return CHANGES if exit_code and found["has_changes"] else 0
