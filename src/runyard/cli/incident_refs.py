"""Which incident is meant on a command line."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli.client import segment
from runyard.cli.connect import connect
from runyard.cli.parameters import COMPLETED_MAX, quick_client
from runyard.model.errors import NotFound, PlatformError


def complete_incidents(context: Any) -> list[tuple[str, str]]:
    """Incidents that are not resolved, with their titles; none when the server does not answer."""
    try:
        found = quick_client().get("/incidents", {"open": "true", "page_size": COMPLETED_MAX})
    except PlatformError:
        return []
    return [("@last", "the newest")] + [(one["id"], one["title"]) for one in found["incidents"]]


IncidentRef = Annotated[
    str,
    Parameter(name="INCIDENT", help="An incident's id, or @last.", completer=complete_incidents),
]


def path_of(incident: str) -> str:
    """Where it is in the API. Raises NotFound."""
    if incident != "@last":
        return f"/incidents/{segment(incident)}"
    found = connect().get("/incidents", {"page_size": 1})["incidents"]
    if not found:
        raise NotFound("there is no incident yet", hint="`runyard incidents --all` lists them")
    return f"/incidents/{segment(found[0]['id'])}"
