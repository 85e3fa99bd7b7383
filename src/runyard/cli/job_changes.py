"""`runyard jobs rollback`, `accept`, `delete`, `undelete`: changes of jobs that are no manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli import changing, output
from runyard.cli.client import Client, segment
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, InEnvironment, JobName, Reason, RunRef, Yes
from runyard.cli.run_ref import path, run_id
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local

Project = Annotated[
    str | None, Parameter(help="Needed only where several projects have a job of this name.")
]


def rollback(
    name: JobName,
    /,
    *,
    to: Annotated[
        int | None, Parameter(help="The revision; else the one before that which is in force.")
    ] = None,
    environment: InEnvironment = None,
    project: Project = None,
    reason: Reason = "",
    yes: Yes = False,
    json_: AsJson = False,
) -> None:
    """Bring an older revision of a job into force again.

    It becomes a new revision, so that the history goes on growing.
    """
    client = connect()
    asked = _body(environment, project, reason, yes) | ({} if to is None else {"to": to})
    answer = client.post(f"/jobs/{segment(name)}:rollback", asked)
    _finish(client, answer, yes, json_)


def accept(
    ref: Annotated[RunRef, Parameter(name="RUN")],
    /,
    *,
    reason: Reason = "",
    yes: Yes = False,
    json_: AsJson = False,
) -> None:
    """Make what a run came back with its job's own.

    A run that succeeded with a longer timeout or more memory, by `recovery`, offers that; it
    becomes a new revision. The next apply of a manifest that says otherwise takes it back.
    """
    client = connect()
    place = path(run_id(client, ref))
    if not json_:
        for offer in client.get(place)["offers"]:
            output.line(f"set {offer['path']} to {offer['value']}")
    body = _body(None, None, reason, yes)
    _finish(client, client.post(f"{place}:accept", body), yes, json_)


def delete(
    name: JobName,
    /,
    *,
    environment: InEnvironment = None,
    project: Project = None,
    force: Annotated[
        bool, Parameter(help="Stop its runs first, instead of refusing; needs --reason.")
    ] = False,
    cascade: Annotated[bool, Parameter(help="Delete what depends on it, too.")] = False,
    reason: Reason = "",
    json_: AsJson = False,
) -> None:
    """Delete a job, and all that was made for it.

    Refused while runs of it are active or anything depends on it. `runyard jobs undelete` has it
    back for a while.
    """
    query = {
        "environment": environment,
        "project": project,
        "force": "true" if force else None,
        "cascade": "true" if cascade else None,
        "reason": reason,
        "wait_seconds": "0",
    }
    client = connect()
    answer = client.delete(f"/jobs/{segment(name)}", query)
    _finish(client, answer, yes=False, as_json=json_)


def undelete(
    name: JobName,
    /,
    *,
    environment: InEnvironment = None,
    project: Project = None,
    reason: Reason = "",
    yes: Yes = False,
    json_: AsJson = False,
) -> None:
    """Have a deleted job back, as it was in force last."""
    client = connect()
    asked = _body(environment, project, reason, yes)
    _finish(client, client.post(f"/jobs/{segment(name)}:undelete", asked), yes, json_)


def deleted(*, environment: InEnvironment = None, json_: AsJson = False) -> None:
    """List the deleted jobs that can be had back."""
    found = connect().get("/deleted-jobs", {"environment": environment})
    if json_:
        output.document(found)
        return
    at = now()
    table(
        ("job", "project", "revision", "deleted", "by", "until"),
        (
            (
                job["name"],
                job["project"],
                job["revision"],
                local(job["deleted_at"], at),
                job["deleted_by"],
                local(job["purge_at"], at),
            )
            for job in found["jobs"]
        ),
        empty="no deleted jobs",
    )


def _body(environment: str | None, project: str | None, reason: str, yes: bool) -> dict[str, Any]:
    given = {"environment": environment, "project": project, "reason": reason, "confirm": yes}
    return {name: value for name, value in given.items() if value} | {"wait_seconds": 0}


def _finish(client: Client, answer: Mapping[str, Any], yes: bool, as_json: bool) -> None:
    operation = changing.carried_through(client, answer["operation"], yes=yes)
    if as_json:
        output.document({"operation": operation})
    elif operation is None:
        output.line("nothing to do: everything is so already")
    else:
        for line in summary(operation):
            output.line(line)


def summary(operation: Mapping[str, Any]) -> list[str]:
    """What an operation came to, a line for each job and each thing that was removed."""
    lines = [
        f"{job['name']} {job['change']}, revision {job['revision']}" for job in operation["jobs"]
    ]
    lines += [
        f"removed {what['kind']} {what['name']}"
        for step in operation["steps"]
        if step["kind"] in ("remove", "unbind", "retire")
        for what in step["touched"]
    ]
    return [output.printable(line) for line in lines]
