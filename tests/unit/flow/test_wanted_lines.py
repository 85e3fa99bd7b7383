"""Which lines are wanted, wherever their log is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from runyard.flow.wanted_lines import fits

FIELDS: dict[str, Any] = {"user": {"name": "ada"}, "n": 7}


@dataclass(frozen=True)
class Asked:
    text: str = ""
    severities: tuple[str, ...] = ()
    task: int | None = None
    fields: tuple[tuple[str, str], ...] = ()
    has: str = ""


@pytest.mark.parametrize(
    ("asked", "is_wanted"),
    [
        (Asked(), True),
        (Asked(text="is low", severities=("INFO", "WARNING"), task=3, has="n"), True),
        (Asked(fields=(("n", "7"), ("user.name", "ada"))), True),
        (Asked(text="Is low"), False),
        (Asked(severities=("ERROR",)), False),
        (Asked(task=0), False),
        (Asked(has="name"), False),
        (Asked(fields=(("n", "7"), ("user.name", "bob"))), False),
    ],
)
def test_all_that_is_asked_for_must_hold(asked: Asked, is_wanted: bool) -> None:
    assert fits(asked, "disk is low", "WARNING", 3, FIELDS) is is_wanted


def test_a_plain_line_has_no_fields() -> None:
    assert fits(Asked(), "low", "DEFAULT", 0, None)
    assert not fits(Asked(has="n"), "low", "DEFAULT", 0, None)
