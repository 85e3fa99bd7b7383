"""The sets of failure texts: each case in one of them, and split the same way by anybody."""

from __future__ import annotations

import pytest

from tests.support.failure_split import is_held_out, split
from tests.support.failure_texts import read

SETS = ("developed", "held_out", "fresh")


def test_a_thread_is_in_one_set_once() -> None:
    sources = [text.source for name in SETS for text in read(name)]
    assert len(sources) == len(set(sources))


def test_the_fresh_set_is_from_repositories_that_no_rule_was_written_for() -> None:
    def repositories(name: str) -> set[str]:
        return {text.source.partition("#")[0] for text in read(name)}

    assert not repositories("fresh") & (repositories("developed") | repositories("held_out"))


@pytest.mark.parametrize(("source", "held"), [("a/b#1", True), ("a/b#2", False)])
def test_the_source_alone_decides_what_is_set_aside(source: str, held: bool) -> None:
    assert is_held_out(source) is held


def test_cases_are_split_as_they_stand_and_known_ones_are_left_out() -> None:
    cases = [f"=== a/b#{number} | network | exit 1\nx {number}\n" for number in range(1, 5)]
    seen, held_out = split("".join(cases), {"a/b#3"})
    assert sorted(seen + held_out) == sorted("".join((cases[0], cases[1], cases[3])))
    assert "a/b#2 " in seen
    assert "a/b#1 " in held_out
