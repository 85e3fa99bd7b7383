"""`runyard apply`: bring manifests into force on the server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from runyard.cli import job_table, manifest_files, output
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson


def apply(
    *paths: Annotated[
        Path, Parameter(help="Manifests or folders of them; else ./runyard.yaml or ./runyard/.")
    ],
    environment: Annotated[
        str | None, Parameter(help="The environment they are for; else the server's.")
    ] = None,
    json_: AsJson = False,
) -> None:
    """Bring manifests into force.

    All jobs of all files, or, when anything is wrong, none. A job that has not changed keeps its
    revision. Runs that are under way go on as they were asked for.
    """
    sources = manifest_files.read(paths)
    body: dict[str, object] = {
        "files": [{"name": source.name, "text": source.text} for source in sources]
    }
    if environment:
        body["environment"] = environment
    answer = connect().post("/jobs:apply", body, again=True)
    if json_:
        output.document(answer)
    else:
        job_table.show(answer["jobs"], answer["warnings"])
