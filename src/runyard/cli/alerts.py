"""`runyard alerts`: what is wrong now, of what nobody is told, and whether channels work."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from runyard.cli import output
from runyard.cli.client import segment
from runyard.cli.connect import connect
from runyard.cli.parameters import (
    AsJson,
    InEnvironment,
    JobName,
    Project,
    complete_jobs,
    span,
)
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local
from runyard.cli.times import span as lasting

Document = dict[str, Any]
Environment = Annotated[str | None, Parameter(help="Of this environment; else the server's.")]
OfJob = Annotated[str | None, Parameter(help="Only of this job.", completer=complete_jobs)]
Limit = Annotated[int, Parameter(show_default=True, help="At most so many.")]

alerts = App(
    name="alerts",
    help="List what is wrong, silence it, and try the channels by which people are told.",
    group_commands="Commands",
)


@alerts.default
@alerts.command(name="list")
def list_alerts(
    *,
    job: OfJob = None,
    every: Annotated[bool, Parameter(name="--all", help="Also those that are resolved.")] = False,
    environment: Environment = None,
    limit: Limit = 50,
    json_: AsJson = False,
) -> None:
    """List alerts that are not resolved, newest first."""
    query = {
        "environment": environment,
        "job": job,
        "open": None if every else "true",
        "page_size": limit,
    }
    found = connect().get("/alerts", query)
    if json_:
        output.document(found)
        return
    at = now()
    table(
        ("rule", "job", "state", "severity", "seen", "since", "last", "title"),
        (
            (
                one["rule"],
                one["job"],
                one["state"],
                one["severity"],
                one["seen_count"],
                local(one["opened_at"], at),
                local(one["last_seen_at"], at),
                one["title"] + (f" ({one['silence']})" if one["state"] == "silenced" else ""),
            )
            for one in found["alerts"]
        ),
        empty="nothing is wrong",
    )


@alerts.command
def rules(
    name: JobName,
    /,
    *,
    environment: InEnvironment = None,
    project: Project = None,
    json_: AsJson = False,
) -> None:
    """Show what a job is watched for: when each rule is wrong, and whether it is."""
    query = {"environment": environment, "project": project}
    found = connect().get(f"/jobs/{segment(name)}/alert-rules", query)
    if json_:
        output.document(found)
        return
    table(
        ("rule", "severity", "for", "now", "wrong when"),
        (
            (
                one["name"],
                one["severity"],
                lasting(one["for_seconds"]) if one["for_seconds"] else "",
                one["state"] or "fine",
                one["wrong_when"],
            )
            for one in found["rules"]
        ),
        empty="it is watched for nothing: each rule is switched off",
    )


@alerts.command
def silence(
    *,
    job: OfJob = None,
    rule: Annotated[str | None, Parameter(help="Only of this rule.")] = None,
    duration: Annotated[str, Parameter(name="--for", help="How long, at most 90d.")] = "1h",
    reason: Annotated[str, Parameter(help="Why; everybody can read it.")] = "",
    end: Annotated[str, Parameter(help="End the silence with this id.")] = "",
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Have nobody told of alerts for a while: of a job, of a rule, or of all in the environment.

    They are still counted. What is wrong at the end is told then.
    """
    client = connect()
    if end:
        done = client.post(f"/silences/{segment(end)}:end", {}, again=True)
    else:
        seconds = round(span("--for", duration).total_seconds())
        body: Document = {"lasting": f"{seconds}s", "reason": reason}
        given = {"environment": environment, "job": job, "rule": rule}
        body |= {name: value for name, value in given.items() if value is not None}
        done = client.post("/silences", body)
    if json_:
        output.document(done)
        return
    until = f"until {local(done['ends_at'], now())}"
    output.line(f"{done['id']}: {_about(done)} {'ended' if done['ended_by'] else until}")


@alerts.command
def silences(*, environment: Environment = None, json_: AsJson = False) -> None:
    """List the silences that hold."""
    found = connect().get("/silences", {"environment": environment})
    if json_:
        output.document(found)
        return
    at = now()
    table(
        ("silence", "about", "until", "by", "reason"),
        (
            (one["id"], _about(one), local(one["ends_at"], at), one["by"], one["reason"])
            for one in found["silences"]
        ),
        empty="nothing is silenced",
    )


def _about(one: Document) -> str:
    rule = f"rule {one['rule']}" if one["rule"] else "every rule"
    job = f"job {one['job']}" if one["job"] else "every job"
    return f"{rule} of {job}"


@alerts.command
def channels(
    *, environment: Environment = None, project: Project = None, json_: AsJson = False
) -> None:
    """List the channels by which people of an environment are told."""
    found = connect().get("/channels", {"environment": environment, "project": project})
    if json_:
        output.document(found)
        return
    table(
        ("channel", "kind", "environment", "project"),
        (
            (one["name"], one["kind"], one["environment"], one["project"])
            for one in found["channels"]
        ),
        empty="no channels: incidents are told in the server's log only",
    )


@alerts.command(name="test")
def try_channel(
    channel: Annotated[str, Parameter(name="CHANNEL", help="A channel's name.")],
    /,
    *,
    environment: Environment = None,
    project: Project = None,
    json_: AsJson = False,
) -> None:
    """Tell people by a channel that it works, or say why it does not."""
    query = {"environment": environment, "project": project}
    done = connect().post(f"/channels/{segment(channel)}:test", {}, query=query)
    if json_:
        output.document(done)
        return
    output.line(f"{done['name']} ({done['kind']}) took it in {done['seconds']:.1f} s")
