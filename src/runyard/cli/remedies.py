"""`runyard incidents replay`, `rollback`, `pause`, `raise-memory`: doing something about one."""

from __future__ import annotations

import os
from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli import changing, output
from runyard.cli.client import Client
from runyard.cli.connect import connect
from runyard.cli.incident_refs import IncidentRef, path_of
from runyard.cli.job_changes import summary
from runyard.cli.parameters import AsJson, Reason, Yes

Document = dict[str, Any]


def replay(
    incident: IncidentRef,
    /,
    *,
    run: Annotated[
        str | None, Parameter(help="Only this dead run of it, by its whole id; else all.")
    ] = None,
    all_at_once: Annotated[
        bool,
        Parameter(help="Do not wait for the first to succeed before the others are asked for."),
    ] = False,
    per_minute: Annotated[int | None, Parameter(help="So many a minute; else 60.")] = None,
    reason: Reason = "",
    json_: AsJson = False,
) -> None:
    """Have its dead runs replayed on the job as it is now: the first, then the others."""
    body = {"run": run, "per_minute": per_minute, "reason": reason}
    body |= {"verify_first": False} if all_at_once else {}
    done = _asked(connect(), incident, "replay", body)
    if json_:
        output.document(done)
        return
    _say(done)
    output.note(f"{done['remedy']['replay']} goes on by itself")


def rollback(
    incident: IncidentRef,
    /,
    *,
    to: Annotated[
        int | None, Parameter(help="The revision; else the one that succeeded last.")
    ] = None,
    reason: Reason = "",
    yes: Yes = False,
    json_: AsJson = False,
) -> None:
    """Bring an older revision of its job into force again."""
    change(incident, "rollback", {"to": to, "reason": reason}, yes, json_)


def raise_memory(
    incident: IncidentRef,
    /,
    *,
    to: Annotated[
        str | None,
        Parameter(help="Of a task, such as 2Gi; else what a run came back with, or the next size."),
    ] = None,
    reason: Reason = "",
    yes: Yes = False,
    json_: AsJson = False,
) -> None:
    """Give the tasks of its job more memory, with the CPUs that so much needs."""
    change(incident, "raise-memory", {"to": to, "reason": reason}, yes, json_)


def pause(
    incident: IncidentRef,
    /,
    *,
    trigger: Annotated[
        str | None, Parameter(help="This trigger of its job; else each of its schedules.")
    ] = None,
    reason: Reason = "",
    json_: AsJson = False,
) -> None:
    """Keep the schedules of its job from asking for runs, until you resume them."""
    done = _asked(connect(), incident, "pause", {"trigger": trigger, "reason": reason})
    if json_:
        output.document(done)
        return
    _say(done)
    job = done["incident"]["job"]
    for name in done["remedy"]["triggers"] if done["remedy"] else ():
        output.note(f"go on with `runyard triggers resume {job} {name}`")


def change(incident: str, verb: str, body: Document, yes: bool, as_json: bool) -> None:
    """Have the job of an incident changed, and follow that to its end."""
    client = connect()
    done = _asked(client, incident, verb, body | {"confirm": yes})
    operation = changing.carried_through(client, done["operation"], yes=yes)
    if as_json:
        output.document(done | {"operation": operation})
        return
    _say(done)
    if operation is not None:
        for line in summary(operation):
            output.line(line)
        output.note("the next apply of a manifest that says otherwise takes it back")


def _asked(client: Client, incident: str, verb: str, body: Document) -> Document:
    """The key is ours: then a request whose answer was lost can be repeated safely."""
    given = {name: value for name, value in body.items() if value not in (None, "")}
    given |= {"wait_seconds": 0} if "confirm" in body else {}
    key = {"idempotency_key": f"cli-{os.urandom(16).hex()}"}
    done: Document = client.post(f"{path_of(incident)}:{verb}", given | key, again=True)
    return done


def _say(done: Document) -> None:
    remedy = done["remedy"]
    output.line(remedy["what"] if remedy else "nothing to do: everything is so already")
