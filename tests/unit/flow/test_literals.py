"""Pieces of plain text that whatever an expression is found in must contain."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.literals import ALTERNATIVES_MAX, folded, literals_of, telling

PIECES = (
    "ab",
    "a",
    ".",
    r"\d",
    "[ab1]",
    "[]a]",
    "(ab|1)",
    "(?:x|ab)+",
    "(?P<n>a)",
    "(ab)?",
    "(?=a)",
    "(?<!a)",
    "(a[)]b)",
    "x{2}",
    "a*",
    "b+",
    "1?",
    r"\.",
)


@given(
    st.lists(st.sampled_from((*PIECES, "|", "^", "$")), max_size=6), st.text("ab1.]x)", max_size=9)
)
def test_whatever_an_expression_is_found_in_has_one_of_its_literals(
    pieces: list[str], text: str
) -> None:
    pattern = "".join(pieces).replace("(?P<n>", "(?:", pieces.count("(?P<n>a)") - 1)
    literals = literals_of(pattern)
    if literals and re.search(pattern, text):
        assert any(literal in text for literal in literals)


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        (r"timeout after \d+ ms", ("timeout after ",)),
        ("refused|timed out", ("refused", "timed out")),
        ("refused|", ()),
        ("abc?d", ("ab",)),
        ("abc+d", ("abc",)),
        ("ab{2,3}cde", ("cde",)),
        ("a{b", ("b",)),
        (r"a\.b\-c", ("a.b-c",)),
        (r"(foo|bar) baz [^]x]y", (" baz ",)),
        (r"(refused|reset)(?: by )\d", (" by ",)),
        (r"(?:refused|(?P<why>re(set|start))) \d", ("refused", "set", "start")),
        (r"(refused|)\d", ()),
        (r"(refused)*\d", ()),
        (r"(refused)+\d", ("refused",)),
        ("(?!no)abc(?<=bc)", ("abc",)),
        ("a(?#b", ()),
        (r"\x41bcde|\u0041bcde|\U00000041bcde|\N{LATIN SMALL LETTER A}bcde", ("bcde",) * 4),
        (r"(a)\1bcd\0bc", ("bcd",)),
        (r"(a(b)\)c[)]) end", (" end",)),
        ("(?i)abc", ()),
        ("", ()),
    ],
)
def test_literals(pattern: str, literals: tuple[str, ...]) -> None:
    assert literals_of(pattern) == literals


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("refused|timed out", ("refused", "timed out")),
        ("no|refused", ()),  # short ones are everywhere
        ("|".join(f"word{number}" for number in range(ALTERNATIVES_MAX + 1)), ()),
        (r"\d+", ()),
        ("(?i)refused", ()),
    ],
)
def test_only_what_tells_something_is_looked_for(pattern: str, literals: tuple[str, ...]) -> None:
    assert telling(pattern) == literals


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("(?i)refused|Timed out", ("refused", "Timed out")),
        ("(?i)no", ()),
        ("(?i)größe", ()),  # what capitals are beyond ASCII is another matter
        ("refused", ()),
    ],
)
def test_of_expressions_without_regard_to_capitals(pattern: str, literals: tuple[str, ...]) -> None:
    assert folded(pattern) == literals
