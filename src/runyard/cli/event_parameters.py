"""Arguments and options of the commands about topics and subscriptions."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli.connect import connect
from runyard.cli.parameters import COMPLETION_TIMEOUT_SECONDS, span
from runyard.model.errors import Fault, InvalidSpec, PlatformError


def _names(path: str, key: str) -> list[dict[str, Any]]:
    try:
        client = connect()
        client.timeout_seconds = COMPLETION_TIMEOUT_SECONDS
        found: list[dict[str, Any]] = client.get(path)[key]
    except PlatformError:
        return []
    return found


def complete_topics(context: Any) -> list[tuple[str, str]]:
    """Names of topics on the server; none when it does not answer."""
    return [(one["name"], "topic") for one in _names("/topics", "topics")]


def complete_subscriptions(context: Any) -> list[tuple[str, str]]:
    """Names of subscriptions on the server, with their topics; none when it does not answer."""
    found = _names("/subscriptions", "subscriptions")
    return [(one["name"], f"of {one['topic']}") for one in found]


NewName = Annotated[
    str,
    Parameter(name="NAME", help="3 to 255 letters, digits and -_.~+%, a letter first."),
]
Topic = Annotated[str, Parameter(name="NAME", help="The topic's name.", completer=complete_topics)]
Subscription = Annotated[
    str,
    Parameter(name="NAME", help="The subscription's name.", completer=complete_subscriptions),
]
AckIds = Annotated[list[str], Parameter(name="ACK_ID", help="As `pull` shows them.")]
Environment = Annotated[
    str | None, Parameter(name="--environment", help="Whose; else the server's own.")
]


def seconds(option: str, text: str | None) -> int | None:
    """`90s`, `10m`, `7d` as whole seconds; None stays None.

    Raises InvalidSpec when it is no such span, or has a fraction.
    """
    if text is None:
        return None
    found = span(option, text).total_seconds()
    if found != int(found):
        fault = Fault(option, repr(text), "whole seconds", "for instance 30s")
        raise InvalidSpec(f"{option} is not understood", faults=(fault,))
    return int(found)
