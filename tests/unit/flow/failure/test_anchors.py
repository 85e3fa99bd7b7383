"""The plain texts that are looked for instead of an expression: none may be missed."""

from __future__ import annotations

import re

import pytest

from runyard.flow.failure.anchors import anchors
from runyard.flow.failure.log_rules import LADDER, WEAK
from runyard.flow.failure.saying import Whole, words
from tests.support.failure_texts import read


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("plain", {"plain"}),
        ("Two Words", {"two words"}),
        (r"a\.bc", {"a.bc"}),
        (r"ab\bcde", {"cde"}),
        (r"ab[xy]cde", {"cde"}),
        (r"[]]ab", {"ab"}),
        (r"abc|de", {"abc", "de"}),
        (r"abc|\d", {""}),
        (r"(?:abc|defg)hi", {"abc", "defg"}),
        (r"(?:abc|de(?:f|gh))", {"abc", "de"}),
        (r"(?:abcd)?ef", {"ef"}),
        (r"(?:abcd)*ef", {"ef"}),
        (r"(?:abcd){0,3}ef", {"ef"}),
        (r"(?:abcd){1,3}ef", {"abcd"}),
        (r"(?:abcd)+ef", {"abcd"}),
        (r"abc?d", {"ab"}),
        (r"abc*d", {"ab"}),
        (r"abc{0,2}d", {"ab"}),
        (r"abc+d", {"abc"}),
        (r"(?<!long text)ab", {"ab"}),
        (r"ab(?!long text)", {"ab"}),
        (r"ab(?=long text)", {"ab"}),
        (r"(?i:AbC)", {"abc"}),
        (r"(?i)abcd\d", {"abcd"}),
        (r"(?:abc|def)\dghi", {"ghi"}),
        (r"abc\d(?:def|ghi)", {"abc"}),
        (r"^\W{0,40}abc$", {"abc"}),
        (r"\d+", {""}),
    ],
)
def test_the_sharpest_texts_are_found(pattern: str, expected: set[str]) -> None:
    assert anchors(pattern) == expected


def test_where_a_rule_finds_something_its_texts_are_there() -> None:
    rules = [rule for rule in (*LADDER, *WEAK) if isinstance(rule, words)]
    patterns = [
        (parts, re.compile(each, rule.flags)) for rule in rules for parts, each in rule.anchored
    ]
    for name in ("developed", "held_out", "fresh"):
        for text in read(name):
            whole = Whole(text.text)
            for parts, pattern in patterns:
                if any(pattern.search(line) for line in text.text.split("\n")):
                    assert any(map(whole.has, parts)), (pattern.pattern, text.source)


def test_hardly_a_rule_must_always_be_tried() -> None:
    blunt = [
        each
        for rule in (*LADDER, *WEAK)
        if isinstance(rule, words)
        for parts, each in rule.anchored
        if "" in parts
    ]
    assert blunt == []
