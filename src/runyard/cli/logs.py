"""`runyard logs`: what a run's tasks wrote."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from cyclopts import App, Parameter

from runyard.cli import follow, output
from runyard.cli.client import Client
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, RunRef
from runyard.cli.run_lines import is_ours, prefix
from runyard.cli.run_ref import path, run_id
from runyard.cli.surroundings import pause

_PAGE = 1000
#: The lines of a run at Google come late: so long, in seconds, they are waited for once it has
#: ended, and so often the log is asked whether it is told to its end.
_LATE_SECONDS, _AGAIN_SECONDS = 60.0, 1.0
Document = dict[str, Any]


logs = App(
    name="logs",
    help="Print a run's log, follow it, search all logs, or show what errors there are.",
)
# A module of its own: reading one log need not wait for it.
logs.command("runyard.cli.log_search:search", name="search")
logs.command("runyard.cli.log_patterns:patterns", name="patterns")


@logs.default
def of_run(
    ref: Annotated[RunRef, Parameter(name="RUN")],
    /,
    *,
    follow_: Annotated[
        bool,
        Parameter(name=["--follow", "-f"], help="Go on until the run has ended."),
    ] = False,
    task: Annotated[int | None, Parameter(help="Only of the task with this index.")] = None,
    attempt: Annotated[
        int | None, Parameter(help="Of this attempt of the run (1 is the first); else the last.")
    ] = None,
    json_: AsJson = False,
) -> None:
    """Print a run's log, or follow it.

    Each line has its task's index in front. What the platform adds goes to stderr. `--json` prints
    a JSON line for every entry of both.
    """
    client = connect()
    identity = run_id(client, ref)
    if follow_:
        entries = _followed(identity, task, attempt)
    else:
        entries = _stored(client, identity, task, attempt)
    for entry in entries:
        if json_:
            output.json_line(entry)
        elif is_ours(entry):
            output.note(f"{prefix(entry)} note: {entry['text']}")
        else:
            output.line(f"{prefix(entry)} {entry['text']}", at_once=follow_)


def _stored(
    client: Client, identity: str, task: int | None, attempt: int | None
) -> Iterator[Document]:
    after, waited = 0, 0.0
    while True:
        query = {"attempt": attempt, "task": task, "after": after, "limit": _PAGE}
        page = client.get(f"{path(identity)}/log", query)
        yield from page["entries"]
        if page["entries"] and page["after"] != after:
            after, attempt = page["after"], page["attempt"]
            continue
        if page["ended"] or client.get(path(identity))["ended_at"] is None:
            return
        if waited >= _LATE_SECONDS:
            output.note("the log may go on: ask again later")
            return
        if not waited:
            output.note("the run has ended; its last lines may still come")
        pause(_AGAIN_SECONDS)
        waited += _AGAIN_SECONDS


def _followed(identity: str, task: int | None, attempt: int | None) -> Iterator[Document]:
    for event in follow.events(connect, identity, pause):
        if event.kind == follow.RECONNECTING:
            output.note("connection lost, trying again")
        if event.kind != "log" or task not in (None, event.data["task"]):
            continue
        if attempt in (None, follow.attempt_of(event.data)):
            yield event.data
