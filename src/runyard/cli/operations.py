"""`runyard operations`: changes of jobs, listed, followed, approved, refused, cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import App, Parameter

from runyard.cli import changing, output
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, complete_jobs, complete_operations
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local

_PAGE_SIZE_MAX = 1000
Operation = Annotated[
    str,
    Parameter(name="OPERATION", help="An operation's id.", completer=complete_operations),
]
Why = Annotated[str, Parameter(help="Why; kept with the operation.")]

operations = App(
    name="operations",
    help="List changes of jobs, follow them, approve or undo them.",
    group_commands="Commands",
)


@operations.default
@operations.command(name="list")
def list_operations(
    *,
    environment: Annotated[str | None, Parameter(help="Only in this environment.")] = None,
    job: Annotated[
        str | None, Parameter(help="Only those that change this job.", completer=complete_jobs)
    ] = None,
    limit: Annotated[int, Parameter(show_default=True, help="At most so many.")] = 20,
    json_: AsJson = False,
) -> None:
    """List operations, newest first."""
    size = max(1, min(limit, _PAGE_SIZE_MAX))
    query = {"environment": environment, "job": job, "page_size": size}
    page = connect().get("/operations", query)
    if json_:
        output.document(page)
        return
    at = now()
    table(
        ("operation", "kind", "state", "jobs", "asked", "by", "message"),
        (
            (
                one["id"],
                one["kind"],
                one["state"],
                ", ".join(job["name"] for job in one["jobs"]),
                local(one["requested_at"], at),
                one["requested_by"],
                one["trouble"] or one["error"],
            )
            for one in page["operations"]
        ),
        empty="no operations; `runyard apply` makes one",
    )


@operations.command
def get(operation: Operation, /, *, json_: AsJson = False) -> None:
    """Show one operation with its steps."""
    one = connect().get(changing.path(operation))
    if json_:
        output.document(one)
    else:
        show(one)


@operations.command
def watch(operation: Operation, /, *, json_: AsJson = False) -> None:
    """Follow an operation to its end.

    With --json each change is a line. The exit status is 0 when it is complete.
    """
    last: dict[str, Any] = {}
    for event in changing.events(operation):
        last = event.data
        if json_ and event.kind != "end":
            output.json_line(last)
    if not json_:
        show(last)
    changing.check(last)


@operations.command
def approve(operation: Operation, /, *, json_: AsJson = False) -> None:
    """Say yes: confirm your own operation, or approve another person's."""
    _say(operation, "approve", "", json_)


@operations.command
def refuse(operation: Operation, /, *, reason: Why = "", json_: AsJson = False) -> None:
    """Say no to an operation that waits for people."""
    _say(operation, "refuse", reason, json_)


@operations.command
def cancel(operation: Operation, /, *, reason: Why = "", json_: AsJson = False) -> None:
    """Have an operation that is under way undone."""
    _say(operation, "cancel", reason, json_)


@operations.command
def resume(operation: Operation, /, *, json_: AsJson = False) -> None:
    """Have a stuck operation undone further, after you have mended what held it up."""
    _say(operation, "resume", "", json_)


def _say(operation: str, verb: str, reason: str, as_json: bool) -> None:
    client = connect()
    asked = {"reason": reason} if reason else {}
    one = client.post(f"{changing.path(operation)}:{verb}", asked)
    if as_json:
        output.document(one)
    else:
        output.line(f"{one['id']} {one['state']}")


def show(one: Mapping[str, Any]) -> None:
    """One operation, for a person."""
    at = now()
    output.pairs(
        (
            ("operation", one["id"]),
            ("kind", one["kind"]),
            ("state", one["state"]),
            ("environment", one["environment"]),
            ("asked", f"{local(one['requested_at'], at)} by {one['requested_by']}"),
            ("reason", one["reason"]),
            ("confirmed by", one["confirmed_by"]),
            ("approved by", ", ".join(each["by"] for each in one["approvals"])),
            ("approvals missing", one["approvals_missing"] or ""),
            ("error", one["error"]),
            ("trouble", one["trouble"]),
            ("hint", one["hint"]),
            ("ended", local(one["ended_at"], at)),
        )
    )
    for sentence in one["unsafe"]:
        output.line(f"unsafe: {output.printable(sentence)}")
    output.line()
    rows = ((s["kind"], s["job"], s["region"], s["state"], s["message"]) for s in one["steps"])
    table(("step", "job", "region", "state", "message"), rows)
