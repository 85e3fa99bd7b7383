"""`runyard runs`: the list, one run, waiting for one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from runyard.cli import output, run_lines
from runyard.cli.connect import connect
from runyard.cli.parameters import (
    AsJson,
    Filter,
    Labels,
    RunRef,
    complete_jobs,
    instant,
    remembered,
)
from runyard.cli.run_ref import path, run_id
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local
from runyard.model.errors import Fault, InvalidSpec

_PAGE_SIZE_MAX = 1000
#: `model.run.State`, spelled out for the type checker; a test compares them.
StateName = Literal[
    "queued",
    "launching",
    "running",
    "backing_off",
    "awaiting_network",
    "awaiting_capacity",
    "awaiting_permission",
    "awaiting_fix",
    "stopping",
    "succeeded",
    "dead",
    "cancelled",
    "skipped",
]

runs = App(name="runs", help="List runs, show one, or wait for one.", group_commands="Commands")


@runs.default
def list_runs(
    *,
    state: Annotated[
        list[StateName] | None,
        Parameter(help="Only in this state; may be repeated."),
    ] = None,
    job: Annotated[str | None, Parameter(help="Only of this job.", completer=complete_jobs)] = None,
    region: Annotated[str | None, Parameter(help="Only in this region.")] = None,
    label: Labels = None,
    since: Annotated[
        str | None, Parameter(help="Asked for after: 30m, 2h, 7d ago, or an RFC 3339 instant.")
    ] = None,
    until: Annotated[str | None, Parameter(help="Asked for before; as --since.")] = None,
    filter_: Filter = None,
    sort: Annotated[
        str | None,
        Parameter(
            allow_leading_hyphen=True,
            help="requested_at, started_at, ended_at, duration, cost, job or state; "
            "-cost: downwards.",
        ),
    ] = None,
    limit: Annotated[int, Parameter(show_default=True, help="At most so many.")] = 50,
    all_: Annotated[bool, Parameter(name="--all", help="Without a limit.")] = False,
    json_: AsJson = False,
) -> None:
    """List runs, newest first."""
    if limit < 1:
        raise InvalidSpec("--limit", faults=(Fault("--limit", str(limit), "1 or more"),))
    query: dict[str, Any] = {
        "state": state,
        "job": job,
        "region": region,
        "label": label,
        "since": instant("--since", since),
        "until": instant("--until", until),
        "filter": remembered(filter_),
        "sort": sort,
    }
    page = _pages(query, None if all_ else limit)
    if json_:
        output.document(page)
        return
    at = now()
    rows = (run_lines.row(run, at) for run in page["runs"])
    table(run_lines.HEADINGS, rows, empty="no runs; start one with `runyard run JOB`")
    if page["next_page_token"]:
        output.note("there are more: --limit N or --all")


@runs.command
def get(ref: Annotated[RunRef, Parameter(name="RUN")], /, *, json_: AsJson = False) -> None:
    """Show one run with its attempts."""
    client = connect()
    run = client.get(path(run_id(client, ref)))
    if json_:
        output.document(run)
        return
    at = now()
    output.pairs(run_lines.page(run, at))
    for line in run_lines.failures(run):
        output.line(line)
    if run["attempts"]:
        output.line()
        table(
            ("attempt", "started", "ended", "ending", "message", "handle"),
            (_attempt(attempt, at) for attempt in run["attempts"]),
        )


# A module of its own: following a run takes imports that a list need not wait for.
runs.command("runyard.cli.runs_wait:wait_for", name="wait")
runs.command("runyard.cli.runs_bundle:bundle", name="bundle")


def _attempt(attempt: dict[str, Any], at: Any) -> tuple[str, ...]:
    outcome = attempt["outcome"] or {}
    return (
        str(attempt["number"]),
        local(attempt["started_at"], at),
        local(attempt["ended_at"], at),
        outcome.get("ending", ""),
        outcome.get("message", ""),
        attempt["handle"],
    )


def _pages(query: dict[str, Any], limit: int | None) -> dict[str, Any]:
    client, token = connect(), ""
    found: list[dict[str, Any]] = []
    while True:
        rest = _PAGE_SIZE_MAX if limit is None else min(_PAGE_SIZE_MAX, limit - len(found))
        page = client.get("/runs", query | {"page_size": rest, "page_token": token})
        found += page["runs"]
        token = page["next_page_token"]
        if not token or (limit is not None and len(found) >= limit):
            return {"runs": found, "next_page_token": token}
