"""`runyard resume`: have a run go on that waits for something."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, RunRef
from runyard.cli.run_ref import path, run_id


def resume(
    ref: Annotated[RunRef, Parameter(name="RUN")],
    /,
    *,
    reason: Annotated[str | None, Parameter(help="Kept in the run's history.")] = None,
    json_: AsJson = False,
) -> None:
    """Have a run go on that waits for something.

    Nobody looks whether it is there. A run that waits for its job to be mended goes on with the
    newest revision. Asking twice does no harm.
    """
    client = connect()
    body = {"reason": reason} if reason else {}
    run = client.post(f"{path(run_id(client, ref))}:resume", body, again=True)
    if json_:
        output.document(run)
    else:
        output.line(f"{run['id']} is {run['state']}")
