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
    """One of `models`, by its key: a mapping with exactly one of the keys is of that kind. Where
    there is a form `plain`, a text of that form may stand in its place."""

    def __init__(
        self, models: Mapping[str, type[BaseModel]], article: str = "a mapping", plain: Any = None
    ) -> None:
        self._models = models
        self._plain = plain
        keys = ", ".join(models)
        count = "exactly one of " if len(models) > 1 else ""
        text = "a text, or " if plain is not None else ""
        self._expected = f"{text}{article} with {count}{keys}"

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        plain = {} if self._plain is None else {MARK: handler.generate_schema(self._plain)}
        return core_schema.tagged_union_schema(
            {_tag(model): handler.generate_schema(model) for model in self._models.values()}
            | plain,
            self._tag_of,
            custom_error_type=UNEXPECTED,
            custom_error_message="{expected}",
            custom_error_context={"expected": self._expected, "hint": ""},
        )

    def _tag_of(self, value: Any) -> str | None:
        if isinstance(value, BaseModel):
            return _tag(type(value))
        if isinstance(value, str) and self._plain is not None:
            return MARK
        if not isinstance(value, Mapping):
            return None
        return self._tag_in(value)

    def _tag_in(self, value: Mapping[str, Any]) -> str | None:
        found = [model for key, model in self._models.items() if key in value]
        return _tag(found[0]) if len(found) == 1 else None


class Words(Kinds):
    """One of `models`, by the word that stands in their field `key`."""

    def __init__(self, key: str, models: Mapping[str, type[BaseModel]], article: str) -> None:
        super().__init__(models)
        self._key = key
        self._expected = f"{article} whose {key} is one of {', '.join(models)}"

    def _tag_in(self, value: Mapping[str, Any]) -> str | None:
        word = value.get(self._key)
        model = self._models.get(word) if isinstance(word, str) else None
        return None if model is None else _tag(model)


def _tag(model: type[BaseModel]) -> str:
    return f"{MARK}{model.__name__}"
