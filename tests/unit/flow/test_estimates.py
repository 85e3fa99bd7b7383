"""What a job will cost, and the room that is left: measured, or unknown and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from runyard.flow.estimates import (
    NO_SCHEDULE,
    NOT_MEASURED,
    Estimate,
    Headroom,
    Measured,
    estimate,
    headroom,
)
from runyard.model.job import JobSpec
from tests.support.manifests import make_job

NOW = datetime(2026, 11, 26, tzinfo=UTC)
MINUTE_NANO_DOLLARS = 60 * (18_000 + 2_000 // 2)  #: of 1 vCPU and 512 MiB in tier 1


def spec(name: str = "report", **beside: Any) -> JobSpec:
    return JobSpec.from_document(make_job(**beside) | {"project": "shop", "name": name})


def test_what_was_never_measured_is_unknown() -> None:
    assert estimate(spec(), Measured(), NOW, 30) == Estimate(4, 0, None, None, NOT_MEASURED)


def test_the_middle_of_recent_runs_counts_at_the_list_price() -> None:
    measured = Measured((60_000, 600_000, 120_000), 1)
    price = 2 * MINUTE_NANO_DOLLARS
    assert estimate(spec(), measured, NOW) == Estimate(4, 3, price, None, NO_SCHEDULE)
    assert estimate(spec(), measured, NOW, 30) == Estimate(4, 3, price, 30 * price, "")


def test_what_the_job_will_have_of_cpu_and_memory_counts() -> None:
    measured = Measured((60_000,), 1)
    for limits, vcpu, half_gib in (({"cpu": "2"}, 2, 1), ({"memory": "1Gi"}, 1, 2)):
        job = make_job()
        job["template"]["template"]["containers"][0]["resources"] = {"limits": limits}
        larger = JobSpec.from_document(job | {"project": "shop", "name": "report"})
        price = 60 * (vcpu * 18_000 + half_gib * 2_000 // 2)
        assert estimate(larger, measured, NOW).run_nano_dollars == price


def test_a_job_in_all_its_regions_costs_in_each() -> None:
    everywhere = spec(placement="all", regions=["us-central1", "europe-west3"])
    measured = Measured((60_000,), 1)
    found = estimate(everywhere, measured, NOW).run_nano_dollars
    assert found == MINUTE_NANO_DOLLARS + MINUTE_NANO_DOLLARS * 12 // 10  # tier 2 is a fifth dearer
    first = spec(regions=["us-central1", "europe-west3"])
    assert estimate(first, measured, NOW).run_nano_dollars == MINUTE_NANO_DOLLARS


def test_another_number_of_tasks_was_not_measured() -> None:
    why = "it was measured with 4 tasks, and will have 1"
    found = estimate(spec(), Measured((60_000,), 4), NOW, 30)
    assert found == Estimate(4, 1, None, None, why)


def test_headroom_is_what_is_used_and_will_be() -> None:
    env = [{"name": f"V{number}", "value": ""} for number in range(3)]
    large = spec("large", regions=["us-central1", "us-east1"]).document()
    large["template"]["template"]["containers"][0]["env"] = env
    small = spec("small").document()
    found = headroom([small], [small, large], {"us-central1": 7}, 500)
    assert found == [
        Headroom("jobs", "us-central1", 1, 2, 1000),
        Headroom("jobs", "us-east1", 0, 1, 1000),
        Headroom("running executions", "us-central1", 7, 7, 500),
        Headroom("running executions", "us-east1", 0, 0, 500),
        Headroom("variables of a container", "large", 3, 3, 1000),
    ]
    assert not any(one.is_passed for one in found)
    assert Headroom("jobs", "us-east1", 1000, 1001, 1000).is_passed
    assert headroom([], [], {}, 500) == []
    assert len(headroom([], [small], {}, 500)) == 2
