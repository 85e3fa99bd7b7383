"""`runyard jobs`: the jobs in force."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from runyard.cli import output
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, Filter, Labels, remembered
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local

_PAGE_SIZE = 1000

jobs = App(name="jobs", help="List jobs, or show one.", group_commands="Commands")
# A module of its own: showing a spec as YAML costs an import that listing need not wait for.
jobs.command("runyard.cli.job:get", name="get")
jobs.command("runyard.cli.job_changes:rollback", name="rollback")
jobs.command("runyard.cli.job_changes:accept", name="accept")
jobs.command("runyard.cli.job_changes:delete", name="delete")
jobs.command("runyard.cli.job_changes:undelete", name="undelete")
jobs.command("runyard.cli.job_changes:deleted", name="deleted")
jobs.command("runyard.cli.job_history:history", name="history")
jobs.command("runyard.cli.job_history:diff", name="diff")


@jobs.default
def list_jobs(
    *,
    environment: Annotated[str | None, Parameter(help="Only in this environment.")] = None,
    label: Labels = None,
    filter_: Filter = None,
    sort: Annotated[
        str | None,
        Parameter(
            allow_leading_hyphen=True,
            help="name, revision, priority, applied_at or applied_by; -revision: downwards.",
        ),
    ] = None,
    json_: AsJson = False,
) -> None:
    """List jobs, by name."""
    asked = {"environment": environment, "label": label, "sort": sort}
    found = _pages(asked | {"filter": remembered(filter_)})
    if json_:
        output.document({"jobs": found, "next_page_token": ""})
        return
    at = now()
    table(
        ("job", "environment", "revision", "regions", "placement", "launches max", "applied"),
        (
            (
                job["name"],
                job["environment"],
                job["revision"],
                ", ".join(job["regions"]),
                job["placement"],
                job["launches_max"],
                local(job["applied_at"], at),
            )
            for job in found
        ),
        empty="no jobs; bring some into force with `runyard apply`",
    )


def _pages(query: dict[str, Any]) -> list[dict[str, Any]]:
    client, found, token = connect(), [], ""
    while True:
        page = client.get("/jobs", query | {"page_size": _PAGE_SIZE, "page_token": token})
        found += page["jobs"]
        token = page["next_page_token"]
        if not token:
            return found
