"""Durations and quantities: what people write, and what it is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runyard.model.durations import SECOND_NANOS, canonical, google_form, nanos_of, seconds_of
from runyard.model.quantities import (
    GIB,
    KIB,
    MIB,
    memory_bytes_of,
    nano_dollars_of,
    vcpu_milli_of,
)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("900s", "900s"),
        ("10m", "600s"),
        ("2h30m", "9000s"),
        ("1h0m5s", "3605s"),
        ("1.5s", "1.5s"),
        ("0.000000001s", "0.000000001s"),
        ("0s", "0s"),
        ("1m0.25s", "60.25s"),
    ],
)
def test_a_duration_is_written_as_google_writes_it(text: str, form: str) -> None:
    assert canonical(text) == form


@pytest.mark.parametrize(
    "text",
    ["", "900", "s", "1d", "-1s", "1s1m", "1.5m", " 1s", "1s\n", "1e3s", "9999999999s", "٣s"],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a duration such as"):
        seconds_of(text)


@settings(deadline=None)
@given(st.integers(0, 10**8 * SECOND_NANOS))
def test_googles_form_loses_nothing(nanos: int) -> None:
    assert nanos_of(google_form(nanos)) == nanos


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("512Mi", 512 * MIB),
        ("1Gi", GIB),
        ("1G", 10**9),
        ("64Ki", 64 * KIB),
        ("1.5Gi", 3 * GIB // 2),
        ("1000", 1000),
        ("0.1", 1),
        ("1k", 1000),
    ],
)
def test_memory_is_in_bytes(text: str, amount: int) -> None:
    assert memory_bytes_of(text) == amount


@pytest.mark.parametrize("text", ["", "Mi", "-1Gi", "1 Gi", "1gi", "1m", "1e3", "0x10", "1Gi\n"])
def test_what_is_no_memory_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="an amount of memory"):
        memory_bytes_of(text)


@pytest.mark.parametrize(
    ("text", "amount"), [("1", 1000), ("2000m", 2000), ("0.5", 500), ("0.0001", 1), ("8", 8000)]
)
def test_cpu_is_in_thousandths(text: str, amount: int) -> None:
    assert vcpu_milli_of(text) == amount


@pytest.mark.parametrize("text", ["", "m", "-1", "1k", "one", "1.m", "1 "])
def test_what_is_no_cpu_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a number of CPUs"):
        vcpu_milli_of(text)


def test_money_is_whole_nano_dollars() -> None:
    amounts = ("20 USD", "0.25 USD", "0.000000001 USD")
    assert [nano_dollars_of(text) for text in amounts] == [20 * 10**9, 250_000_000, 1]
    for text in ("20", "20 EUR", "-1 USD", "1e3 USD", "0.0000000001 USD"):
        with pytest.raises(ValueError, match="an amount of money"):
            nano_dollars_of(text)
