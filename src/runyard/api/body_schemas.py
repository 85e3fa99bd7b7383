"""The JSON Schemas of bodies, made when the documentation is asked for."""

from __future__ import annotations

from typing import Any

from runyard.api.alert_bodies import ALERT_BODIES
from runyard.api.bodies import (
    AcceptBody,
    ApplyBody,
    CancelBody,
    ChangeBody,
    EnvironmentsBody,
    ManifestBody,
    PlanBody,
    ResumeBody,
    RollbackBody,
    RunBody,
)
from runyard.api.event_bodies import EVENT_BODIES
from runyard.api.letter_bodies import LETTER_BODIES
from runyard.api.people_bodies import PEOPLE_BODIES
from runyard.api.secret_bodies import SECRET_BODIES
from runyard.api.trigger_bodies import TRIGGER_BODIES
from runyard.model.strict import Strict

BODIES: tuple[type[Strict], ...] = (
    RunBody,
    CancelBody,
    ResumeBody,
    ManifestBody,
    PlanBody,
    EnvironmentsBody,
    ApplyBody,
    ChangeBody,
    RollbackBody,
    AcceptBody,
    *SECRET_BODIES,
    *PEOPLE_BODIES,
    *EVENT_BODIES,
    *TRIGGER_BODIES,
    *ALERT_BODIES,
    *LETTER_BODIES,
)


def schemas() -> dict[str, Any]:
    """The JSON Schemas of every body and of what they are made of, by name."""
    found: dict[str, Any] = {}
    for body in BODIES:
        schema = body.model_json_schema(ref_template="#/components/schemas/{model}")
        found |= schema.pop("$defs", {})
        found[body.__name__] = schema
    return found
