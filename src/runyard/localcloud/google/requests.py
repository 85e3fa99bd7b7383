"""What Google's methods are asked with: their request messages, with Google's JSON names.

Source: the protocol buffers of google-cloud-run 0.16 (google.cloud.run.v2, google.longrunning).
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from runyard.model.cloudrun.container import EnvVar
from runyard.model.cloudrun.template import ExecutionTemplate
from runyard.model.cloudrun.words import JobName
from runyard.model.strict import Message


class LaunchStage(StrEnum):
    """google.api.LaunchStage, in the order of its numbers from 0 on."""

    LAUNCH_STAGE_UNSPECIFIED = "LAUNCH_STAGE_UNSPECIFIED"
    EARLY_ACCESS = "EARLY_ACCESS"
    ALPHA = "ALPHA"
    BETA = "BETA"
    GA = "GA"
    DEPRECATED = "DEPRECATED"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    PRELAUNCH = "PRELAUNCH"


class BinaryAuthorization(Message):
    """Who attests images. Kept and given back; no image is run here."""

    use_default: bool = False
    policy: str = ""
    breakglass_justification: str = ""


class JobInput(Message):
    """A Job without its output-only fields (`OUTPUT_ONLY`)."""

    template: ExecutionTemplate
    name: str = ""
    labels: dict[str, str] = Field(default={})
    annotations: dict[str, str] = Field(default={})
    client: str = ""
    client_version: str = ""
    launch_stage: LaunchStage = LaunchStage.LAUNCH_STAGE_UNSPECIFIED
    binary_authorization: BinaryAuthorization | None = None
    start_execution_token: str = ""
    run_execution_token: str = ""
    etag: str = ""


#: Fields of a Job that the server alone says; a client that sends them back is not heard.
OUTPUT_ONLY = frozenset({
    "uid", "generation", "createTime", "updateTime", "deleteTime", "expireTime", "creator",
    "lastModifier", "observedGeneration", "terminalCondition", "conditions", "executionCount",
    "latestCreatedExecution", "reconciling", "satisfiesPzs",
})  # fmt: skip


class CreateJob(Message):
    """CreateJobRequest."""

    parent: str
    job: JobInput
    job_id: JobName
    validate_only: bool = False


class NewName(Message):
    """What a job is called that UpdateJob makes."""

    job_id: JobName


class UpdateJob(Message):
    """UpdateJobRequest. It has no mask: a job is changed as a whole."""

    name: str  # job.name, of the path
    job: JobInput
    validate_only: bool = False
    allow_missing: bool = False


class Named(Message):
    """GetJobRequest and its like."""

    name: str


class Changing(Message):
    """DeleteJobRequest, DeleteExecutionRequest, CancelExecutionRequest."""

    name: str
    validate_only: bool = False
    etag: str = ""


class Listing(Message):
    """ListJobsRequest, ListExecutionsRequest, ListTasksRequest."""

    parent: str
    page_size: int = 0
    page_token: str = ""
    show_deleted: bool = False


class ContainerOverride(Message):
    """RunJobRequest.Overrides.ContainerOverride."""

    name: str = ""
    args: tuple[str, ...] = ()
    env: tuple[EnvVar, ...] = ()
    clear_args: bool = False


class Overrides(Message):
    """RunJobRequest.Overrides."""

    container_overrides: tuple[ContainerOverride, ...] = ()
    task_count: int = 0
    timeout: str = ""


class RunJob(Message):
    """RunJobRequest."""

    name: str
    validate_only: bool = False
    etag: str = ""
    overrides: Overrides = Overrides()


class WaitOperation(Message):
    """google.longrunning.WaitOperationRequest. `timeout` is a Duration."""

    name: str
    timeout: str = ""


class ListLogEntries(Message):
    """google.logging.v2.ListLogEntriesRequest."""

    resource_names: tuple[str, ...] = ()
    project_ids: tuple[str, ...] = ()
    filter: str = ""
    order_by: str = ""
    page_size: int = 0
    page_token: str = ""
