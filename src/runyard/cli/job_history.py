"""`runyard jobs history` and `diff`: what a job was, and what has changed in it."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli import output, plan_lines
from runyard.cli.client import segment
from runyard.cli.connect import connect
from runyard.cli.output import printable
from runyard.cli.parameters import AsJson, JobName, Project
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local

_PAGE_SIZE = 200
_SHOWN_MAX = 3  #: changed fields that a row names
Environment = Annotated[str | None, Parameter(help="The job's environment.")]


def history(
    name: JobName,
    /,
    *,
    environment: Environment = None,
    project: Project = None,
    limit: Annotated[int, Parameter(show_default=True, help="At most so many.")] = 50,
    json_: AsJson = False,
) -> None:
    """List a job's revisions, newest first, with the fields that changed in each."""
    found = _pages(name, {"environment": environment, "project": project}, limit)
    if json_:
        output.document(found)
        return
    at = now()
    table(
        ("revision", "applied", "by", "changed"),
        (
            (
                one["revision"],
                local(one["applied_at"], at),
                one["applied_by"],
                _changed(one["changed"]),
            )
            for one in found["revisions"]
        ),
    )
    if found["next_page_token"]:
        output.note("there are more: --limit N")


def diff(
    name: JobName,
    since: Annotated[
        int | None, Parameter(name="A", help="A revision; else the one before B.")
    ] = None,
    to: Annotated[int | None, Parameter(name="B", help="Another; else the newest.")] = None,
    /,
    *,
    environment: Environment = None,
    project: Project = None,
    json_: AsJson = False,
) -> None:
    """Show what differs between two revisions of a job. `!` marks what was unsafe to change."""
    query = {"environment": environment, "project": project, "since": since, "to": to}
    found = connect().get(f"/jobs/{segment(name)}/revisions:diff", query)
    if json_:
        output.document(found)
        return
    output.line(f"{name}, revision {found['since']} -> {found['to']}")
    risks = [f"! {one['path']}: {one['unsafe']}" for one in found["fields"] if one["unsafe"]]
    plan_lines.lines([*plan_lines.changed(found["fields"]), *map(printable, risks)])
    if not found["fields"]:
        output.line("nothing differs")


def _pages(name: str, query: dict[str, Any], limit: int) -> dict[str, Any]:
    client, token = connect(), ""
    found: list[dict[str, Any]] = []
    while True:
        rest = max(1, min(_PAGE_SIZE, limit - len(found)))
        page = client.get(
            f"/jobs/{segment(name)}/revisions", query | {"page_size": rest, "page_token": token}
        )
        found += page["revisions"]
        token = page["next_page_token"]
        if not token or len(found) >= limit:
            return {"revisions": found, "next_page_token": token}


def _changed(paths: list[str]) -> str:
    short = [path.removeprefix("template.template.") for path in paths[:_SHOWN_MAX]]
    more = f" and {len(paths) - _SHOWN_MAX} more" if len(paths) > _SHOWN_MAX else ""
    return ", ".join(short) + more
