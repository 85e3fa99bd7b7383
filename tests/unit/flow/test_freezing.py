"""Freezes: at which instants one holds, and which ones make no sense."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.freezing import faults, freeze_at, holds
from runyard.model.environment import DAYS, Environment, Freeze
from runyard.model.errors import Fault
from runyard.model.validation import read

WEEKEND = {"from": "fri 16:00", "until": "mon 08:00", "timeZone": "Europe/Berlin"}
HOLIDAYS = {"from": "2026-12-20T00:00:00Z", "until": "2027-01-03T00:00:00+01:00", "reason": "yule"}


def freezes(*given_: dict[str, str]) -> tuple[Freeze, ...]:
    found, complaints = read(Environment, {"freeze": list(given_)})
    assert found, complaints
    return found.freeze


@pytest.mark.parametrize(
    ("at", "frozen"),
    [
        ("2026-11-27T14:59:59Z", False),  # a Friday; 16:00 in Berlin is 15:00 UTC in winter
        ("2026-11-27T15:00:00Z", True),
        ("2026-11-29T23:30:00Z", True),
        ("2026-11-30T06:59:59Z", True),
        ("2026-11-30T07:00:00Z", False),
        ("2026-07-03T13:59:59Z", False),  # in summer it is 14:00 UTC
        ("2026-07-03T14:00:00Z", True),
        ("2026-07-06T06:00:00Z", False),
    ],
)
def test_a_weekend_is_one_of_its_zone(at: str, frozen: bool) -> None:
    assert holds(freezes(WEEKEND)[0], datetime.fromisoformat(at), ZoneInfo) is frozen


def test_a_freeze_between_instants_ends_before_its_end() -> None:
    (freeze,) = freezes(HOLIDAYS)
    for at, frozen in (
        ("2026-12-19T23:59:59Z", False), ("2026-12-20T00:00:00Z", True),
        ("2027-01-02T22:59:59Z", True), ("2027-01-02T23:00:00Z", False),
    ):  # fmt: skip
        assert holds(freeze, datetime.fromisoformat(at), ZoneInfo) is frozen


def test_the_first_freeze_that_holds_is_told() -> None:
    both = freezes(WEEKEND, HOLIDAYS)
    friday = datetime(2026, 12, 25, 20, tzinfo=UTC)
    assert freeze_at(both, friday, ZoneInfo) == both[0]
    assert freeze_at(both, friday - timedelta(days=1), ZoneInfo) == both[1]
    assert freeze_at(both, friday - timedelta(days=9), ZoneInfo) is None


OF_ONE_KIND = "an instant where `from` is one, a time of the week where that is one"
TIME = st.tuples(st.sampled_from(DAYS), st.integers(0, 23), st.integers(0, 59)).map(
    lambda parts: f"{parts[0]} {parts[1]:02}:{parts[2]:02}"
)


@given(TIME, TIME, st.integers(0, 366 * 24 * 60))
def test_a_week_is_frozen_from_one_time_to_the_other_or_the_other_way(
    begin: str, until: str, minutes: int
) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    there = Freeze.model_validate({"from": begin, "until": until})
    back = Freeze.model_validate({"from": until, "until": begin})
    one, other = holds(there, at, ZoneInfo), holds(back, at, ZoneInfo)
    assert one is not other or (begin == until and not one)


def test_half_an_instant_and_half_a_week_never_holds() -> None:
    (freeze,) = freezes({"from": "fri 16:00", "until": "2027-12-20T00:00:00Z"})
    assert not holds(freeze, datetime(2026, 12, 25, 20, tzinfo=UTC), ZoneInfo)


@pytest.mark.parametrize(
    ("given_", "field", "expected"),
    [
        ({"from": "fri 16:00", "until": "2026-12-20T00:00:00Z"}, "until", OF_ONE_KIND),
        ({"from": "2026-12-20T00:00:00Z", "until": "fri 16:00"}, "until", OF_ONE_KIND),
        ({"from": "fri 16:00", "until": "fri 16:00"}, "until", "to come after `from`"),
        (
            {"from": "2027-01-01T00:00:00Z", "until": "2026-12-20T00:00:00Z"},
            "until",
            "to come after `from`",
        ),
        (
            WEEKEND | {"timeZone": "Europe/Berlim"},
            "timeZone",
            "a time zone of the tz database such as Europe/Berlin",
        ),
    ],
)
def test_a_freeze_that_makes_no_sense_is_refused(
    given_: dict[str, Any], field: str, expected: str
) -> None:
    found = faults(freezes(WEEKEND, given_), "freeze", ZoneInfo)
    assert found == [Fault(f"freeze[1].{field}", repr(given_[field]), expected)]


def test_good_freezes_have_no_fault() -> None:
    assert faults(freezes(WEEKEND, HOLIDAYS), "freeze", ZoneInfo) == []


@pytest.mark.parametrize("edge", ["friday 16:00", "fri 24:00", "2026-12-20T00:00:00", "", "7"])
def test_an_edge_is_an_instant_or_a_time_of_the_week(edge: str) -> None:
    found, complaints = read(Environment, {"freeze": [{"from": edge, "until": "mon 08:00"}]})
    assert found is None
    assert "such as fri 16:00" in complaints[0].expected


def test_words_are_written_small() -> None:
    assert freezes({"from": "Fri 16:00", "until": "MON 08:00"})[0].begin == "fri 16:00"


def test_a_document_has_who_may_only_where_somebody_is_named() -> None:
    assert Environment().document() == {"provider": "local", "approvals": 0}
    found, _ = read(Environment, {"allow": {"change": ["ann"]}, "freeze": [HOLIDAYS]})
    assert found
    assert found.document() == {
        "provider": "local",
        "approvals": 0,
        "freeze": [HOLIDAYS | {"timeZone": "UTC"}],
        "allow": {"change": ["ann"]},
    }
    assert Environment.from_document(found.document()) == found
