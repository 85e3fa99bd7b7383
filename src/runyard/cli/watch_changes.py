"""`runyard incidents suggest`: what an incident that is over says of the watch of its job."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.connect import connect
from runyard.cli.incident_refs import IncidentRef, path_of
from runyard.cli.parameters import AsJson, Reason, Yes
from runyard.cli.plan_lines import changed, lines
from runyard.cli.remedies import change


def suggest(
    incident: IncidentRef,
    /,
    *,
    apply: Annotated[
        str | None, Parameter(help="Bring this one into force, as a revision of the job.")
    ] = None,
    reason: Reason = "",
    yes: Yes = False,
    json_: AsJson = False,
) -> None:
    """Show what an incident that is over says of the watch: changes of the alerts of its job.

    Each is shown as a difference of the manifest; edit that, or bring one into force with
    `--apply`, until the next apply of the manifest.
    """
    if apply is not None:
        change(incident, "change-watch", {"name": apply, "reason": reason}, yes, json_)
        return
    found = connect().get(f"{path_of(incident)}/watch-changes")
    if json_:
        output.document(found)
        return
    if not found["changes"]:
        output.line("nothing is offered: it is not over, its job is gone, or all is so already")
    for one in found["changes"]:
        lines([f"~ {one['name']}: {output.printable(one['reason'])}"])
        lines([f"    {line}" for line in changed(one["fields"])])
