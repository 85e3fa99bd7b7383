"""`runyard runs bundle`: all that is known of a run that has ended, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, RunRef
from runyard.cli.run_ref import path, run_id
from runyard.model.errors import Fault, InvalidSpec


def bundle(
    ref: Annotated[RunRef, Parameter(name="RUN")],
    /,
    *,
    to: Annotated[
        Path | None, Parameter(name=["--output", "-o"], help="This file; else RUN.zip here.")
    ] = None,
    force: Annotated[bool, Parameter(help="Also over a file that is there.")] = False,
    json_: AsJson = False,
) -> None:
    """Write a debug bundle of a run that has ended: a zip file with its last log lines, names of
    variables, what changed since the last success, timings, inputs, attempts with their evidence.

    It holds no value of a variable or a secret.
    """
    client = connect()
    run = run_id(client, ref)
    file = to or Path(f"{run}.zip")
    if file.exists() and not force:
        fault = Fault("--output", str(file), "a file that is not there yet", "or say --force")
        raise InvalidSpec("there is such a file already", faults=(fault,))
    content = client.download(f"{path(run)}/bundle")
    try:
        file.write_bytes(content)
    except OSError as error:
        fault = Fault("--output", str(file), "a file that can be written", error.strerror or "")
        raise InvalidSpec("the bundle cannot be written", faults=(fault,)) from None
    if json_:
        output.document({"run": run, "file": str(file), "bytes": len(content)})
    else:
        output.line(str(file))
