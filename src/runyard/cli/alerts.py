"""`runyard alerts`: what is wrong now, who is not told of it, and whether channels work."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from runyard.cli import output
from runyard.cli.client import segment
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, Project
from runyard.cli.tables import table

Document = dict[str, Any]
Environment = Annotated[str | None, Parameter(help="Of this environment; else the server's.")]

alerts = App(
    name="alerts",
    help="List channels, and try one.",
    group_commands="Commands",
)


@alerts.default
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
