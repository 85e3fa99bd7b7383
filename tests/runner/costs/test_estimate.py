"""What a runner costs a month."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard_runner.calendar.line import parse
from runyard_runner.costs.estimate import Estimate, Use, estimate, executions_a_month
from runyard_runner.costs.prices import GIB_BYTES, PRICES, prices_on
from runyard_runner.costs.quantities import bytes_of, seconds_of, vcpu_of

PRICE = PRICES[0]
DAY = date(2026, 11, 26)
USE = Use(executions=122, endpoints=3, duration_seconds=Fraction(2))


def _nano_dollars(found: Estimate) -> dict[str, int | None]:
    return {cost.component: cost.nano_dollars for cost in found.costs}


def test_the_seeds_own_use_is_free() -> None:
    found = estimate(USE, PRICE)
    assert found.nano_dollars == 0
    assert found.prices_from == date(2026, 8, 21)
    assert [cost.component for cost in found.costs] == [
        "GitHub Actions",
        "Artifact Registry",
        "Cloud Run",
        "Cloud Scheduler",
        "Cloud Logging",
        "Network",
    ]
    run = found.costs[2]
    assert run.usage == "122 requests, 244 vCPU-s, 122 GiB-s"
    assert run.free == "2,000,000 requests, 180,000 vCPU-s, 360,000 GiB-s"


@pytest.mark.parametrize(
    ("text", "executions"),
    [
        ("0 */6 * * *", 122),  # 1,460 a year
        ("* * * * *", 43_800),
        ("0 9 * * 1-5", 22),  # 261 a year
        ("0 0 1 * *", 1),
        ("0 0 29 2 *", 0),  # no such day within a year
    ],
)
def test_executions_a_month(text: str, executions: int) -> None:
    assert executions_a_month(parse(text), DAY) == executions


@pytest.mark.parametrize(
    ("change", "seconds"),
    [
        ({}, "2"),
        ({"endpoints": 10}, "2"),
        ({"endpoints": 11}, "4"),
        ({"endpoints": 11, "max_workers": 11}, "2"),
        ({"endpoints": 11, "max_workers": 1}, "22"),
        ({"endpoints": 11, "is_parallel": False}, "22"),
        ({"endpoints": 0}, "0.1"),
        ({"duration_seconds": Fraction("0.12")}, "0.2"),
        ({"duration_seconds": Fraction("0.1")}, "0.1"),
        ({"duration_seconds": Fraction(0)}, "0.1"),
    ],
)
def test_an_execution_is_billed_for_every_100_ms_begun(
    change: dict[str, object], seconds: str
) -> None:
    assert replace(USE, **change).billed_seconds == Fraction(seconds)  # type: ignore[arg-type]


def test_what_is_beyond_the_free_amounts_costs() -> None:
    # 43,800 executions of 6 s are 262,800 vCPU-s: 82,800 too many; memory is within.
    many = replace(USE, executions=43_800, endpoints=30)
    assert _nano_dollars(estimate(many, PRICE))["Cloud Run"] == 82_800 * 24_000
    # By tier 2 the free seconds count as dollars at tier 1 prices.
    dear = replace(many, region="europe-west3")
    found = estimate(dear, PRICE)
    assert _nano_dollars(found)["Cloud Run"] == 262_800 * 33_600 - 180_000 * 24_000
    assert any("europe-west3 is charged by tier 2" in note for note in found.notes)
    big = replace(many, memory_bytes=4 * GIB_BYTES)
    memory = 262_800 * 4 * 2_500 - 360_000 * 2_500
    assert _nano_dollars(estimate(big, PRICE))["Cloud Run"] == 82_800 * 24_000 + memory
    busy = replace(USE, executions=3_000_000, duration_seconds=Fraction(0), vcpu=Fraction("0.08"))
    assert _nano_dollars(estimate(busy, PRICE))["Cloud Run"] == 400_000_000


def test_jobs_images_and_lines_beyond_the_free_ones_cost() -> None:
    assert _nano_dollars(estimate(replace(USE, scheduler_jobs=3), PRICE))["Cloud Scheduler"] == 0
    paid = _nano_dollars(estimate(replace(USE, scheduler_jobs=5), PRICE))["Cloud Scheduler"]
    assert paid == 196_236_559  # two jobs, a month of 365/12 of 31 days each
    images = _nano_dollars(estimate(replace(USE, images=100), PRICE))["Artifact Registry"]
    assert images == 550_000_000  # 6 GB, half of one free
    lines = replace(USE, executions=1_000_000, endpoints=98)
    logs = _nano_dollars(estimate(lines, PRICE))["Cloud Logging"]
    assert logs == int(Fraction(10**11 - 50 * GIB_BYTES, GIB_BYTES) * 500_000_000 + Fraction(1, 2))


def test_what_has_no_price_is_not_counted_as_nothing() -> None:
    found = estimate(replace(USE, executions=1_000_000, build_minutes=251), PRICE)
    assert _nano_dollars(found)["GitHub Actions"] is None
    assert _nano_dollars(found)["Network"] is None
    assert found.nano_dollars == sum(cost.nano_dollars or 0 for cost in found.costs) > 0


@given(st.integers(0, 10**6), st.integers(0, 200), st.fractions(0, 60), st.sampled_from("ab"))
def test_more_use_never_costs_less(
    executions: int, endpoints: int, seconds: Fraction, region: str
) -> None:
    use = Use(
        executions, endpoints, seconds, region={"a": "us-central1", "b": "asia-east2"}[region]
    )
    more = replace(use, executions=executions + 1000, endpoints=endpoints + 1)
    assert 0 <= estimate(use, PRICE).nano_dollars <= estimate(more, PRICE).nano_dollars


def test_the_list_in_force() -> None:
    assert prices_on(date(2026, 8, 21)) is PRICE
    assert prices_on(date(2030, 1, 1)) is PRICES[-1]
    assert prices_on(date(2020, 1, 1)) is PRICE
    assert [each.valid_from for each in PRICES] == sorted(each.valid_from for each in PRICES)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2", "2"), ("2s", "2"), ("300ms", "0.3"), ("1.5m", "90"), ("1h", "3600"), ("0.25s", "0.25")],
)
def test_times(text: str, seconds: str) -> None:
    assert seconds_of(text) == Fraction(seconds)


@pytest.mark.parametrize(
    ("text", "count"),
    [("512Mi", 512 << 20), ("1Gi", 1 << 30), ("60MB", 60_000_000), ("1.5k", 1500), ("7", 7)],
)
def test_sizes(text: str, count: int) -> None:
    assert bytes_of(text) == count


@pytest.mark.parametrize(("text", "vcpu"), [("1", "1"), ("500m", "0.5"), ("0.08", "0.08")])
def test_vcpu(text: str, vcpu: str) -> None:
    assert vcpu_of(text) == Fraction(vcpu)


@pytest.mark.parametrize("text", ["", "s", "-1s", "1 s", "1d", "²s", "1e9s", "9999999999s"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    for read in (seconds_of, bytes_of, vcpu_of):
        with pytest.raises(ValueError, match="such as"):
            read(text)
