"""`runyard explain`: a run's story in sentences."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, RunRef
from runyard.cli.run_ref import path, run_id


def explain(ref: Annotated[RunRef, Parameter(name="RUN")], /, *, json_: AsJson = False) -> None:
    """Say why a run started, waited, was retried, ended, and what it cost."""
    client = connect()
    told = client.get(f"{path(run_id(client, ref))}/explanation")
    if json_:
        output.document(told)
        return
    for sentence in told["sentences"]:
        output.line(sentence)
