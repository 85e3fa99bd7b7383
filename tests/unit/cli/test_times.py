"""Instants and spans as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.cli.times import age, parse, size, span

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.04, "40ms"),
        (2.0, "2s"),
        (9.94, "9.9s"),
        (12, "12s"),
        (59.7, "1m"),
        (72, "1m 12s"),
        (3600, "1h"),
        (7500, "2h 5m"),
        (86400 * 3 + 3600 * 4 + 59, "3d 4h"),
    ],
)
def test_a_span_has_two_units_at_most(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("earlier", "text"),
    [(0, "now"), (0.5, "now"), (3, "3s ago"), (90, "1m 30s ago"), (-30, "in 30s")],
)
def test_age(earlier: float, text: str) -> None:
    assert age(NOW - timedelta(seconds=earlier), NOW) == text


def test_parse_is_utc() -> None:
    assert parse("2026-01-02T13:00:00+01:00") == NOW
    assert parse("2026-01-02T12:00:00Z").tzinfo is UTC


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (512 * 1024**2, "512 MiB"), (1.5 * 1024**3, "1.5 GiB")],
)
def test_size(count: float, text: str) -> None:
    assert size(count) == text


@given(st.floats(min_value=0, max_value=1e9))
def test_a_span_never_grows_long(seconds: float) -> None:
    assert 2 <= len(span(seconds)) <= 12
