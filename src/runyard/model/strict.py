"""What all our models have in common: frozen, strict, no unknown fields, one canonical form."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo


class Strict(BaseModel):
    """A part of a job in our own words (snake_case): every default is written out."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def document(self) -> dict[str, Any]:
        """The canonical JSON of it: plain values, maps sorted by key, what is empty left out."""
        return {
            field.alias or name: _plain(value)
            for name, field in type(self).model_fields.items()
            if not self._is_left_out(name, value := getattr(self, name), field)
        }

    def _is_left_out(self, name: str, value: Any, field: FieldInfo) -> bool:
        return value is None or value == () or value == {}


class Message(Strict):
    """A message of Cloud Run's v2 API, in Google's own JSON names (camelCase).

    As in Google's JSON, a field at its default is left out; `written` names those that are
    written out all the same, because people are surprised by their defaults.
    """

    model_config = ConfigDict(alias_generator=to_camel)
    written: ClassVar[frozenset[str]] = frozenset()

    def _is_left_out(self, name: str, value: Any, field: FieldInfo) -> bool:
        return name not in self.written and value == field.default


def _plain(value: Any) -> Any:
    if isinstance(value, Strict):
        return value.document()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in sorted(value.items())}
    return value
