"""Holes in endpoints: variables, paths into earlier results, conditions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard_runner.model.result import Results
from runyard_runner.rules.conditions import read_condition
from runyard_runner.rules.paths import PathError, follow, read_path, spell
from runyard_runner.rules.templates import check, fill, has_holes, render

DATA: dict[str, Any] = {
    "results": [
        {"success": True, "status_code": 200, "response": {"id": 7, "a b": ["x", {"y": None}]}},
        {"success": False, "response": "plain text"},
    ],
    "payload": {"mode": "dry", "list": [1, 2]},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_variables() -> None:
    value = {"${A}": ["x ${B} ${A}", 1, None], "plain": "$${A} costs $5"}
    assert fill(value, {"A": "1", "B": "${A}"}.__getitem__) == {
        "1": ["x ${A} 1", 1, None],
        "plain": "${A} costs $5",
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("results[0].response.id", 7),
        ('results[0].response["a b"][0]', "x"),
        ("results[0].response['a b'][1].y", None),
        ("results[1].response", "plain text"),
        ("payload.list[1]", 2),
        ("payload", DATA["payload"]),
    ],
)
def test_paths_lead_somewhere(text: str, found: object) -> None:
    assert follow(read_path(text), DATA) == found


@pytest.mark.parametrize(
    "text",
    [
        "result[0]",
        "results[0",
        "results[-1]",
        "results.__class__()",
        "results[0]..id",
        "results[0] | upper",
        "",
    ],
)
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(PathError):
        read_path(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("results[7].response", "results has nothing at 7"),
        ("results[0].response.id.x", "results[0].response.id has nothing at 'x'"),
        ("results[1].response.x", "results[1].response has nothing at 'x'"),
        ("results[1].response[0]", "results[1].response has nothing at 0"),
        ("results.login", "results has nothing at 'login'"),
        ("payload.keys", "payload has nothing at 'keys'"),
        ("payload.__class__", "payload has nothing at '__class__'"),
    ],
)
def test_paths_that_lead_nowhere(text: str, words: str) -> None:
    with pytest.raises(PathError) as told:
        follow(read_path(text), DATA)
    assert str(told.value) == words


def test_results_by_name() -> None:
    results = Results()
    results.append({"n": 1})
    results.by_name["login"] = results[0]
    data = {"results": results}
    assert follow(read_path("results.login.n"), data) == 1
    assert follow(read_path("results[0].n"), data) == 1
    with pytest.raises(PathError):
        follow(read_path("results.logout.n"), data)
    assert spell(read_path("results.login.x[0]")) == "results.login.x[0]"


def test_holes_are_filled() -> None:
    value = {
        "url": "https://x.example/{{ results[0].response.id }}?q=1",
        "json": {"whole": "{{ results[0].response }}", "n": [3, " {{results[0].response.id}} "]},
        "{{ payload.mode }}": "is {{ payload.mode }}, {{ payload.list }}",
    }
    assert render(value, DATA) == {
        "url": "https://x.example/7?q=1",
        "json": {"whole": DATA["results"][0]["response"], "n": [3, 7]},
        "dry": "is dry, [1,2]",
    }
    assert has_holes(value)
    assert not has_holes({"a": ["b", 1, {"c": None}]})
    check(value)
    with pytest.raises(PathError):
        check({"a": "{{ import os }}"})


def test_what_is_filled_into_a_url_stays_in_its_part() -> None:
    data = {"payload": {"x": "../admin?y=1#z", "all": "https://other.example/a"}}
    rendered = render("https://a.example/{{ payload.x }}/b", data, in_url=True)
    assert rendered == "https://a.example/..%2Fadmin%3Fy%3D1%23z/b"
    assert render("{{ payload.all }}", data, in_url=True) == "https://other.example/a"


@given(JSON)
def test_what_is_filled_in_is_data(value: object) -> None:
    """A value goes in as it is, and is not looked at for further holes."""
    assert render({"a": "{{ payload }}"}, {"payload": value}) == {"a": value}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("results[0].success", True),
        ("not results[0].success", False),
        ("results[1].success", False),
        ("results[0].response.id == 7", True),
        ("results[0].response.id != 7", False),
        ("results[0].response.id >= 8", False),
        ("results[0].response.id <= 7", True),
        ('results[0].response.id > 6 and payload.mode == "dry"', True),
        ("results[0].response.id < 6 and results[0].success", False),
        ("not results[0].response.id < 6", True),
        ('payload.mode == "dry and == wet"', False),
        ("results[9].success", False),
        ("results[9].success == null", True),
        ("payload.mode > 3", False),
        ("not payload.mode > 3", True),
        ("true", True),
        ("1 < 2", True),
        ('"a == b" != payload.mode', True),
    ],
)
def test_conditions(text: str, holds: bool) -> None:
    assert read_condition(text).holds(DATA) is holds


@pytest.mark.parametrize("text", ["", "x", "results[0", "results[0] ==", "open('x')", "1 +"])
def test_what_is_no_condition(text: str) -> None:
    with pytest.raises(PathError):
        read_condition(text)
