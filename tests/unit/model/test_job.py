"""A job: its canonical document, its policy, and what it asks for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runyard.model.errors import InvalidSpec
from runyard.model.job import JobSpec
from runyard.model.plan import Placement
from runyard.model.run import Backoff, Jitter, OnConflict, RunPolicy
from tests.support.manifests import DESIGN, changed, load_texts, make_job, read_job
from tests.support.rule_cases import FINE, limits, task


def test_defaults_are_written_out() -> None:
    assert read_job(make_job()).document() == {
        "project": "shop",
        "name": "job-0",
        "regions": ["us-central1"],
        "placement": "primary",
        "template": {
            "taskCount": 1,
            "template": {
                "containers": [
                    {
                        "image": "example/report:1",
                        "command": ["report"],
                        "resources": {"limits": {"cpu": "1", "memory": "512Mi"}},
                    }
                ],
                "maxRetries": 3,
                "timeout": "600s",
                "serviceAccount": "nightly-report",
            },
        },
        "retry": {
            "attempts": 1,
            "backoff": {"initial": "10s", "factor": 2.0, "max": "600s", "jitter": "full"},
            "on_timeout": {"attempts": 1},
        },
        "concurrency": {"limit": 0, "on_conflict": "queue"},
        "priority": 0,
    }


def test_the_template_is_googles_json_alone() -> None:
    job = load_texts(DESIGN).jobs[0]
    assert job.template_document() == job.document()["template"]
    assert job.template_document()["template"]["timeout"] == "900s"


def test_zero_retries_and_no_retries_said_differ() -> None:
    none = read_job(changed(make_job(), ("template", "template", "maxRetries"), 0))
    assert none.template_document()["template"]["maxRetries"] == 0
    assert (none.launches_max, read_job(make_job()).launches_max) == (1, 4)


def test_what_means_the_same_is_the_same_document() -> None:
    one = read_job(make_job(labels={"a": "1", "b": "2"}, deadline="1h", priority=0, needs={}))
    two = read_job(make_job(deadline="60m", labels={"b": "2", "a": "1"}))
    assert json.dumps(one.document()) == json.dumps(two.document())
    assert one == two


@pytest.mark.parametrize(("path", "value"), FINE)
def test_a_document_makes_the_job_again(path: tuple[str | int, ...], value: Any) -> None:
    job = read_job(changed(make_job(), path, value))
    document = json.loads(json.dumps(job.document()))
    assert JobSpec.from_document(document) == job
    assert JobSpec.from_document(document).document() == job.document()


def test_a_document_of_something_else_is_refused() -> None:
    with pytest.raises(InvalidSpec) as caught:
        JobSpec.from_document({"project": "shop", "name": "a", "retry": {"attempts": 0}})
    assert {(fault.path, fault.expected) for fault in caught.value.faults} == {
        ("template", "a value, which is required"),
        ("retry.attempts", "a whole number from 1 to 100"),
    }


def test_the_policy_is_what_the_job_says() -> None:
    job = read_job(
        make_job(
            retry={
                "attempts": 5,
                "backoff": {"initial": "1.5s", "factor": 3, "max": "1m", "jitter": "equal"},
                "on_timeout": {"attempts": 2},
            },
            concurrency={"limit": 2, "on_conflict": "cancel_older"},
            deadline="2h",
            priority=-3,
            placement="all",
        )
    )
    assert job.policy() == RunPolicy(
        attempts_max=5,
        timeout_attempts_max=2,
        backoff=Backoff(1.5, 3.0, 60.0, Jitter.EQUAL),
        concurrency_limit=2,
        on_conflict=OnConflict.CANCEL_OLDER,
        deadline_seconds=7200.0,
        priority=-3,
    )
    assert job.placement is Placement.ALL


def test_the_policy_of_a_job_that_says_nothing_is_the_default() -> None:
    assert read_job(make_job()).policy() == RunPolicy()


def test_what_a_task_asks_for_is_summed_over_its_containers() -> None:
    job = read_job({"template": {"template": task(limits("1", "1Gi"), limits("500m", "0.5G"))}})
    assert (job.vcpu_milli, job.memory_bytes) == (1500, 2**30 + 500_000_000)


@settings(deadline=None)
@given(st.integers(1, 100), st.integers(0, 10), st.integers(1, 10_000))
def test_the_most_launches_are_counted(attempts: int, retries: int, tasks: int) -> None:
    document = make_job(retry={"attempts": attempts})
    document = changed(document, ("template", "template", "maxRetries"), retries)
    document = changed(document, ("template", "taskCount"), tasks)
    job = JobSpec.from_document({"project": "shop", "name": "a", **document})
    assert job.launches_max == attempts * (retries + 1) * tasks
    assert (job.task_count, job.timeout_seconds) == (tasks, 600.0)


def test_a_job_cannot_be_changed() -> None:
    job = read_job(make_job())
    with pytest.raises(ValueError, match="frozen"):
        job.priority = 3
