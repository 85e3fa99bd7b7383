"""`runyard logs patterns`: what error lines of a job have in common."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.client import segment
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, InEnvironment, JobName, Project
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local


def patterns(
    name: JobName,
    /,
    *,
    examples: Annotated[bool, Parameter(help="Lines of each, too.")] = False,
    environment: InEnvironment = None,
    project: Project = None,
    json_: AsJson = False,
) -> None:
    """Show what error lines of a job have in common, those seen last first.

    What differs from line to line stands as its kind (`<number>`), or as `<*>`. Error lines are
    those of severity ERROR or worse, and those without one that have a word of an error.
    """
    query = {"environment": environment, "project": project}
    found = connect().get(f"/jobs/{segment(name)}/log-patterns", query)
    if json_:
        output.document(found)
        return
    at = now()
    if not examples:
        table(
            ("pattern", "count", "first seen", "last seen", "lines like"),
            (
                (
                    one["id"],
                    one["count"],
                    local(one["first_seen_at"], at),
                    local(one["last_seen_at"], at),
                    one["template"],
                )
                for one in found["patterns"]
            ),
            empty=f"{name} has logged no errors",
        )
        return
    for one in found["patterns"]:
        output.line(f"{one['count']}: {one['template']}")
        for each in one["examples"]:
            output.line(f"    {local(each['at'], at)} {each['run']}: {each['text']}")
