"""`runyard runs wait`: until a run is final."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from runyard.cli import ending, output, run_lines
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, RunRef
from runyard.cli.run_ref import run_id


def wait_for(ref: Annotated[RunRef, Parameter(name="RUN")], /, *, json_: AsJson = False) -> int:
    """Wait for one run in silence and exit with its outcome.

    The exit status is 0 when it succeeded, 1 when it is dead, 3 when it was cancelled, 4 when it
    was skipped.
    """
    client = connect()
    ended = ending.until_final(run_id(client, ref))
    if json_:
        output.document(ended)
    else:
        output.line(run_lines.summary(ended))
    return ending.outcome_status([ended])
