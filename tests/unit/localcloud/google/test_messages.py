"""Google's JSON says a thing in several ways; each is read as the same message."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest
from google.api import launch_stage_pb2
from google.cloud import run_v2

from runyard.localcloud.google import requests
from runyard.localcloud.google.messages import message
from runyard.localcloud.google.names import Name, read_name, task_index
from runyard.localcloud.google.paging import page_size, place_of, token
from runyard.localcloud.google.requests import (
    OUTPUT_ONLY,
    CreateJob,
    JobInput,
    LaunchStage,
    Listing,
    RunJob,
    UpdateJob,
)
from runyard.model.cloudrun.network import VpcEgress
from runyard.model.cloudrun.template import ExecutionEnvironment
from runyard.model.cloudrun.volume import Medium
from runyard.model.errors import InvalidSpec

PLACE = "projects/shop/locations/us-central1"
CONTAINER = {"image": "busybox", "command": ["true"]}


def job(**task: Any) -> dict[str, Any]:
    return {"template": {"template": {"containers": [CONTAINER], **task}}}


def created(document: dict[str, Any], **query: str) -> CreateJob:
    said = {"parent": PLACE, "job": document}
    return message(CreateJob, said, {"jobId": "report", **query})


@pytest.mark.parametrize(
    "said",
    [
        job(maxRetries=2, executionEnvironment="EXECUTION_ENVIRONMENT_GEN2", timeout="90s"),
        job(max_retries="2", execution_environment=2, timeout="90s", vpcAccess=None),
        job(maxRetries=2.0, executionEnvironment=2, timeout="90s", volumes=None),
    ],
)
def test_one_message_may_be_written_in_several_ways(said: dict[str, Any]) -> None:
    task = created(said).job.template.template
    assert (task.max_retries, task.timeout) == (2, "90s")
    assert task.execution_environment is ExecutionEnvironment.EXECUTION_ENVIRONMENT_GEN2


def test_a_query_speaks_in_texts_and_of_the_answers_form() -> None:
    more = {"validateOnly": "true", "$alt": "json;enum-encoding=int", "prettyPrint": "false"}
    assert created(job(), **more).validate_only
    listing = message(Listing, {"parent": PLACE}, {"page_size": "7", "showDeleted": "FALSE"})
    assert (listing.page_size, listing.show_deleted) == (7, False)


@pytest.mark.parametrize("name", sorted(OUTPUT_ONLY))
def test_what_only_the_server_says_is_not_heard(name: str) -> None:
    assert created({**job(), name: "anything"}) == created(job())


def test_our_fields_of_a_job_are_googles_input() -> None:
    theirs = {field.json_name for field in run_v2.Job.pb().DESCRIPTOR.fields}
    mine = {field.alias or name for name, field in JobInput.model_fields.items()}
    assert mine == theirs - OUTPUT_ONLY
    assert theirs >= OUTPUT_ONLY


@pytest.mark.parametrize(
    ("ours", "theirs", "newer"),
    [
        (LaunchStage, launch_stage_pb2.LaunchStage, 0),
        (ExecutionEnvironment, run_v2.ExecutionEnvironment, 0),
        (VpcEgress, run_v2.VpcAccess.VpcEgress, 0),
        (Medium, run_v2.EmptyDirVolumeSource.Medium, 1),
    ],
)
def test_the_numbers_of_enums_are_their_order(ours: type[StrEnum], theirs: Any, newer: int) -> None:
    """Clients that speak REST send numbers."""
    pairs = theirs.items() if hasattr(theirs, "DESCRIPTOR") else [(t.name, t.value) for t in theirs]
    names = [str(one) for one in ours]
    names = names[: len(names) - newer]
    assert [(name, number) for number, name in enumerate(names)] == sorted(
        pairs, key=lambda pair: pair[1]
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "path"),
    [
        (requests.CreateJob, run_v2.CreateJobRequest, set()),
        (requests.RunJob, run_v2.RunJobRequest, set()),
        (requests.Overrides, run_v2.RunJobRequest.Overrides, set()),
        (requests.ContainerOverride, run_v2.RunJobRequest.Overrides.ContainerOverride, set()),
        (requests.UpdateJob, run_v2.UpdateJobRequest, {"name"}),
        (requests.Changing, run_v2.DeleteJobRequest, set()),
        (requests.Changing, run_v2.CancelExecutionRequest, set()),
        (requests.Listing, run_v2.ListJobsRequest, set()),
        (requests.Listing, run_v2.ListTasksRequest, set()),
        (requests.BinaryAuthorization, run_v2.BinaryAuthorization, set()),
    ],
)
def test_the_requests_have_googles_fields(ours: Any, theirs: Any, path: set[str]) -> None:
    mine = {field.alias or name for name, field in ours.model_fields.items()}
    assert mine - path == {field.json_name for field in theirs.pb().DESCRIPTOR.fields}


def test_every_fault_is_told_at_once_by_its_path() -> None:
    said = job(maxRetries="many", nonsense=1)
    said["template"]["taskCount"] = 0
    said["launchStage"] = 77
    with pytest.raises(InvalidSpec) as caught:
        created(said, jobId="Not good", extra="1")
    assert {fault.path for fault in caught.value.faults} == {
        "job.template.template.maxRetries",
        "job.template.template.nonsense",
        "job.template.taskCount",
        "job.launchStage",
        "jobId",
        "extra",
    }


def test_the_value_of_a_variable_is_not_shown() -> None:
    container = {**CONTAINER, "env": [{"name": "KEY", "value": 5150}]}
    with pytest.raises(InvalidSpec) as caught:
        created(job(containers=[container]))
    assert "env[0].value" in str(caught.value)
    assert "5150" not in str(caught.value)


@pytest.mark.parametrize("body", [[], "text", 5])
def test_what_is_no_message_where_one_must_be_is_a_fault(body: Any) -> None:
    for wrong in ({"template": body}, {"template": {"template": body}}):
        with pytest.raises(InvalidSpec):
            created(wrong)
    with pytest.raises(InvalidSpec):
        message(RunJob, {"name": f"{PLACE}/jobs/a", "overrides": body}, {})
    with pytest.raises(InvalidSpec):
        message(UpdateJob, {"name": f"{PLACE}/jobs/a", "job": body}, {})


def test_names_are_read_as_far_down_as_they_go() -> None:
    name = read_name(f"{PLACE}/jobs/a/executions/a-12345/tasks/a-12345-task7", "name")
    assert name == Name("shop", "us-central1", "a", "a-12345", "a-12345-task7")
    assert task_index(name) == 7
    assert read_name("projects/shop:prod/locations/eu", "name").place.endswith("prod/locations/eu")
    with pytest.raises(InvalidSpec, match="parent"):
        read_name("projects/Shop!/locations/eu", "parent")


@pytest.mark.parametrize(
    "task", ["a-12345-task", "a-12345-task07", "a-12345-task-1", "b-task1", ""]
)
def test_a_task_has_one_name(task: str) -> None:
    assert task_index(Name("shop", "eu", "a", "a-12345", task)) is None


def listing(parent: str = PLACE, **query: str) -> Listing:
    return message(Listing, {"parent": parent}, query)


def test_a_page_token_is_good_for_the_list_it_came_with() -> None:
    first = listing()
    assert (page_size(first), place_of(first, [str])) == (100, None)
    text = token(first, ["b"])
    assert place_of(listing(pageToken=text), [str]) == ["b"]
    for wrong in (
        listing(f"{PLACE}9", pageToken=text),
        listing(pageToken=text, showDeleted="true"),
        *(listing(pageToken=one) for one in ("x", "AAAA", "e30=", "é", token(first, [1]))),
    ):
        with pytest.raises(InvalidSpec, match="pageToken"):
            place_of(wrong, [str])


def test_a_page_is_bounded() -> None:
    assert page_size(listing(pageSize="1000000")) == 1000
    with pytest.raises(InvalidSpec, match="pageSize"):
        page_size(listing(pageSize="-1"))
