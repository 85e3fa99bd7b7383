"""`runyard break-glass`: do now what a guard forbids, with a reason, so that everybody knows."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.client import segment
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, span
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local
from runyard.model.errors import Fault, InvalidSpec

Document = dict[str, Any]


def break_glass(
    environment: Annotated[str, Parameter(help="Whose guards; without it, what is open.")] = "",
    /,
    *,
    reason: Annotated[str, Parameter(help="Why it cannot wait; everybody is told.")] = "",
    lasting: Annotated[str, Parameter(name="--for", help="How long, at most 24h.")] = "1h",
    close: Annotated[str, Parameter(help="Close the exception with this id.")] = "",
    json_: AsJson = False,
) -> None:
    """Lift an environment's guards (freezes, approvals, who may) for yourself, for a while.

    It needs the role admin, is noted in the audit log, announced, and shown by `runyard status`.
    """
    client = connect()
    if close:
        _show(client.post(f"/break-glass/{segment(close)}:close", {}, again=True), "closed", json_)
        return
    if not environment:
        _list(client.get("/break-glass"), json_)
        return
    if not reason.strip():
        fault = Fault("--reason", "", "a reason", "everybody will read it")
        raise InvalidSpec("the glass is not broken without a reason", faults=(fault,))
    seconds = round(span("--for", lasting).total_seconds())
    body = {"environment": environment, "reason": reason, "lasting": f"{seconds}s"}
    _show(client.post("/break-glass", body), "open", json_)


def _show(one: Document, state: str, as_json: bool) -> None:
    if as_json:
        output.document(one)
        return
    until = f" until {local(one['closes_at'], now())}" if state == "open" else ""
    output.line(f"{one['id']}: the glass of {one['environment']} is {state}{until}")


def _list(found: Document, as_json: bool) -> None:
    if as_json:
        output.document(found)
        return
    at = now()
    table(
        ("exception", "environment", "by", "until", "reason"),
        (
            (one["id"], one["environment"], one["by"], local(one["closes_at"], at), one["reason"])
            for one in found["exceptions"]
        ),
        empty="no glass is broken",
    )
