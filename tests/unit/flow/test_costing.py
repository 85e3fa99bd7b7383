"""Charges are exact, dated and never less than Google's minimum."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.costing import (
    PRICE_TABLES,
    billed_milliseconds,
    charge,
    display,
    free_tier,
    price_table,
    tier_of,
)
from runyard.model.cost import Charge, Credit, Price, Tier
from runyard.model.ids import AttemptKey
from runyard.model.outcome import Usage

AT = datetime(2026, 10, 5, 12, tzinfo=UTC)
KEY = AttemptKey("run_1/1")
GIB = 1024**3
OLD = PRICE_TABLES[0]
NEW = replace(OLD, valid_from=date(2027, 1, 1), tier1=Price(36_000, 4_000))
BOTH = (OLD, NEW)

milliseconds = st.integers(0, 10**10)
regions = st.sampled_from(["us-central1", "europe-west3", "moon-west1"])
usages = st.builds(
    Usage,
    billed_milliseconds=milliseconds.map(billed_milliseconds),
    vcpu_milli=st.integers(80, 8000),
    memory_bytes=st.integers(128 * 2**20, 32 * GIB),
)


@pytest.mark.parametrize(
    ("wall", "billed"),
    [
        (-5, 60_000),
        (0, 60_000),
        (1, 60_000),
        (59_999, 60_000),
        (60_000, 60_000),
        (60_001, 60_100),
        (60_100, 60_100),
        (90_042, 90_100),
    ],
)
def test_billed_milliseconds(wall: int, billed: int) -> None:
    assert billed_milliseconds(wall) == billed


@given(milliseconds, milliseconds)
def test_more_time_is_never_billed_less(one: int, other: int) -> None:
    less, more = sorted((one, other))
    assert billed_milliseconds(less) <= billed_milliseconds(more)
    assert max(less, 60_000) <= billed_milliseconds(less) < max(less, 60_000) + 100
    assert billed_milliseconds(less) % 100 == 0


@pytest.mark.parametrize(
    ("region", "vcpu_milli", "memory_bytes", "billed", "vcpu", "memory"),
    [
        # one minute, one vCPU: 60 x 18,000 and 60 x 2,000 nano-dollars
        ("us-central1", 1000, GIB, 60_000, 1_080_000, 120_000),
        ("us-central1", 1000, GIB // 2, 60_000, 1_080_000, 60_000),
        # an hour of 4 vCPU and 16 GiB in tier 2: 3,600 x 4 x 21,600 and 3,600 x 16 x 2,400
        ("europe-west3", 4000, 16 * GIB, 3_600_000, 311_040_000, 138_240_000),
        # 100 ms of 0.083 vCPU: 0.1 x 0.083 x 18,000 = 149.4
        ("us-central1", 83, GIB, 100, 149, 200),
        ("us-central1", 1000, GIB, 0, 0, 0),
    ],
)
def test_a_charge(
    region: str, vcpu_milli: int, memory_bytes: int, billed: int, vcpu: int, memory: int
) -> None:
    usage = Usage(billed_milliseconds=billed, vcpu_milli=vcpu_milli, memory_bytes=memory_bytes)
    made = charge(usage, region, AT, key=KEY)
    assert (made.vcpu_nano_dollars, made.memory_nano_dollars) == (vcpu, memory)
    assert made.nano_dollars == vcpu + memory
    assert (made.key, made.at, made.region, made.usage) == (KEY, AT, region, usage)
    assert made.price_table == OLD.valid_from


@given(usages, regions)
def test_a_charge_is_within_half_a_nano_dollar_of_the_exact_price(
    usage: Usage, region: str
) -> None:
    made = charge(usage, region, AT, key=KEY)
    price = OLD.price(made.tier)
    seconds = Fraction(usage.billed_milliseconds, 1000)
    vcpu = seconds * Fraction(usage.vcpu_milli, 1000) * price.vcpu_second_nano_dollars
    memory = seconds * Fraction(usage.memory_bytes, GIB) * price.gib_second_nano_dollars
    assert -Fraction(1, 2) < made.vcpu_nano_dollars - vcpu <= Fraction(1, 2)
    assert -Fraction(1, 2) < made.memory_nano_dollars - memory <= Fraction(1, 2)


@given(usages, regions, milliseconds)
def test_more_usage_never_costs_less(usage: Usage, region: str, extra: int) -> None:
    more = replace(usage, billed_milliseconds=usage.billed_milliseconds + extra)
    less = charge(usage, region, AT, key=KEY).nano_dollars
    assert less <= charge(more, region, AT, key=KEY).nano_dollars


@given(usages, regions, milliseconds)
def test_two_charges_are_the_charge_of_both_but_for_rounding(
    usage: Usage, region: str, other: int
) -> None:
    second = replace(usage, billed_milliseconds=billed_milliseconds(other))
    both = replace(
        usage, billed_milliseconds=usage.billed_milliseconds + second.billed_milliseconds
    )
    one, two, sum_ = (charge(each, region, AT, key=KEY) for each in (usage, second, both))
    assert abs(one.vcpu_nano_dollars + two.vcpu_nano_dollars - sum_.vcpu_nano_dollars) <= 1
    assert abs(one.memory_nano_dollars + two.memory_nano_dollars - sum_.memory_nano_dollars) <= 1


@pytest.mark.parametrize(
    ("region", "tier", "assumed"),
    [
        ("us-central1", Tier.ONE, False),
        ("europe-west3", Tier.TWO, False),
        ("africa-south1", Tier.TWO, False),
        ("moon-west1", Tier.TWO, True),
        ("", Tier.TWO, True),
    ],
)
def test_tiers(region: str, tier: Tier, assumed: bool) -> None:
    assert tier_of(region, OLD) == (tier, assumed)
    made = charge(Usage(), region, AT, key=KEY)
    assert (made.tier, made.tier_assumed) == (tier, assumed)


def test_no_region_is_in_two_tiers_and_tables_are_in_order() -> None:
    dates = [table.valid_from for table in PRICE_TABLES]
    assert dates == sorted(set(dates))
    for table in PRICE_TABLES:
        assert not table.tier1_regions & table.tier2_regions
        assert table.tier1.vcpu_second_nano_dollars <= table.tier2.vcpu_second_nano_dollars
        assert table.tier1.gib_second_nano_dollars <= table.tier2.gib_second_nano_dollars


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2020, 1, 1, tzinfo=UTC), OLD),
        (datetime(2026, 12, 31, 23, 59, 59, 999_999, UTC), OLD),
        (datetime(2027, 1, 1, tzinfo=UTC), NEW),
        # already 2027 on the clock of Auckland, still 2026 in UTC
        (datetime(2027, 1, 1, 5, tzinfo=timezone(timedelta(hours=13))), OLD),
    ],
)
def test_the_table_of_the_day_counts(at: datetime, expected: object) -> None:
    assert price_table(at, BOTH) is expected


def test_a_charge_uses_the_price_of_its_day() -> None:
    usage = Usage(billed_milliseconds=60_000, vcpu_milli=1000, memory_bytes=GIB)
    before = charge(usage, "us-east1", AT, key=KEY, tables=BOTH)
    after = charge(usage, "us-east1", datetime(2027, 2, 1, tzinfo=UTC), key=KEY, tables=BOTH)
    assert after.nano_dollars == 2 * before.nano_dollars
    assert (before.price_table, after.price_table) == (OLD.valid_from, NEW.valid_from)


def _spent(seconds: int, region: str = "us-central1", at: datetime = AT) -> Charge:
    usage = Usage(billed_milliseconds=seconds * 1000, vcpu_milli=1000, memory_bytes=GIB)
    return charge(usage, region, at, key=KEY)


def test_the_free_tier_covers_a_small_month_whole() -> None:
    month = [_spent(60), _spent(3600)]
    assert free_tier(month).nano_dollars == sum(one.nano_dollars for one in month)


def test_the_free_tier_of_a_large_month_is_four_dollars_32_and_90_cents() -> None:
    month = [_spent(400_000), _spent(400_000)]
    assert free_tier(month) == Credit(4_320_000_000, 900_000_000)
    assert free_tier(month).nano_dollars == 5_220_000_000


def test_the_free_tier_is_dollars_so_it_covers_less_in_tier_two() -> None:
    just_enough = 200_000  # 240,000 x 18,000 / 21,600
    covered = _spent(just_enough, "europe-west3")
    assert free_tier([covered]).vcpu_nano_dollars == covered.vcpu_nano_dollars
    more = _spent(just_enough + 1, "europe-west3")
    assert free_tier([more]).vcpu_nano_dollars < more.vcpu_nano_dollars


def test_the_free_tier_of_no_charges_is_nothing() -> None:
    assert free_tier([]) == Credit()


def test_the_free_tier_is_that_of_the_month_s_table() -> None:
    month = [_spent(400_000, at=datetime(2027, 1, 31, tzinfo=UTC))]
    assert free_tier(month, BOTH) == Credit(7_200_000_000, 800_000_000)  # all; an old table: less
    assert free_tier(month, (OLD,)).vcpu_nano_dollars == 4_320_000_000


def test_the_free_tier_is_of_one_month() -> None:
    with pytest.raises(ValueError, match="several months"):
        free_tier([_spent(60), _spent(60, at=datetime(2026, 11, 1, tzinfo=UTC))])


@pytest.mark.parametrize(
    ("nano_dollars", "shown"),
    [
        (0, "$0.00"),
        (1, "<$0.0001"),
        (99_999, "<$0.0001"),
        (100_000, "$0.0001"),
        (149_999, "$0.0001"),
        (150_000, "$0.0002"),
        (2_100_000, "$0.0021"),
        (900_000_000, "$0.9000"),
        (999_949_999, "$0.9999"),
        (999_950_000, "$1.00"),
        (1_000_000_000, "$1.00"),
        (12_345_000_000, "$12.35"),
        (1_234_567_890_000_000, "$1,234,567.89"),
        (-5_220_000_000, "-$5.22"),
        (-1, ">-$0.0001"),
    ],
)
def test_display(nano_dollars: int, shown: str) -> None:
    assert display(nano_dollars) == shown


@given(st.integers(1, 10**18))
def test_display_never_shows_a_cost_as_nothing(nano_dollars: int) -> None:
    shown = display(nano_dollars)
    assert any(digit in shown for digit in "123456789")
    assert shown != display(0)
