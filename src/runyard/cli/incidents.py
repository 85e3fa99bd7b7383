"""`runyard incidents`: what people are told of, who has it, and how it went."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from runyard.cli import output
from runyard.cli.alerts import Environment, Limit, OfJob
from runyard.cli.connect import connect
from runyard.cli.incident_refs import IncidentRef, path_of
from runyard.cli.parameters import AsJson, complete_principals
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local, span

Document = dict[str, Any]
incidents = App(
    name="incidents",
    help="List incidents, show one, say that you have it, do something about it, end it.",
    group_commands="Commands",
)
incidents.command("runyard.cli.incident_summary:summary", name="summary")
incidents.command("runyard.cli.watch_changes:suggest", name="suggest")
incidents.command("runyard.cli.remedies:replay", name="replay")
incidents.command("runyard.cli.remedies:rollback", name="rollback")
incidents.command("runyard.cli.remedies:pause", name="pause")
incidents.command("runyard.cli.remedies:raise_memory", name="raise-memory")


@incidents.default
@incidents.command(name="list")
def list_incidents(
    *,
    job: OfJob = None,
    every: Annotated[bool, Parameter(name="--all", help="Also those that are resolved.")] = False,
    environment: Environment = None,
    limit: Limit = 50,
    json_: AsJson = False,
) -> None:
    """List incidents that are not resolved, newest first."""
    query = {
        "environment": environment,
        "job": job,
        "open": None if every else "true",
        "page_size": limit,
    }
    found = connect().get("/incidents", query)
    if json_:
        output.document(found)
        return
    at = now()
    table(
        ("incident", "state", "severity", "opened", "whose", "title"),
        (
            (
                one["id"],
                one["state"],
                one["severity"],
                local(one["opened_at"], at),
                one["assignee"],
                one["title"],
            )
            for one in found["incidents"]
        ),
        empty="no incidents",
    )


@incidents.command
def show(incident: IncidentRef, /, *, json_: AsJson = False) -> None:
    """Show an incident with its timeline: what joined it, who did what, who was told."""
    path = path_of(incident)
    one, timeline = connect().get(path), connect().get(f"{path}/timeline")
    remedies = connect().get(f"{path}/remedies")["actions"]
    if json_:
        output.document(one | {"timeline": timeline["events"], "remedies": remedies})
        return
    _show(one)
    at = now()
    output.line("")
    table(
        ("at", "what", ""),
        ((local(event["at"], at), event["kind"], _words(event)) for event in timeline["events"]),
    )
    sensible = [each for each in remedies if each["suggested"]]
    if sensible:
        output.line("")
        table(
            ("it would make sense to", "because"),
            ((_command(one["id"], each), each["reason"]) for each in sensible),
        )


@incidents.command
def ack(
    incident: IncidentRef,
    /,
    *,
    note: Annotated[str, Parameter(help="A word on it; everybody is told.")] = "",
    json_: AsJson = False,
) -> None:
    """Say that you have it: nothing escalates any more."""
    _do(incident, "acknowledge", {"note": note}, json_)


@incidents.command
def assign(
    incident: IncidentRef,
    to: Annotated[
        str | None,
        Parameter(name="TO", help="Whose it is; else nobody's.", completer=complete_principals),
    ] = None,
    /,
    *,
    json_: AsJson = False,
) -> None:
    """Say whose it is."""
    _do(incident, "assign", {} if to is None else {"to": to}, json_)


@incidents.command
def note(
    incident: IncidentRef,
    text: Annotated[str, Parameter(name="TEXT", help="What to write down.")],
    /,
    *,
    json_: AsJson = False,
) -> None:
    """Write something into its timeline, also when it is over."""
    _do(incident, "note", {"text": text}, json_)


@incidents.command
def resolve(
    incident: IncidentRef,
    /,
    *,
    reason: Annotated[str, Parameter(help="What it was; everybody is told.")] = "",
    json_: AsJson = False,
) -> None:
    """Say that it is over, with all its alerts. What is wrong again is a new incident."""
    _do(incident, "resolve", {"reason": reason}, json_)
    if not json_:
        output.note(f"`runyard incidents suggest {incident}` says what it says of the watch")


def _do(incident: str, verb: str, body: Document, as_json: bool) -> None:
    done = connect().post(f"{path_of(incident)}:{verb}", body)
    if as_json:
        output.document(done)
        return
    whose = f", {done['assignee']}'s" if done["assignee"] else ""
    output.line(f"{done['id']} is {done['state']}{whose}: {done['title']}")


def _show(one: Document) -> None:
    at = now()
    taken = f"{local(one['acknowledged_at'], at)} by {one['acknowledged_by']}"
    taken += f", after {span(one['seconds_to_acknowledge'] or 0)}"
    lasted = span(one["seconds_to_resolve"] or 0)
    over = f"{local(one['resolved_at'], at)}, after {lasted}," if one["resolved_at"] else ""
    by = f" by {one['resolved_by']}" if one["resolved_by"] else " by itself"
    waiting = ", ".join(f"{name}: {count}" for name, count in one["waiting"].items())
    output.pairs(
        (
            ("incident", one["id"]),
            ("title", one["title"]),
            ("state", one["state"]),
            ("severity", one["severity"]),
            ("environment", one["environment"]),
            ("job", one["job"]),
            ("opened", local(one["opened_at"], at)),
            ("acknowledged", taken if one["acknowledged_at"] else ""),
            ("whose", one["assignee"]),
            ("escalates", local(one["escalates_at"], at) if one["escalates_at"] else ""),
            ("resolved", f"{over}{by}: {one['reason']}".rstrip(": ") if over else ""),
            ("runbook", one["runbook"]),
            ("told", ", ".join(one["told"])),
            ("to be told", waiting),
            ("before it", one["previous"]),
        )
    )


def _words(event: Document) -> str:
    data = event["data"] | {"to": _names(event["data"].get("to", ""))}
    run = f" ({data['run']})" if data.get("run") else ""
    return _FORMS[event["kind"]].format(**data | {"shown_run": run}).rstrip(": ")


def _command(incident: str, suggestion: Document) -> str:
    verb = suggestion["action"].replace("_", "-")
    return f"runyard incidents {verb} {incident}"


def _names(to: str | list[str]) -> str:
    return (to if isinstance(to, str) else ", ".join(to)) or "nobody"


_FORMS = {
    "joined": "{severity}: {title}{shown_run}",
    "left": "{reason}",
    "acknowledged": "{by}: {note}",
    "assigned": "{by}: to {to}",
    "noted": "{by}: {text}",
    "remedied": "{by}: {what}: {reason}",
    "escalated": "step {step}: {to}",
    "resolved": "{by}: {reason}",
    "told": "{channel} of {number}",
    "not_told": "{channel} of {number}: {error}",
}
