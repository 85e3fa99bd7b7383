"""The JSON Schemas of answers, made when the documentation is asked for."""

from __future__ import annotations

from typing import Any

from runyard.api.shapes import Shape

_REF = "#/components/schemas/{model}"


def is_shape(model: Any) -> bool:
    """True of the class of an answer."""
    return isinstance(model, type) and issubclass(model, Shape)


def content(shape: type[Shape]) -> dict[str, Any]:
    """How OpenAPI is told that an answer has a shape."""
    return {"application/json": {"schema": {"$ref": _REF.format(model=shape.__name__)}}}


def shapes() -> dict[str, Any]:
    """The schemas of every shape there is, and of what they are made of, by name. No two shapes
    have one name: a test sees to it."""
    found: dict[str, Any] = {}
    for shape in all_shapes():
        schema = shape.model_json_schema(ref_template=_REF, mode="serialization")
        found |= schema.pop("$defs", {})
        found[shape.__name__] = schema
    return found


def all_shapes() -> list[type[Shape]]:
    """Every shape there is."""
    return _all(Shape)


def _all(shape: type[Shape]) -> list[type[Shape]]:
    below = [each for one in shape.__subclasses__() for each in _all(one)]
    return [*shape.__subclasses__(), *below]
