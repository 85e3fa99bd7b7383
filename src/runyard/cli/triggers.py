"""`runyard triggers`: what asks for runs by itself; paused, resumed, fired, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from runyard.cli import output
from runyard.cli.client import Client, segment
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, complete_jobs
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local
from runyard.flow.trigger_graph import mermaid
from runyard.flow.trigger_words import says
from runyard.model.errors import Fault, InvalidSpec, NotFound

PAGE_SIZE_MAX = 1000
triggers = App(
    name="triggers",
    help="List what asks for runs by itself; pause, resume and fire it.",
    group_commands="Commands",
)
triggers.command("runyard.cli.trigger_backfill:backfill", name="backfill")
triggers.command("runyard.cli.trigger_backfill:cancel_backfill", name="cancel-backfill")
Job = Annotated[str, Parameter(name="JOB", help="The job's name.", completer=complete_jobs)]
Trigger = Annotated[
    str | None, Parameter(name="TRIGGER", help="The trigger's name; not needed if it is the only.")
]
Environment = Annotated[str | None, Parameter(help="The job's environment.")]
Project = Annotated[str | None, Parameter(help="The job's project, where several have it.")]
Why = Annotated[str, Parameter(help="Why; kept with the trigger.")]


@triggers.default
@triggers.command(name="list")
def list_triggers(
    *,
    job: Annotated[
        str | None, Parameter(help="Only those of this job.", completer=complete_jobs)
    ] = None,
    environment: Environment = None,
    limit: Annotated[int, Parameter(show_default=True, help="At most so many.")] = 100,
    json_: AsJson = False,
) -> None:
    """List triggers by job and name, with what they do next."""
    size = max(1, min(limit, PAGE_SIZE_MAX))
    query = {"environment": environment, "job": job, "page_size": size}
    page = connect().get("/triggers", query)
    if json_:
        output.document(page)
        return
    at = now()
    table(
        ("job", "trigger", "when", "state", "next", "last", "why"),
        (
            (
                one["job"],
                one["name"],
                words(one),
                one["state"],
                local(_next(one), at),
                local(one["last_instant"], at),
                _why(one),
            )
            for one in page["triggers"]
        ),
        empty="no triggers; `triggers:` of a job in a manifest makes some",
    )


@triggers.command
def get(
    job: Job,
    trigger: Trigger = None,
    /,
    *,
    environment: Environment = None,
    project: Project = None,
    json_: AsJson = False,
) -> None:
    """Show one trigger."""
    client = connect()
    one = client.get(*place_of(client, job, trigger, environment, project))
    if json_:
        output.document(one)
    else:
        show(one)


@triggers.command
def graph(
    *,
    environment: Environment = None,
    project: Annotated[str | None, Parameter(help="Only of this project.")] = None,
    format_: Annotated[
        Literal["mermaid", "json"], Parameter(name="--format", help="mermaid or json.")
    ] = "mermaid",
    json_: AsJson = False,
) -> None:
    """Show what starts what: schedules, topics, webhooks, and jobs after jobs."""
    found = connect().get("/triggers/graph", {"environment": environment, "project": project})
    if json_ or format_ == "json":
        output.document(found)
    else:
        output.line(mermaid(found["nodes"], found["edges"]))


@triggers.command
def history(
    job: Job,
    trigger: Trigger = None,
    /,
    *,
    environment: Environment = None,
    project: Project = None,
    limit: Annotated[int, Parameter(show_default=True, help="At most so many.")] = 20,
    json_: AsJson = False,
) -> None:
    """List what became of each instant: its runs, or why there is none. Latest first."""
    client = connect()
    path, query = place_of(client, job, trigger, environment, project)
    size = max(1, min(limit, PAGE_SIZE_MAX))
    page = client.get(f"{path}/instants", query | {"page_size": size})
    if json_:
        output.document(page)
        return
    at = now()
    table(
        ("instant", "until", "fate", "run", "reason", "by"),
        (
            (
                local(one["at"], at),
                local(one["last_at"], at) + f" ({one['count']} of them)"
                if one["count"] > 1
                else "",
                one["fate"],
                ", ".join(one["runs"]),
                one["reason"],
                one["origin"] or "the clock",
            )
            for one in page["instants"]
        ),
        empty="no instant has come yet",
    )


@triggers.command
def pause(
    job: Job,
    trigger: Trigger = None,
    /,
    *,
    reason: Why = "",
    environment: Environment = None,
    project: Project = None,
    json_: AsJson = False,
) -> None:
    """Keep a trigger from asking for runs until it is resumed."""
    _say("pause", (job, trigger, environment, project), reason, json_)


@triggers.command
def resume(
    job: Job,
    trigger: Trigger = None,
    /,
    *,
    environment: Environment = None,
    project: Project = None,
    json_: AsJson = False,
) -> None:
    """Have a paused trigger ask for runs again, from now on."""
    _say("resume", (job, trigger, environment, project), "", json_)


@triggers.command
def fire(
    job: Job,
    trigger: Trigger = None,
    /,
    *,
    environment: Environment = None,
    project: Project = None,
    json_: AsJson = False,
) -> None:
    """Have a schedule ask for a run now, with all that it asks its runs with."""
    client = connect()
    path, query = place_of(client, job, trigger, environment, project)
    done = client.post(f"{path}:fire", {}, query=query)
    if json_:
        output.document(done)
    else:
        output.line(" ".join(done["runs"]))


def _say(
    verb: str, which: tuple[str, str | None, str | None, str | None], reason: str, as_json: bool
) -> None:
    client = connect()
    path, query = place_of(client, *which)
    one = client.post(f"{path}:{verb}", {"reason": reason} if reason else {}, query=query)
    if as_json:
        output.document(one)
    else:
        when = f", next {local(one['next_at'], now())}" if one["next_at"] else ""
        output.line(f"{one['job']}/{one['name']} is {one['state']}{when}")


def place_of(
    client: Client, job: str, trigger: str | None, environment: str | None, project: str | None
) -> tuple[str, dict[str, str | None]]:
    """Where the trigger is, and the query that goes with it. The only trigger of a job need not
    be named."""
    query = {"environment": environment, "project": project}
    name = trigger or _only(client, job, environment, project)
    return f"/jobs/{segment(job)}/triggers/{segment(name)}", query


def _only(client: Client, job: str, environment: str | None, project: str | None) -> str:
    found = client.get("/triggers", {"environment": environment, "job": job})["triggers"]
    names = [one["name"] for one in found if project in (None, one["project"])]
    if not names:
        raise NotFound(f"job {job} has no triggers", hint="`runyard triggers` lists all there are")
    if len(names) > 1:
        fault = Fault("TRIGGER", "", f"one of {', '.join(names)}")
        raise InvalidSpec(f"job {job} has several triggers; name one", faults=(fault,))
    return str(names[0])


def words(one: Mapping[str, Any]) -> str:
    """When a trigger asks for runs, for a person."""
    spec = one["spec"]
    if one["kind"] != "schedule":
        return says(spec)
    zone = spec.get("timeZone", "UTC")
    return f"{spec['schedule']} {zone}"


def _next(one: Mapping[str, Any]) -> str | None:
    """When it does something next. An absence that waits for an event is not looked at by time
    alone, and yet has to hear of one by an instant."""
    waits = one["kind"] == "absence" and one["state"] == "enabled"
    found: str | None = one["next_at"] or (one["next_instant"] if waits else None)
    return found


def _why(one: Mapping[str, Any]) -> str:
    by = f"by {one['said_by']}" if one["said_by"] else ""
    return ": ".join(part for part in (by, one["reason"]) if part)


def show(one: Mapping[str, Any]) -> None:
    """One trigger, for a person."""
    at = now()
    output.pairs(
        (
            ("trigger", one["name"]),
            ("job", f"{one['job']}, project {one['project']}, environment {one['environment']}"),
            ("when", words(one)),
            ("state", one["state"]),
            ("why", _why(one)),
            ("next", local(_next(one), at)),
            ("next instant", local(one["next_instant"], at)),
            ("last instant", local(one["last_instant"], at)),
            ("dead in a row", one["failures"] or ""),
            ("since", local(one["since"], at)),
        )
    )
    rows = [(key, value) for key, value in one["spec"].items() if key not in ("name", "schedule")]
    output.line()
    table(("policy", "value"), ((key, _shown(value)) for key, value in rows))


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_shown(each)}" for key, each in value.items())
    if isinstance(value, list):
        return "; ".join(map(_shown, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
