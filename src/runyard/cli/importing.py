"""`runyard import`: from jobs as Google writes them to a manifest, without a server."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from runyard.cli import output
from runyard.cli.files import read_bytes
from runyard.cli.output import printable
from runyard.cli.parameters import AsJson
from runyard.flow.importing import Imported, jobs_in
from runyard.model.errors import Fault, InvalidSpec

BYTES_MAX = 8 * 1024 * 1024


def import_(
    path: Annotated[
        Path, Parameter(name="FILE", help="A job as YAML or JSON, v1 or v2, or a list of them.")
    ],
    /,
    *more: Annotated[Path, Parameter(help="More of them.")],
    project: Annotated[
        str | None, Parameter(help="The manifest's project; else the first job's, if it says one.")
    ] = None,
    json_: AsJson = False,
) -> None:
    """Print the manifest of existing Cloud Run jobs.

    It takes what `gcloud run jobs describe JOB --format export` prints, what `gcloud run jobs
    replace` takes, and what the API answers. What could not be carried over stands in comments.
    """
    jobs = [job for file in (path, *more) for job in _read(file)]
    names = [job.name for job in jobs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        faults = tuple(Fault("name", repr(name), "each job once") for name in twice)
        raise InvalidSpec("a job is there twice", hint="import them apart", faults=faults)
    named = project or next((job.project for job in jobs if job.project), "imported")
    manifest = {"project": named, "jobs": {job.name: job.body for job in jobs}}
    if json_:
        notes = [asdict(note) | {"job": job.name} for job in jobs for note in job.notes]
        output.document({"manifest": manifest, "notes": notes})
        return
    for line in _lines(named, jobs):
        output.line(line)


def _read(file: Path) -> list[Imported]:
    content = read_bytes(file, BYTES_MAX)
    try:
        documents = list(YAML(typ="safe", pure=True).load_all(content.decode()))
    except (YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        fault = Fault("document", "", "YAML or JSON in UTF-8", "", str(file), line, column)
        raise InvalidSpec(f"{file} cannot be read", faults=(fault,)) from None
    found = [job for one in documents if one is not None for job in jobs_in(one)]
    if not found:
        raise InvalidSpec(f"{file} has no job", hint="name a file with a Cloud Run job")
    return found


def _lines(project: str, jobs: list[Imported]) -> list[str]:
    lines = [f"project: {project}", "jobs:"]
    for job in jobs:
        lines += [f"  # {printable(note.path)}: {printable(note.why)}" for note in job.notes]
        block = _yaml({job.name: job.body})
        lines += [f"  {line}" if line else "" for line in block.splitlines()]
    return lines


def _yaml(data: Mapping[str, Any]) -> str:
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # untyped in ruamel
    yaml.width = 10_000
    yaml.dump(data, text)
    return text.getvalue().rstrip()
