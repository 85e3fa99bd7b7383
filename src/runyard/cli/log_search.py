"""`runyard logs search`: lines of all logs."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.connect import connect
from runyard.cli.output import printable
from runyard.cli.parameters import AsJson, RunRef, complete_jobs, span
from runyard.cli.run_ref import run_id
from runyard.cli.surroundings import now
from runyard.cli.times import local


def search(
    text: Annotated[str, Parameter(help="What the line contains.")] = "",
    /,
    *,
    regex: Annotated[
        str | None,
        Parameter(allow_leading_hyphen=True, help="A regular expression found in the line."),
    ] = None,
    job: Annotated[str | None, Parameter(help="Only of this job.", completer=complete_jobs)] = None,
    run: RunRef | None = None,
    task: Annotated[int | None, Parameter(help="Only of tasks with this index.")] = None,
    severity: Annotated[
        str | None, Parameter(help="At least so bad: INFO, WARNING, ERROR, CRITICAL ...")
    ] = None,
    field: Annotated[
        list[str] | None,
        Parameter(help="PATH=VALUE in structured lines, such as user.name=ada; may be repeated."),
    ] = None,
    since: Annotated[str | None, Parameter(help="How far back: 30m, 24h, 7d, 4w.")] = None,
    environment: Annotated[str | None, Parameter(help="Only in this environment.")] = None,
    limit: Annotated[int, Parameter(show_default=True, help="At most so many, the newest.")] = 100,
    json_: AsJson = False,
) -> None:
    """Search the logs of all runs, and print the newest lines that are found, oldest first.

    Plain text is found in millions of lines in about a second; so is an expression that has a
    piece of plain text in it. Of logs at Google the newest 5,000 lines that may be wanted are read.
    `--json` prints a JSON line for every entry.
    """
    client = connect()
    query: dict[str, Any] = {
        "text": text,
        "regex": regex,
        "job": job,
        "run": None if run is None else run_id(client, run),
        "task": task,
        "severity": None if severity is None else severity.upper(),
        "field": field,
        "since": None if since is None else (now() - span("--since", since)).isoformat(),
        "environment": environment,
        "limit": limit,
    }
    _print(client.get("/logs:search", query), as_json=json_)


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    for entry in found["entries"]:
        if as_json:
            output.json_line(entry)
        else:
            output.line(_shown(entry))
    if not found["complete"]:
        output.note("not all logs were searched: narrow it down (--job, --since, --run)")
    for why in found.get("unsearched", ()):
        output.note(f"not searched: {printable(why)}")


def _shown(entry: dict[str, Any]) -> str:
    where = f"{entry['job']} {entry['run']}/{entry['run_attempt']} [{entry['task']}]"
    return f"{local(entry['at'], now())} {where} {printable(entry['text'])}"
