"""What bodies and queries share: whole numbers as JSON has them, instants, maps in JSON Schema."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from runyard.model.forms import Between, Shaped, unexpected

WAIT_SECONDS = 20.0  #: shorter than clients wait for an answer
WAIT_SECONDS_MAX = 600
KEY_CHARACTERS_MAX = 255
WaitSeconds = Annotated[
    float,
    Between(0, WAIT_SECONDS_MAX),
    Field(description="How long the answer may wait for the end of it."),
]
IdempotencyKey = Annotated[
    str,
    Shaped(
        r"[!-~]{1,255}",
        f"a key: 1 to {KEY_CHARACTERS_MAX} printable ASCII characters without blanks",
        KEY_CHARACTERS_MAX,
    ),
]


def map_of_at_most(most: int) -> Callable[[dict[str, Any]], None]:
    """Says in JSON Schema that every key of a map has the form of its keys."""

    def say(schema: dict[str, Any]) -> None:
        for pattern, value in schema.pop("patternProperties", {}).items():
            schema |= {"propertyNames": {"pattern": pattern}, "additionalProperties": value}
        schema["maxProperties"] = most

    return say


def _whole(value: Any) -> Any:
    """JSON has one kind of number: 3.0 is a whole one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = BeforeValidator(_whole)
INSTANT_EXPECTED = "an instant of RFC 3339 such as 2026-01-31T12:00:00Z"


def _instant(value: Any) -> Any:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        hint = "write + as %2B in a URL" if isinstance(value, str) and " " in value else ""
        raise unexpected(INSTANT_EXPECTED, hint) from None
    if at.tzinfo is None:
        raise unexpected(INSTANT_EXPECTED, f"write {value}Z for UTC")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise unexpected(INSTANT_EXPECTED) from None


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T12:00:00Z"]}),
]
