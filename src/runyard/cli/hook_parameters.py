"""Arguments of commands about webhooks, with their completion in the shell."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli.parameters import COMPLETED_MAX, quick_client
from runyard.model.errors import PlatformError


def complete_hooks(context: Any) -> list[tuple[str, str]]:
    """Webhooks, with who calls them; none when the server does not answer."""
    try:
        found = quick_client().get("/hooks")
    except PlatformError:
        return []
    return [(one["hook"], one["sender"]) for one in found["hooks"][:COMPLETED_MAX]]


def complete_deliveries(context: Any) -> list[tuple[str, str]]:
    """The latest deliveries, with what became of them; none when the server does not answer."""
    try:
        found = quick_client().get("/deliveries", {"page_size": COMPLETED_MAX})
    except PlatformError:
        return []
    return [(one["id"], f"{one['hook']} {one['fate']}") for one in found["deliveries"]]


Hook = Annotated[
    str,
    Parameter(
        help="A webhook: PROJECT/ENVIRONMENT/JOB/NAME, or the end of that, or its job.",
        completer=complete_hooks,
    ),
]
Delivery = Annotated[str, Parameter(help="A delivery's id.", completer=complete_deliveries)]
