"""What a structured line has in its fields."""

from __future__ import annotations

import pytest

from runyard.flow.line_fields import has_field, has_value, scalar

FIELDS = {
    "user": {"name": "ann", "ids": [1]},
    "user.mail": "ann@example.com",
    "count": 3,
    "ratio": 1000.0,
    "ok": True,
    "gone": None,
}


@pytest.mark.parametrize(
    ("path", "value", "there"),
    [
        ("user.name", "ann", True),
        ("user.name", "bob", False),
        ("user.mail", "ann@example.com", True),
        ("user.age", "3", False),
        ("user.name.first", "ann", False),
        ("count", "3", True),
        ("count", "3.0", False),
        ("ratio", "1e3", True),
        ("ok", "true", True),
        ("ok", "True", False),
        ("gone", "null", True),
        ("user.ids", "[1]", False),
        ("user", "{}", False),
    ],
)
def test_a_value_is_found_at_its_path_as_a_text_or_as_json(
    path: str, value: str, there: bool
) -> None:
    assert has_value(FIELDS, path, value) is there


@pytest.mark.parametrize("fields", [None, [], "user", 3])
def test_what_is_no_object_has_nothing(fields: object) -> None:
    assert not has_value(fields, "user", "user")
    assert not has_field(fields, "user")


def test_a_field_is_there_whatever_it_says() -> None:
    assert has_field(FIELDS, "gone")
    assert not has_field(FIELDS, "name")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("3", "3"),
        ("1e3", "1000.0"),
        ("false", "false"),
        ("null", "null"),
        ("[1]", None),
        ("x", None),
        ('"x"', None),
    ],
)
def test_a_text_may_be_a_number_or_a_word_of_json(value: str, written: str | None) -> None:
    assert scalar(value) == written
