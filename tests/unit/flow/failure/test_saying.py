"""The two forms that rules have: words, and codes in a table."""

from __future__ import annotations

import pytest

from runyard.flow.failure.saying import (
    CAPACITY,
    NETWORK,
    PERMISSION,
    Rule,
    Said,
    Whole,
    codes,
    listed,
    words,
)
from runyard.model.failure import FailureClass, Shortage


def said(rule: Rule, text: str) -> Said | None:
    reader = rule.reader(Whole(text))
    return None if reader is None else reader(text)


def test_words_are_found_in_any_case_unless_they_are_exact() -> None:
    loose, exact = words("a", NETWORK, "No Way"), words("a", NETWORK, "No Way", exact=True)
    assert said(loose, "there is NO WAY") == Said("a", FailureClass.NETWORK)
    assert said(exact, "there is No Way") == Said("a", FailureClass.NETWORK)
    assert said(exact, "there is NO WAY") is None


def test_a_rule_without_its_words_reads_nothing() -> None:
    assert words("a", NETWORK, "abc", "de.f").reader(Whole("nothing of that")) is None
    assert codes("c", r"(\d+)", {"42": NETWORK}).reader(Whole("nothing of that")) is None
    assert codes("c", r"no (\d+)", {"42": NETWORK}).reader(Whole("nothing of 42")) is None
    assert codes("c", r"of (\d+)", {"42": NETWORK}).reader(Whole("nothing of 42")) is not None


@pytest.mark.parametrize(
    ("part", "has"), [("b", True), ("ab", True), ("abcd", True), ("x", False), ("abcx", False)]
)
def test_parts_of_any_length_are_found(part: str, has: bool) -> None:
    assert Whole("1 ABCD 2").has(part) is has


def test_parts_whose_ends_are_there_are_not_there_for_that() -> None:
    assert not Whole("abc def").has("abcdef")


def test_the_first_code_that_is_known_decides() -> None:
    rule = codes("code", r"<(\w+)>|\[(\w+)\]", {"A1": PERMISSION, "B2": CAPACITY})
    assert said(rule, "<X9> [B2] <A1>") == Said("code B2", FailureClass.RESOURCE, Shortage.CAPACITY)
    assert said(rule, "A1 <X9>") is None


def test_a_code_may_be_known_by_its_beginning() -> None:
    rule = codes("state", r"<(\w+)>", {"08": NETWORK, "08P99": PERMISSION}, cut=2)
    assert said(rule, "<08006>") == Said("state 08", FailureClass.NETWORK)
    assert said(rule, "<08P99>") == Said("state 08P99", FailureClass.PERMISSION)


def test_a_list_of_names_means_one_thing() -> None:
    assert listed(NETWORK, " a  b ") == {"a": NETWORK, "b": NETWORK}
