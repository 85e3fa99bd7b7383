"""`runyard validate`: check manifests without a server."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli import job_table, manifest_files, output
from runyard.cli.parameters import AsJson
from runyard.cli.surroundings import now, settings
from runyard.cli.zones import ZONES
from runyard.flow.schedule.surprises import surprises
from runyard.model.executors import PROCESS
from runyard.model.job import JobSpec
from runyard.model.manifest import load


def validate(
    *paths: Annotated[
        Path, Parameter(help="Manifests or folders of them; else ./runyard.yaml or ./runyard/.")
    ],
    environment: Annotated[
        str | None, Parameter(help="The environment they are for; else RUNYARD_ENVIRONMENT.")
    ] = None,
    json_: AsJson = False,
) -> None:
    """Check manifests, without a server.

    Every fault of every file is shown with file, line and column. `launches max` is the most
    launches that one run can cause in a region: attempts x (maxRetries + 1) x tasks.
    """
    config = settings()
    meant = environment or config.environment
    loaded = load(
        manifest_files.read(paths),
        environment=meant,
        executor=PROCESS,
        regions=config.regions,
        zones=ZONES,
        advise=partial(surprises, zones=ZONES, now=now()),
    )
    jobs = [_row(spec, meant) for spec in loaded.jobs]
    warnings = [asdict(warning) for warning in loaded.warnings]
    if json_:
        output.document({"jobs": jobs, "warnings": warnings})
    else:
        job_table.show(jobs, warnings)


def _row(spec: JobSpec, environment: str) -> dict[str, Any]:
    """As the REST API's `jobs:validate` has it: nothing is in force, so there is no revision."""
    return {
        "project": spec.project,
        "environment": environment,
        "name": spec.name,
        "revision": 0,
        "change": "",
        "launches_max": spec.launches_max,
        "regions": list(spec.regions),
    }
