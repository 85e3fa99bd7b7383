"""Which dead letters a command is about, and what is different in the runs that replay them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from runyard.cli.client import Client
from runyard.cli.parameters import COMPLETED_MAX, complete_jobs, instant, quick_client
from runyard.cli.run_ref import LAST, run_id
from runyard.model.errors import NotFound, PlatformError

WHICH = Group("Which", sort_key=1)
#: `model.failure.FailureClass`, spelled out for the type checker; a test compares them.
ClassName = Literal[
    "timeout", "permission", "resource", "network", "application", "platform", "cancelled"
]
#: What the API takes as a state of letters; a test compares them.
StateName = Literal[
    "queued",
    "every",
    "open",
    "chosen",
    "replaying",
    "replayed",
    "replaced",
    "discarded",
    "expired",
]


def complete_letters(context: Any) -> list[tuple[str, str]]:
    """Letters in the queue, with their jobs; none when the server does not answer."""
    try:
        found = quick_client().get("/dead-letters", {"page_size": COMPLETED_MAX})
    except PlatformError:
        return []
    words = [(one["run"], f"{one['job']}: {one['title']}") for one in found["letters"]]
    return [(LAST, "the newest"), *words]


def complete_groups(context: Any) -> list[tuple[str, str]]:
    """Groups of letters in the queue; none when the server does not answer."""
    try:
        found = quick_client().get("/dead-letter-groups", {"limit": COMPLETED_MAX})
    except PlatformError:
        return []
    return [(one["group"], f"{one['job']}: {one['title']}") for one in found["groups"]]


LetterRef = Annotated[
    str,
    Parameter(
        name="RUN",
        help="A dead run's id, the beginning of it, or @last.",
        completer=complete_letters,
    ),
]


@dataclass(frozen=True, kw_only=True)
class Which:
    """Which letters; all that is said must be so."""

    job: Annotated[
        str | None, Parameter(group=WHICH, help="Only of this job.", completer=complete_jobs)
    ] = None
    class_: Annotated[
        ClassName | None, Parameter(name="--class", group=WHICH, help="Only of this class.")
    ] = None
    group: Annotated[
        str | None,
        Parameter(group=WHICH, help="Only of this group.", completer=complete_groups),
    ] = None
    since: Annotated[
        str | None, Parameter(group=WHICH, help="Dead after: 30m, 2h, 7d ago, or an instant.")
    ] = None
    until: Annotated[str | None, Parameter(group=WHICH, help="Dead before; as --since.")] = None
    environment: Annotated[str | None, Parameter(group=WHICH, help="Of this one.")] = None
    project: Annotated[str | None, Parameter(group=WHICH, help="Of this one.")] = None

    def fields(self) -> dict[str, Any]:
        """As the REST API has them; nothing of what was not said."""
        fields = {
            "job": self.job,
            "failure_class": self.class_,
            "group": self.group,
            "since": instant("--since", self.since),
            "until": instant("--until", self.until),
            "environment": self.environment,
            "project": self.project,
        }
        return {name: value for name, value in fields.items() if value is not None}


ANY = Which()


def letter_id(client: Client, ref: str) -> str:
    """The dead run that `ref` means."""
    if ref != LAST:
        return run_id(client, ref)
    newest = client.get("/dead-letters", {"page_size": 1})["letters"]
    if not newest:
        raise NotFound("no dead letter is in the queue", hint="`runyard runs` lists runs")
    return str(newest[0]["run"])
