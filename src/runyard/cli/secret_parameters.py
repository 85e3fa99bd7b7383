"""Arguments and options of the commands about secrets."""

from __future__ import annotations

import sys
from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli.connect import connect
from runyard.cli.parameters import COMPLETION_TIMEOUT_SECONDS
from runyard.model.errors import PlatformError, Refused


def complete_secrets(context: Any) -> list[tuple[str, str]]:
    """Names of secrets on the server; none when it does not answer."""
    try:
        client = connect()
        client.timeout_seconds = COMPLETION_TIMEOUT_SECONDS
        found = client.get("/secrets")["secrets"]
    except PlatformError:
        return []
    return [(secret["name"], f"version {secret['version']}") for secret in found]


Secret = Annotated[
    str, Parameter(name="NAME", help="The secret's name.", completer=complete_secrets)
]
Version = Annotated[str, Parameter(name="VERSION", help="A version's number, or an alias.")]
Environment = Annotated[
    str | None, Parameter(name="--environment", help="Whose secrets; else the server's own.")
]
Yes = Annotated[bool, Parameter(name=["--yes", "-y"], help="Do not ask.")]


def agreed(yes: bool, question: str) -> None:
    """Raises Refused unless the person says yes, on a terminal or with `--yes`."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused("nobody is there to ask", hint="say --yes if you are sure")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused("nothing was changed", hint="answer y to go on")
