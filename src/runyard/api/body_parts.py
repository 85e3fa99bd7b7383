"""What bodies share: whole numbers as JSON has them, maps as JSON Schema is told of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BeforeValidator


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
