"""What is looked for in the bytes of a log finds all that an expression is found in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runyard.localcloud.logging.format import STDOUT, encode_block
from runyard.localcloud.logging.literal import opening_of
from runyard.localcloud.logging.scanning import scan
from runyard.localcloud.logging.wanted import Matcher, Wanted


@pytest.mark.parametrize(
    "pattern",
    ["a", "^a|b", "^a$", r"^a\Z", r"^a\B", "^(?i:a)", "^a(?=b)", "^a++", "^ä", r"^\u00e4", "(^a)"],
)
def test_where_it_is_not_sure_it_says_so(pattern: str) -> None:
    assert opening_of(pattern) is None


@pytest.mark.parametrize("pattern", ["^[^b]*a", r"^\W", r"^\D+", r"^\S", r"^[\t-~]"])
def test_what_a_newline_may_be_is_not_looked_for_in_a_block(pattern: str) -> None:
    assert opening_of(pattern) is None


def test_an_expression_does_not_reach_through_the_lines_of_a_block(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(encode_block(1_000_000, 0, 0, STDOUT, b"order 47110815 is done\n" * 10_000))
    size = path.stat().st_size
    assert not scan(str(path), 0, size, Matcher(Wanted(pattern=r"^[^#]*\d{9}#")), 100)  # minutes


def test_it_is_found_at_the_beginning_of_texts() -> None:
    opening = opening_of(r"^(?:\w+) \d{2}")
    assert opening is not None
    assert opening.search(b'{"t":1,"m":"order 12"}')
    assert not opening.search(b'{"t":1,"m":"an order 12"}')


PIECES = st.sampled_from(
    [
        r"\w",
        r"\d+",
        r"\s",
        ".",
        "[^b]",
        "a",
        "b ",
        "(?:ab)",
        "(a)?",
        ".*",
        r"\b",
        '"',
        "é",
        "x{1,2}",
    ]
)
LINES = st.lists(st.text(alphabet='ab 1x"\\é\t', max_size=6), min_size=1, max_size=8)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES, max_size=4), lines=LINES)
def test_what_begins_with_something_is_found_in_the_same_lines_as_one_by_one(
    tmp_path: Path, pieces: list[str], lines: list[str]
) -> None:
    pattern = "^" + "".join(pieces)
    path = tmp_path / "log"
    block = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(encode_block(1_000_000, 0, 0, STDOUT, block))
    found = scan(str(path), 0, path.stat().st_size, Matcher(Wanted(pattern=pattern)), 100)
    assert len(found) == sum(re.search(pattern, line) is not None for line in lines)
