"""What the API answers about what can be, and was, done about incidents, as OpenAPI tells it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from runyard.api.shapes import Shape
from runyard.api.shapes_alerts import IncidentShape
from runyard.api.shapes_operations import OperationShape
from runyard.model.incident import RemedyAction


class SuggestionShape(Shape):
    """An action: whether it would make sense now, and why, or why not."""

    action: RemedyAction
    suggested: bool
    reason: str
    target: Annotated[
        list[str],
        Field(
            description="What it would be done to, or with: runs, a revision, triggers, an amount "
            "of memory. Empty: nothing is known that it could be."
        ),
    ]


class SuggestionsShape(Shape):
    """Every action there is."""

    actions: list[SuggestionShape]


class RemedyFactShape(Shape):
    """What somebody did about an incident, and what came of it."""

    by: str
    action: RemedyAction
    what: str
    reason: str
    key: str
    runs: list[str]
    replay: str
    triggers: list[str]
    operation: str


class RemedyShape(Shape):
    """What was done; no `remedy`: there was nothing to do. `seen`: the idempotency key was known,
    and it is what was done then. An `operation` may be under way still."""

    incident: IncidentShape
    remedy: RemedyFactShape | None
    operation: OperationShape | None
    seen: bool
