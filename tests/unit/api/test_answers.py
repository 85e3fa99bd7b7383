"""Whatever a program logged can be answered, and everything else is exact."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.api.answers import encoded
from runyard.api.documents import dated

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None, exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def test_instants_end_in_z() -> None:
    assert encoded({"at": datetime(2026, 1, 1, tzinfo=UTC)}) == b'{"at":"2026-01-01T00:00:00Z"}'


@given(st.dictionaries(st.text(st.characters(codec=None, exclude_categories=())), anything))
def test_anything_can_be_said(document: dict[str, object]) -> None:
    assert isinstance(json.loads(encoded(document)), dict)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("\ud800!", "?!"),
        (2**64, "a number beyond 64 bits"),
        (-(2**63) - 1, "a number beyond 64 bits"),
        ([2**64 - 1, 2**64], [2**64 - 1, "a number beyond 64 bits"]),
        ({"\udfff": 1}, {"?": 1}),
    ],
)
def test_what_json_cannot_say_is_said_nearly(value: object, said: object) -> None:
    assert json.loads(encoded(value)) == said


def test_bottomless_nesting_is_cut_off() -> None:
    deep: object = "bottom"
    for _ in range(900):
        deep = [deep]
    assert "…" in json.dumps(json.loads(encoded([deep])), ensure_ascii=False)


def test_instants_of_rows_end_in_z_too() -> None:
    row = {
        "retry_at": "2026-01-01T00:00:00+00:00",
        "outcome": {"started_at": None, "message": "at +00:00"},
        "list": [{"until": "2026-01-01T00:00:00.5+00:00"}],
    }
    assert dated(row) == {
        "retry_at": "2026-01-01T00:00:00Z",
        "outcome": {"started_at": None, "message": "at +00:00"},
        "list": [{"until": "2026-01-01T00:00:00.5Z"}],
    }
