"""Models of several kinds in one place, told apart by the one key that each kind must have.

pydantic puts the tag of the kind into a fault's location; ours begins with a character that no
field has, so that `validation` knows it and no path shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from runyard.model.forms import UNEXPECTED

MARK = "\0"  #: what the tag of a kind begins with; the model's name follows


class Kinds:
    """One of `models`, by its key: a mapping with exactly one of the keys is of that kind."""

    def __init__(self, models: Mapping[str, type[BaseModel]], article: str = "a mapping") -> None:
        self._models = models
        keys = ", ".join(models)
        count = "exactly one of " if len(models) > 1 else ""
        self._expected = f"{article} with {count}{keys}"

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.tagged_union_schema(
            {_tag(model): handler.generate_schema(model) for model in self._models.values()},
            self._tag_of,
            custom_error_type=UNEXPECTED,
            custom_error_message="{expected}",
            custom_error_context={"expected": self._expected, "hint": ""},
        )

    def _tag_of(self, value: Any) -> str | None:
        if isinstance(value, BaseModel):
            return _tag(type(value))
        if not isinstance(value, Mapping):
            return None
        found = [model for key, model in self._models.items() if key in value]
        return _tag(found[0]) if len(found) == 1 else None


def _tag(model: type[BaseModel]) -> str:
    return f"{MARK}{model.__name__}"
