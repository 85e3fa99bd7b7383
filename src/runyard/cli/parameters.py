"""Arguments and options that several commands share, each with its completion in the shell."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli.client import Client
from runyard.cli.connect import connect
from runyard.cli.session import SESSION
from runyard.cli.surroundings import now
from runyard.model.errors import Fault, InvalidSpec, PlatformError

#: A completion must never be slower than typing: it gives up early, and silently.
COMPLETION_TIMEOUT_SECONDS = 2.0
COMPLETED_MAX = 100


def quick_client() -> Client:
    """A client that gives up early."""
    client = connect()
    client.timeout_seconds = COMPLETION_TIMEOUT_SECONDS
    return client


def complete_jobs(context: Any) -> list[tuple[str, str]]:
    """Names of jobs on the server, with the revision of each; none when it does not answer."""
    try:
        found = quick_client().get("/jobs", {"page_size": COMPLETED_MAX})
    except PlatformError:
        return []
    return [(job["name"], f"revision {job['revision']}") for job in found["jobs"]]


def complete_runs(context: Any) -> list[tuple[str, str]]:
    """The newest runs, with job and state; none when the server does not answer."""
    try:
        found = quick_client().get("/runs", {"page_size": COMPLETED_MAX})
    except PlatformError:
        return []
    return [("@last", "the newest run")] + [
        (run["id"], f"{run['job']} {run['state']}") for run in found["runs"]
    ]


def complete_environments(context: Any) -> list[tuple[str, str]]:
    """Environments on the server, with the provider of each; none when it does not answer."""
    try:
        found = quick_client().get("/environments")
    except PlatformError:
        return []
    return [(one["name"], one["provider"]) for one in found["environments"]]


def complete_operations(context: Any) -> list[tuple[str, str]]:
    """The newest operations, with kind and state; none when the server does not answer."""
    try:
        found = quick_client().get("/operations", {"page_size": COMPLETED_MAX})
    except PlatformError:
        return []
    return [(one["id"], f"{one['kind']} {one['state']}") for one in found["operations"]]


def complete_principals(context: Any) -> list[tuple[str, str]]:
    """Names of principals, with their kind; none when the server does not answer."""
    try:
        found = quick_client().get("/principals")
    except PlatformError:
        return []
    return [(one["name"], one["kind"]) for one in found["principals"][:COMPLETED_MAX]]


def complete_tokens(context: Any) -> list[tuple[str, str]]:
    """Ids of good tokens, with whose they are; none when the server does not answer."""
    try:
        found = quick_client().get("/tokens")
    except PlatformError:
        return []
    good = [one for one in found["tokens"] if one["is_good"]]
    return [(one["id"], f"{one['principal']} {one['label']}") for one in good[-COMPLETED_MAX:]]


AsJson = Annotated[
    bool,
    Parameter(name="--json", help="Print JSON with the names of the REST API."),
]
Yes = Annotated[
    bool, Parameter(name=["--yes", "-y"], help="Confirm what is unsafe, instead of being asked.")
]
Reason = Annotated[str, Parameter(help="Why; kept with the change.")]
InEnvironment = Annotated[str | None, Parameter(help="The job's environment; else the server's.")]
JobName = Annotated[str, Parameter(help="A job's name.", completer=complete_jobs)]
EnvironmentName = Annotated[
    str, Parameter(help="An environment's name.", completer=complete_environments)
]
Project = Annotated[str | None, Parameter(help="Only of this project.")]
RunRef = Annotated[
    str,
    Parameter(
        help="A run's id, the beginning of one that no other run shares, or @last.",
        completer=complete_runs,
    ),
]
Labels = Annotated[
    list[str] | None,
    Parameter(name=["--label", "-l"], help="key=value; may be repeated."),
]

Drift = Annotated[
    list[str] | None,
    Parameter(
        help="JOB.FIELD=WORD, JOB=WORD or *=WORD: adopt, revert or ignore what others changed at "
        "the provider; may be repeated.",
    ),
]
Filter = Annotated[
    str | None,
    Parameter(
        name="--filter",
        allow_leading_hyphen=True,
        help="AIP-160, for instance: labels.team = data AND NOT job = night*",
    ),
]


def remembered(text: str | None) -> str | None:
    """A filter as given, kept so that an error can show where in it it points."""
    if text is not None:
        SESSION.get().sources["filter"] = text
    return text


def assignments(option: str, given: list[str] | None) -> dict[str, str]:
    """`KEY=VALUE` texts as a dictionary. `InvalidSpec` names every one that is not such a pair."""
    split = [text.partition("=") for text in given or ()]
    faults = tuple(
        Fault(option, repr(name), "KEY=VALUE", f"for instance {option} {name or 'NAME'}=value")
        for name, equals, _ in split
        if not (name and equals)
    )
    if faults:
        raise InvalidSpec(f"{option} is not understood", faults=faults)
    return {name: value for name, _, value in split}


_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def span(option: str, text: str) -> timedelta:
    """`90s`, `30m`, `2h`, `7d`, `1w` as a span; `InvalidSpec` when it is none."""
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not number.replace(".", "", 1).isdigit():
        fault = Fault(option, repr(text), "a number with s, m, h, d or w", "for instance 30m")
        raise InvalidSpec(f"{option} is not understood", faults=(fault,))
    return timedelta(seconds=float(number) * _UNITS[unit])


def instant(option: str, text: str | None) -> str | None:
    """`2h` becomes the instant two hours ago; what has a colon is an instant already."""
    if text is None or ":" in text:
        return text
    at = now() - span(option, text.removesuffix(" ago"))
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
