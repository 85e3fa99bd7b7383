"""Time zones by name: found or not, and which name may have been meant."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import pytest

from runyard.model.zones import ANY_ZONE, ZoneBook

BOOK = ZoneBook(ZoneInfo, lambda: ["Europe/Berlin", "America/New_York", "UTC"])


def test_a_zone_is_found_by_its_name() -> None:
    assert BOOK("Europe/Berlin") == BOOK.find("Europe/Berlin") == ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("name", ["Nowhere", "", "../etc/passwd", "Europe"])
def test_what_is_no_zone(name: str) -> None:
    assert BOOK.find(name) is None


def _unreadable(name: str) -> tzinfo:
    raise OSError(name)


def test_a_zone_that_cannot_be_read_is_none() -> None:
    assert ZoneBook(_unreadable, list).find("UTC") is None


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("europe/berlin", "did you mean Europe/Berlin?"),
        ("America/New York", "did you mean America/New_York?"),
        ("x" * 1000, "names are like America/New_York"),
    ],
)
def test_the_nearest_name_is_told(name: str, hint: str) -> None:
    assert BOOK.near(name) == hint


def test_any_zone_takes_every_name() -> None:
    assert ANY_ZONE.find("Nowhere") is UTC
