"""`runyard cancel`: stop a run, wherever it is."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, RunRef
from runyard.cli.run_ref import path, run_id


def cancel(
    ref: Annotated[RunRef, Parameter(name="RUN")],
    /,
    *,
    reason: Annotated[str | None, Parameter(help="Kept in the run's history.")] = None,
    json_: AsJson = False,
) -> None:
    """Stop a run.

    Its tasks get SIGTERM, and SIGKILL ten seconds later. Nothing is launched for it any more.
    Asking twice does no harm.
    """
    client = connect()
    body = {"reason": reason} if reason else {}
    run = client.post(f"{path(run_id(client, ref))}:cancel", body, again=True)
    if json_:
        output.document(run)
    else:
        output.line(f"{run['id']} is {run['state']}")
