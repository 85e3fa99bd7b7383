"""Shapes are told to the documentation by their names alone."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from runyard.api.answer_schemas import all_shapes, is_shape, shapes
from runyard.api.app import every_router
from runyard.api.body_schemas import BODIES, schemas
from runyard.api.documentation import openapi
from runyard.api.shapes import ErrorShape


def test_no_two_shapes_or_bodies_have_one_name() -> None:
    counts = Counter(model.__name__ for model in {*all_shapes(), *BODIES})
    assert [name for name, count in counts.items() if count > 1] == []
    assert counts.keys() <= shapes().keys() | schemas().keys()


def test_only_shapes_are_shapes() -> None:
    assert is_shape(ErrorShape)
    assert not is_shape(BaseModel)
    assert not is_shape(None)


def references(document: Any) -> set[str]:
    if isinstance(document, dict):
        own = {document["$ref"]} if isinstance(document.get("$ref"), str) else set()
        return own.union(*map(references, document.values()))
    return set().union(*map(references, document)) if isinstance(document, list) else set()


def test_every_answer_s_schema_is_there() -> None:
    app = FastAPI(title="Runyard", version="1", openapi_url=None)
    for router in every_router():
        app.include_router(router)
    document = openapi(app)
    there = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    asked = references(document)
    assert len(asked) > 100
    assert asked <= there
