"""`runyard apply`: bring manifests into force on the server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from runyard.cli import changing, job_table, manifest_files, output
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, Drift, Reason, Yes, assignments


def apply(
    *paths: Annotated[
        Path, Parameter(help="Manifests or folders of them; else ./runyard.yaml or ./runyard/.")
    ],
    environment: Annotated[
        str | None, Parameter(help="The environment they are for; else the server's.")
    ] = None,
    plan: Annotated[
        str, Parameter(help="The token of a plan: exactly that is applied, or nothing.")
    ] = "",
    drift: Drift = None,
    reason: Reason = "",
    yes: Yes = False,
    json_: AsJson = False,
) -> None:
    """Bring manifests into force.

    All jobs of all files, or, when anything is wrong, none. A job that has not changed keeps its
    revision. Runs that are under way go on as they were asked for. What is unsafe is asked about
    first.
    """
    sources = manifest_files.read(paths)
    body: dict[str, object] = {
        "files": [{"name": source.name, "text": source.text} for source in sources],
        "wait_seconds": 0,
    }
    given = {"environment": environment, "plan_token": plan, "reason": reason, "confirm": yes}
    body |= {name: value for name, value in given.items() if value}
    if drift:
        body["drift"] = assignments("--drift", drift)
    client = connect()
    answer = client.post("/jobs:apply", body, again=True)
    operation = changing.carried_through(client, answer.get("operation"), yes=yes)
    if json_:
        output.document(answer | {"operation": operation})
    else:
        job_table.show(answer["jobs"], answer["warnings"])
