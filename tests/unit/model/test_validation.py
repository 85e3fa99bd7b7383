"""How values, paths and choices are shown: printable, short, and the nearest one found."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runyard.model.validation import did_you_mean, dotted, one_of, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "'a'"), ("", "''"), ("a\n\x07é", "'a\\n\\x07é'"), ("\ud800", "'\\ud800'"),
        (True, "true"), (False, "false"), (None, "nothing"), (3, "3"), (1.5, "1.5"),
        ({"a": 1}, "a mapping of 1"), ([1, 2], "a list of 2"), ("x" * 61, f"'{'x' * 59}…'"),
    ],
)  # fmt: skip
def test_a_value_is_shown(value: object, text: str) -> None:
    assert shown(value) == text


@settings(deadline=None)
@given(st.text() | st.integers() | st.floats() | st.none() | st.lists(st.text()))
def test_what_is_shown_is_printable_and_short(value: object) -> None:
    assert shown(value).isprintable()
    assert len(shown(value)) <= 700  # 60 characters, each at most \U00012345 and two quotes


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), "manifest"),
        (("jobs", "a-b", "containers", 0, "image"), "jobs.a-b.containers[0].image"),
        (("labels", "a.b c"), "labels.'a.b c'"),
        ((0,), "[0]"),
        (("a",) * 21, ".".join(["a"] * 20) + "…"),
    ],
)
def test_a_path_is_dotted(path: tuple[str | int, ...], text: str) -> None:
    assert dotted(path) == text


@pytest.mark.parametrize(
    ("word", "near"),
    [("task_count", "taskCount"), ("taskcount", "taskCount"), ("tsakCount", "taskCount")],
)
def test_the_nearest_choice_is_found(word: str, near: str) -> None:
    assert did_you_mean(word, ["parallelism", "taskCount", "labels"]) == f"did you mean '{near}'?"


def test_no_choice_is_near_enough() -> None:
    assert did_you_mean("zebra", ["parallelism", "taskCount"]) == ""


def test_choices_are_listed() -> None:
    assert one_of(["a"]) == "a"
    assert one_of(["a", "b"]) == "one of a, b"
    assert one_of(str(n) for n in range(100)).endswith(", 29, …")
