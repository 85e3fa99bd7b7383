"""Error lines become patterns."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.patterns import ANY, PATTERNS_MAX, Miner, is_error
from runyard.model.log_pattern import (
    EXAMPLE_CHARACTERS_MAX,
    EXAMPLES_MAX,
    LogExample,
    LogPattern,
)
from tests.support.runs import NOW


def mined(*texts: str, miner: Miner | None = None) -> list[LogPattern]:
    """The patterns of lines that came a second apart."""
    miner = miner or Miner()
    for second, text in enumerate(texts):
        miner.add(LogExample(NOW + timedelta(seconds=second), "run_1/1", text))
    return list(miner.patterns.values())


def test_what_changes_from_line_to_line_makes_no_new_pattern() -> None:
    (one,) = mined(
        "connection to 10.0.0.7:5432 refused after 3 tries",
        "connection to 10.0.0.9:5432 refused after 5 tries",
    )
    assert one.template == "connection to <ip> refused after <number> tries"
    assert (one.count, one.first_seen_at) == (2, NOW)
    assert one.last_seen_at == NOW + timedelta(seconds=1)
    assert [each.text[:20] for each in one.examples] == ["connection to 10.0.0"] * 2


def test_words_that_differ_become_any() -> None:
    first, second = mined(
        "cannot write table orders of shop", "cannot write table users of shop",
        "cannot read the manifest of everything",
    )  # fmt: skip
    assert first.template == f"cannot write table {ANY} of shop"
    assert (first.count, second.count) == (2, 1)
    assert second.template == "cannot read the manifest of everything"


def test_an_id_stays_when_the_template_becomes_more_general() -> None:
    miner = Miner()
    (before,) = mined("cannot write table orders of shop", miner=miner)
    (after,) = mined("cannot write table users of shop", miner=miner)
    assert (after.id, after.template != before.template) == (before.id, True)
    (again,) = mined("cannot write table carts of shop", miner=Miner([after]))
    assert (again.id, again.count) == (after.id, 3)


def test_a_line_joins_the_pattern_it_has_most_words_in_common_with() -> None:
    known = ["cannot write to disk one now", "cannot read by the way here"]
    near, far = mined(*known, "cannot write to disk two now")
    assert (near.count, far.count) == (2, 1)
    far, near = mined(*known[::-1], "cannot write to disk two now")
    assert (near.count, far.count) == (2, 1)


def test_half_of_the_words_are_enough_and_of_two_the_first_one_gets_it() -> None:
    assert [one.count for one in mined("a b c d", "a b x y")] == [2]
    assert [one.count for one in mined("a b c d", "a x y z")] == [1, 1]
    assert [one.count for one in mined("a b c d", "a x y z", "a b y q")] == [2, 1]


def test_lines_that_come_late_were_seen_when_they_were() -> None:
    miner = Miner()
    for second in (5, 2, 9, 7):
        miner.add(LogExample(NOW + timedelta(seconds=second), "run_1/1", "it broke"))
    (one,) = miner.patterns.values()
    assert (one.first_seen_at, one.last_seen_at) == (
        NOW + timedelta(seconds=2), NOW + timedelta(seconds=9)
    )  # fmt: skip


def test_what_no_database_takes_is_left_out_and_what_is_long_is_cut() -> None:
    (one,) = mined("half \ud800 of\0 it")
    assert [each.text for each in one.examples] == ["half ? of it"]
    (one,) = mined("it broke " + "x" * EXAMPLE_CHARACTERS_MAX)
    (example,) = one.examples
    assert example.text == "it broke " + "x" * (EXAMPLE_CHARACTERS_MAX - 9)


def test_an_id_is_short_and_the_same_for_good() -> None:
    (one,) = mined("it broke")
    assert one.id == "2be8f8a9c20a"


def test_lines_of_another_length_or_beginning_are_apart() -> None:
    assert len(mined("a b c d", "a b c", "b b c d")) == 3
    assert mined("", "  ") == []


def test_examples_differ_in_what_is_kept_of_them() -> None:
    (one,) = mined(*["it broke " + "x" * EXAMPLE_CHARACTERS_MAX] * 2)
    assert (one.count, len(one.examples)) == (2, 1)


def test_some_examples_are_kept_that_differ() -> None:
    (one,) = mined("error 1 here", "error 1 here", *[f"error {n} here" for n in range(9)])
    assert [each.text for each in one.examples] == ["error 1 here", "error 0 here", "error 2 here"]
    assert len(one.examples) == EXAMPLES_MAX


def test_what_was_not_seen_for_the_longest_makes_room() -> None:
    names = ["".join(chr(97 + int(digit)) for digit in str(n)) for n in range(PATTERNS_MAX + 1)]
    found = mined(*[f"{name} broke" for name in names])
    assert len(found) == PATTERNS_MAX
    assert "a broke" not in {one.template for one in found}
    assert f"{names[-1]} broke" in {one.template for one in found}


@given(st.lists(st.sampled_from(["a b 1 c", "a b x c", "z y", "z q", "a b c 2 d", "w"])))
def test_each_line_is_counted_in_one_pattern_whatever_was_kept(texts: list[str]) -> None:
    found = mined(*texts)
    assert sum(one.count for one in found) == len(texts)
    middle = len(texts) // 2
    kept = mined(*texts[:middle])
    again = mined(*texts[middle:], miner=Miner(kept))
    assert [(one.id, one.count, one.template) for one in again] == [
        (one.id, one.count, one.template) for one in found
    ]


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("ValueError: no", True),
        ("done, 0 errors", False),
        ("errors=0 rows=12", False),
        ("Errors: 0", False),
        ("finished without errors", False),
        ("10 errors", True),
    ],
)
def test_a_line_that_says_there_was_no_error_tells_of_none(text: str, *, tells: bool) -> None:
    assert is_error(text) is tells
